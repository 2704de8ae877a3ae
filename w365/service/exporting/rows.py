"""The records of each subject, streamed: some thousand rows are in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter

from w365.matching.messages import say_reason
from w365.model import Actor, Origin, Reason, Role, Status
from w365.service import Service
from w365.service.access import authorize, needs
from w365.service.exporting.statistic_lines import statistic_lines
from w365.service.exporting.subjects import COLUMNS, FOR_ADMINS, Record, Subject
from w365.service.insight.statistics import SOURCE_WORDS
from w365.store.db.engine import Connection
from w365.store.deciding.supporting_rule import RULES
from w365.store.exporting.rows import (
    AccountRow,
    CandidateRow,
    read_accounts,
    read_all_candidates,
    read_best_candidates,
    read_domains,
)
from w365.store.people.audit_log import stream_events
from w365.store.reading.decision_log import DecisionView, iterate_decisions
from w365.store.reading.worklist import Filter
from w365.store.syncing.providers import read_provider_names

_WHY: Mapping[str, str] = {reason.value: say_reason(reason) for reason in Reason}


@needs(Role.VIEWER)
def read_records(service: Service, actor: Actor, subject: Subject, rows: Filter | None = None) -> Iterator[Record]:
    """Read the records of a subject as dictionaries with the same keys in the same order.

    `rows` leaves the provider accounts that the grid would show. Who may not read the subject gets NotAllowed at once.
    """
    if subject in FOR_ADMINS:
        authorize(service, actor, Role.ADMIN, f"read the {subject}")
    return statistic_lines(service, actor) if subject is Subject.STATISTICS else _stream(service, subject, rows)


def _stream(service: Service, subject: Subject, rows: Filter | None) -> Iterator[Record]:
    with service.store.read() as connection:
        yield from _READERS[subject](connection, rows)


def _read_mappings(connection: Connection, rows: Filter | None) -> Iterator[Record]:
    names = read_provider_names(connection)
    cut = _cutter_of(Subject.MAPPINGS)
    for part in read_accounts(connection, rows):
        domains = read_domains(connection, [row.id for row in part])
        yield from (cut(_record(row, names) | {"domains": domains.get(row.id, "")}) for row in part)


def _reader_of(status: Status, subject: Subject) -> Callable[[Connection, Filter | None], Iterator[Record]]:
    """Rows of one status with their best candidates side by side."""

    def read_open(connection: Connection, rows: Filter | None) -> Iterator[Record]:
        names, cut = read_provider_names(connection), _cutter_of(subject)
        for part in read_accounts(connection, rows, status):
            ids = [row.id for row in part]
            best, domains = read_best_candidates(connection, ids), read_domains(connection, ids)
            for row in part:
                more = _name_candidates(best.get(row.id, ())) | {"domains": domains.get(row.id, "")}
                yield cut(_record(row, names) | more)

    return read_open


def _read_candidates(connection: Connection, rows: Filter | None) -> Iterator[Record]:
    """Every provider account with up to five candidates, the likeliest first."""
    names, cut = read_provider_names(connection), _cutter_of(Subject.CANDIDATES)
    for part in read_accounts(connection, rows):
        candidates = read_all_candidates(connection, [row.id for row in part])
        for row in part:
            suggested = [_candidate(candidate) for candidate in candidates.get(row.id, ())]
            yield cut(_record(row, names) | {"candidates": suggested})


def _read_decisions(connection: Connection, rows: Filter | None) -> Iterator[Record]:
    return map(_decision, iterate_decisions(connection, rows))


def _record(row: AccountRow, provider_names: Mapping[int, str]) -> Record:
    record = row._asdict()
    record["provider"] = provider_names[row.provider_id]
    record["why"] = _name_source(row.origin, row.rule) if row.status == Status.MAPPED else _WHY[row.reason]
    return record


def _name_source(origin: str | None, rule: int | None) -> str:
    """Name what Statistics counts a mapping by: the first rule of an automatic one, else where it came from."""
    return SOURCE_WORDS[RULES[rule] if origin == Origin.AUTO and rule is not None else Origin(origin or "")]


def _cutter_of(subject: Subject) -> Callable[[Record], Record]:
    """Leave the columns of a subject, in their order; made once for all of its records."""
    columns = COLUMNS[subject]
    values_of = itemgetter(*columns)
    return lambda record: dict(zip(columns, values_of(record), strict=True))


def _name_candidates(best: Sequence[CandidateRow]) -> Record:
    """The first three of them, each a cell; empty where there are fewer."""
    cells = [_name_candidate(candidate) for candidate in best]
    return dict(zip(_BEST, [*cells, "", "", ""], strict=False))


def _name_candidate(candidate: CandidateRow) -> str:
    number = f" ({candidate.number})" if candidate.number else ""
    return f"{candidate.name}{number} {candidate.score:.2f}"


def _candidate(row: CandidateRow) -> Record:
    reasons = [sentence for _, _, sentence in row.signals]
    return {"account_id": row.crm_id, "account_number": row.number, "score": row.score, "reasons": reasons}


def _decision(decision: DecisionView) -> Record:
    fields = {column: getattr(decision, _FIELDS.get(column, column)) for column in COLUMNS[Subject.DECISIONS]}
    return fields | {"kind": decision.kind.value, "evidence": "; ".join(decision.evidence)}


def _read_audit_log(connection: Connection, _rows: Filter | None) -> Iterator[Record]:
    for event in stream_events(connection):
        values = (event.id, event.at, event.actor, event.kind.value, event.about, event.address)
        yield dict(zip(COLUMNS[Subject.AUDIT_LOG], values, strict=True))


_FIELDS = {"decision": "id", "run": "run_id"}
"""What a column of decisions is called in `DecisionView`, where that is something else."""

_BEST = ("candidate_1", "candidate_2", "candidate_3")

_READERS: Mapping[Subject, Callable[[Connection, Filter | None], Iterator[Record]]] = {
    Subject.MAPPINGS: _read_mappings,
    Subject.UNMAPPED: _reader_of(Status.UNMAPPED, Subject.UNMAPPED),
    Subject.CONFLICTS: _reader_of(Status.CONFLICT, Subject.CONFLICTS),
    Subject.CANDIDATES: _read_candidates,
    Subject.DECISIONS: _read_decisions,
    Subject.AUDIT_LOG: _read_audit_log,
}
