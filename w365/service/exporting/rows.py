"""The records of each subject, streamed: some thousand rows are in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from w365.matching.messages import say_reason
from w365.model import Actor, Origin, Reason, Role, Status
from w365.service import Service
from w365.service.access import require
from w365.service.exporting.statistic_lines import statistic_lines
from w365.service.exporting.subjects import COLUMNS, Record, Subject
from w365.service.insight.activity import all_decisions
from w365.service.insight.statistics import SOURCE_WORDS
from w365.store import tables as t
from w365.store.insight.metrics import RULES, first_rule
from w365.store.reading.worklist import Filter, Unsought, count_rows, select_ids, where_of

_BATCH = 2_000
_SMALL = 20_000
_WHY: Mapping[str, str] = {reason.value: say_reason(reason) for reason in Reason}

Batch = list[Record]


def read(service: Service, actor: Actor, subject: Subject, wanted: Filter | None = None) -> Iterator[Record]:
    """Read the records of a subject as dictionaries with the same keys in the same order.

    `wanted` leaves the provider accounts that the grid would show.
    """
    require(actor, Role.VIEWER)
    if subject is Subject.STATISTICS:
        yield from statistic_lines(service, actor)
        return
    with service.store.read() as connection:
        yield from read_from(connection, subject, wanted)


def read_from(connection: sa.Connection, subject: Subject, wanted: Filter | None = None) -> Iterator[Record]:
    yield from _READERS[subject](connection, wanted)


def _accounts(
    connection: sa.Connection, wanted: Filter | None, *where: sa.ColumnElement[bool]
) -> Iterator[tuple[list[int], Batch]]:
    """Read provider accounts in batches: their ids and their records. A small file is in the order of the grid.

    A large one is in the order in which they were first seen, as they lie on the disk: measured at 500,000 rows on
    SQLite, by name each row cost four reads somewhere else, and 9,000 a second came instead of 35,000.
    """
    pa, work, account = t.ProviderAccount, t.Worklist, t.Account
    query = (
        sa.select(
            work.provider_account_id.label("id"),
            pa.provider_id.label("provider"),
            pa.specific_id.label("provider_specific_account_id"),
            pa.name.label("provider_name"),
            pa.main_domain.label("domain"),
            pa.country,
            work.status,
            t.Mapping.origin,
            first_rule().label("rule"),
            work.reason,
            account.crm_id.label("account_id"),
            account.number.label("account_number"),
            account.name.label("account_name"),
            work.seats,
            work.subscriptions,
            work.is_gone.label("gone"),
            pa.first_seen_at.label("first_seen"),
            t.Decision.at.label("mapped_at"),
            t.Decision.actor.label("mapped_by"),
        )
        .join_from(work, pa, pa.id == work.provider_account_id)
        .outerjoin(t.Mapping, t.Mapping.provider_account_id == pa.id)
        .outerjoin(account, account.id == t.Mapping.account_id)
        .outerjoin(t.Decision, t.Decision.id == t.Mapping.decision_id)
        .where(*where, *(where_of(wanted, Unsought) if wanted is not None else ()))
        .order_by(*_order(connection, wanted))
    )
    names = {row.id: row.name for row in connection.execute(sa.select(t.Provider.id, t.Provider.name))}
    result = connection.execution_options(yield_per=_BATCH).execute(query)
    columns = tuple(result.keys())
    for part in result.partitions():
        records = [_record(dict(zip(columns, row, strict=True)), names) for row in part]
        yield [record.pop("id") for record in records], records


def _order(connection: sa.Connection, wanted: Filter | None) -> tuple[sa.SQLColumnExpression[Any], ...]:
    work = t.Worklist
    known = sa.select(sa.func.count()).select_from(work)
    rows = connection.scalar(known) or 0 if wanted is None else count_rows(connection, wanted)
    return (work.name_key, work.provider_account_id) if rows <= _SMALL else (work.provider_account_id,)


def _record(record: Record, providers: Mapping[int, str]) -> Record:
    record["provider"] = providers[record["provider"]]
    reason, rule = record.pop("reason"), record.pop("rule")
    record["why"] = _mapped_by(record["origin"], rule) if record["status"] == Status.MAPPED else _WHY[reason]
    return record


def _mapped_by(origin: Origin, rule: int | None) -> str:
    """Name what Statistics counts a mapping by: the first rule of an automatic one, else where it came from."""
    return SOURCE_WORDS[origin if rule is None or origin != Origin.AUTO else RULES[rule]]


def _cut(record: Record, subject: Subject) -> Record:
    return {name: record[name] for name in COLUMNS[subject]}


def _mappings(connection: sa.Connection, wanted: Filter | None) -> Iterator[Record]:
    for _, records in _accounts(connection, wanted):
        yield from (_cut(record, Subject.MAPPINGS) for record in records)


def _open(status: Status, subject: Subject) -> Callable[[sa.Connection, Filter | None], Iterator[Record]]:
    """Rows of one status with their candidates side by side; gone ones are no backlog."""

    def read_open(connection: sa.Connection, wanted: Filter | None) -> Iterator[Record]:
        work = t.Worklist
        for ids, records in _accounts(connection, wanted, Unsought(work.status) == status, ~work.is_gone):
            best = _best_candidates(connection, ids)
            for row_id, record in zip(ids, records, strict=True):
                names = [*best.get(row_id, ()), "", "", ""]
                shown = {f"candidate_{place}": names[place - 1] for place in (1, 2, 3)}
                yield _cut(record | shown, subject)

    return read_open


def _best_candidates(connection: sa.Connection, ids: list[int]) -> dict[int, list[str]]:
    candidate = t.CurrentCandidate
    query = (
        sa.select(candidate.provider_account_id, t.Account.name, t.Account.number, candidate.score)
        .join(t.Account, t.Account.id == candidate.account_id)
        .where(candidate.rank <= 3, candidate.provider_account_id.in_(ids))
        .order_by(candidate.provider_account_id, candidate.rank)
    )
    found: dict[int, list[str]] = {}
    for row_id, name, number, score in connection.execute(query):
        text = f"{name} ({number}) {score:.2f}" if number else f"{name} {score:.2f}"
        found.setdefault(row_id, []).append(text)
    return found


def _candidates(connection: sa.Connection, wanted: Filter | None) -> Iterator[Record]:
    """Every provider account with up to five candidates, the likeliest first."""
    for ids, records in _accounts(connection, wanted):
        found = _all_candidates(connection, ids)
        for row_id, record in zip(ids, records, strict=True):
            yield _cut(record | {"candidates": found.get(row_id, [])}, Subject.CANDIDATES)


def _all_candidates(connection: sa.Connection, ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    candidate, account = t.CurrentCandidate, t.Account
    query = (
        sa.select(candidate.provider_account_id, account.crm_id, account.number, candidate.score, candidate.signals)
        .join(account, account.id == candidate.account_id)
        .where(candidate.provider_account_id.in_(ids))
        .order_by(candidate.provider_account_id, candidate.rank)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in connection.execute(query):
        reasons = [text for _, _, text in row.signals]
        one = {"account_id": row.crm_id, "account_number": row.number, "score": row.score, "reasons": reasons}
        found.setdefault(row.provider_account_id, []).append(one)
    return found


def _decisions(connection: sa.Connection, wanted: Filter | None) -> Iterator[Record]:
    where = sa.true() if wanted is None else t.Decision.provider_account_id.in_(select_ids(wanted))
    for one in all_decisions(connection, where):
        yield {
            "decision": one.id,
            "at": one.at,
            "actor": one.actor,
            "run": one.run_id,
            "kind": one.kind.value,
            "provider": one.provider,
            "provider_account": one.provider_account,
            "old_account": one.old_account,
            "account": one.account,
            "origin": one.origin,
            "reason": one.reason,
            "evidence": "; ".join(one.evidence),
            "undoes": one.undoes,
        }


_READERS: Mapping[Subject, Callable[[sa.Connection, Filter | None], Iterator[Record]]] = {
    Subject.MAPPINGS: _mappings,
    Subject.UNMAPPED: _open(Status.UNMAPPED, Subject.UNMAPPED),
    Subject.CONFLICTS: _open(Status.CONFLICT, Subject.CONFLICTS),
    Subject.CANDIDATES: _candidates,
    Subject.DECISIONS: _decisions,
}
