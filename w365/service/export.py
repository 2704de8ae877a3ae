"""Downloads: what the screens show, as CSV, Excel, Parquet or JSON.

Totals equal the screen's, and no cell is a formula.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from w365.errors import InputError
from w365.matching.words import say_reason
from w365.model import Actor, Reason, Role, Status
from w365.service import Service
from w365.service.access import require
from w365.service.activity import all_decisions
from w365.service.statistics import DEFINITIONS, Statistics, Totals, read_statistics
from w365.sheets.lines import FORMULA
from w365.store import tables as t

_BATCH = 2_000


class Subject(enum.StrEnum):
    MAPPINGS = "mappings"
    UNMAPPED = "unmapped"
    CONFLICTS = "conflicts"
    CANDIDATES = "candidates"
    DECISIONS = "decisions"
    STATISTICS = "statistics"


class Format(enum.StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    JSON = "json"


MEDIA_TYPES: Mapping[Format, str] = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.JSON: "application/json",
}

Record = dict[str, Any]

_ROW = ("provider", "provider_specific_account_id", "provider_name", "domain", "country", "status")
_STAKE = ("seats", "subscriptions")
_OPEN = (*_ROW, *_STAKE, "first_seen", "why", "candidate_1", "candidate_2", "candidate_3")

COLUMNS: Mapping[Subject, tuple[str, ...]] = {
    Subject.MAPPINGS: (
        *_ROW,
        *("origin", "account_id", "account_number", "account_name"),
        *_STAKE,
        *("gone", "first_seen", "mapped_at", "mapped_by", "why"),
    ),
    Subject.UNMAPPED: _OPEN,
    Subject.CONFLICTS: _OPEN,
    Subject.CANDIDATES: (
        *("provider", "provider_specific_account_id", "status", "account_id", "account_number", "origin"),
        "candidates",
    ),
    Subject.DECISIONS: (
        *("decision", "at", "actor", "run", "kind", "provider", "provider_account", "old_account", "account"),
        *("origin", "reason", "evidence", "undoes"),
    ),
    Subject.STATISTICS: ("section", "name", "measure", "value"),
}
"""What a file has, rows or none: people and scripts rely on it."""

_TIMES = ("first_seen", "mapped_at", "at")
_MOST_EXCEL_ROWS = 1_048_575


@dataclass(frozen=True, slots=True)
class File:
    """A finished download."""

    name: str
    media_type: str
    content: bytes


def render(service: Service, actor: Actor, subject: Subject, form: Format) -> File:
    """Make a download of everything there is about a subject."""
    require(actor, Role.VIEWER)
    buffer = io.BytesIO()
    _WRITERS[form](buffer, subject, list(read(service, actor, subject)))
    return File(f"w365-{subject}-{service.clock():%Y-%m-%d}.{form}", MEDIA_TYPES[form], buffer.getvalue())


def write_file(service: Service, actor: Actor, subject: Subject, form: Format, path: Path) -> int:
    """Write a download to a file, whole or not at all, and return the number of rows."""
    require(actor, Role.VIEWER)
    records = list(read(service, actor, subject))
    part = path.parent / f"{path.name}.part"
    try:
        with part.open("wb") as file:
            _WRITERS[form](file, subject, records)
        part.replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}).", kept="Nothing was changed.", do="Choose another path."
        ) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return len(records)


def read(service: Service, actor: Actor, subject: Subject) -> Iterator[Record]:
    """Read the records of a subject as dictionaries with the same keys in the same order."""
    if subject is Subject.STATISTICS:
        yield from _statistics(read_statistics(service, actor))
        return
    with service.store.read() as connection:
        yield from _READERS[subject](connection)


# --- subjects ---


def _accounts(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> Iterator[Record]:
    pa, work, account = t.ProviderAccount, t.Worklist, t.Account
    query = (
        sa.select(
            t.Provider.name.label("provider"),
            pa.specific_id.label("provider_specific_account_id"),
            pa.name.label("provider_name"),
            pa.main_domain.label("domain"),
            pa.country,
            work.status,
            t.Mapping.origin,
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
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .outerjoin(t.Mapping, t.Mapping.provider_account_id == pa.id)
        .outerjoin(account, account.id == t.Mapping.account_id)
        .outerjoin(t.Decision, t.Decision.id == t.Mapping.decision_id)
        .where(*where)
        .order_by(t.Provider.id, pa.name_key, pa.id)
    )
    for row in connection.execution_options(yield_per=_BATCH).execute(query).mappings():
        record = dict(row)
        record["why"] = say_reason(Reason(record.pop("reason"))) if record["status"] != Status.MAPPED else ""
        yield record


def _mappings(connection: sa.Connection) -> Iterator[Record]:
    for record in _accounts(connection):
        yield {name: record[name] for name in COLUMNS[Subject.MAPPINGS]}


def _open(status: Status) -> Callable[[sa.Connection], Iterator[Record]]:
    """Rows of one status with their candidates side by side; gone ones are no backlog."""

    def read_open(connection: sa.Connection) -> Iterator[Record]:
        best = _best_candidates(connection)
        for record in _accounts(connection, t.Worklist.status == status, ~t.Worklist.is_gone):
            key = record["provider"], record["provider_specific_account_id"]
            names = best.get(key, [])
            shown = {f"candidate_{place}": names[place - 1] if len(names) >= place else "" for place in (1, 2, 3)}
            with_candidates = record | shown
            yield {name: with_candidates[name] for name in _OPEN}

    return read_open


def _best_candidates(connection: sa.Connection) -> dict[tuple[str, str], list[str]]:
    pa, candidate = t.ProviderAccount, t.CurrentCandidate
    query = (
        sa.select(t.Provider.name, pa.specific_id, t.Account.name, t.Account.number, candidate.score)
        .join_from(candidate, pa, pa.id == candidate.provider_account_id)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .join(t.Account, t.Account.id == candidate.account_id)
        .where(candidate.rank <= 3)
        .order_by(candidate.provider_account_id, candidate.rank)
    )
    found: dict[tuple[str, str], list[str]] = {}
    for provider, specific_id, name, number, score in connection.execute(query):
        text = f"{name} ({number}) {score:.2f}" if number else f"{name} {score:.2f}"
        found.setdefault((provider, specific_id), []).append(text)
    return found


def _candidates(connection: sa.Connection) -> Iterator[Record]:
    """Every provider account with up to five candidates, the likeliest first."""
    pa, candidate, account = t.ProviderAccount, t.CurrentCandidate, t.Account
    query = sa.select(
        pa.specific_id.label("row"), pa.provider_id, account.crm_id, account.number, candidate.score, candidate.signals
    )
    query = query.join_from(candidate, pa, pa.id == candidate.provider_account_id)
    query = query.join(account, account.id == candidate.account_id).order_by(pa.id, candidate.rank)
    names = {row.id: row.name for row in connection.execute(sa.select(t.Provider.id, t.Provider.name))}
    found: dict[tuple[str, str], list[Record]] = {}
    for row in connection.execute(query):
        reasons = [text for _, _, text in row.signals]
        one = {"account_id": row.crm_id, "account_number": row.number, "score": row.score, "reasons": reasons}
        found.setdefault((names[row.provider_id], row.row), []).append(one)
    for record in _accounts(connection):
        key = record["provider"], record["provider_specific_account_id"]
        with_candidates = record | {"candidates": found.get(key, [])}
        yield {name: with_candidates[name] for name in COLUMNS[Subject.CANDIDATES]}


def _decisions(connection: sa.Connection) -> Iterator[Record]:
    for one in all_decisions(connection):
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


def _statistics(found: Statistics) -> Iterator[Record]:
    """One line a number: section, name, measure, value."""

    def line(section: str, name: str, measure: str, value: float | None) -> Record:
        return {"section": section, "name": name, "measure": measure, "value": value}

    yield from (line("Total", "All providers", *pair) for pair in _measures(found.totals))
    yield line("Total", "All providers", "blocked subscriptions", found.blocked_subscriptions)
    for provider in found.by_provider:
        yield from (line("Provider", provider.provider, *pair) for pair in _measures(provider.totals))
    for source in found.by_source:
        yield line("Mapped by", source.source, "provider accounts", source.accounts)
    for reason in found.by_reason:
        yield line("Not mapped because", reason.words, "provider accounts", reason.accounts)
        yield line("Not mapped because", reason.words, "seats", reason.seats)
    for point in found.history:
        name = f"Run {point.run_id}, {point.at:%Y-%m-%d %H:%M} UTC"
        yield from (line("History", name, *pair) for pair in _measures(point.totals))


def _measures(totals: Totals) -> list[tuple[str, float | None]]:
    rate = totals.match_rate
    return [
        ("in scope", totals.in_scope),
        ("mapped", totals.mapped),
        ("conflict", totals.conflict),
        ("unmapped", totals.unmapped),
        ("parked", totals.parked),
        ("excluded", totals.excluded),
        ("backlog", totals.backlog),
        ("match rate", None if rate is None else round(rate, 6)),
        ("blocked seats", totals.blocked_seats),
    ]


_READERS: Mapping[Subject, Callable[[sa.Connection], Iterator[Record]]] = {
    Subject.MAPPINGS: _mappings,
    Subject.UNMAPPED: _open(Status.UNMAPPED),
    Subject.CONFLICTS: _open(Status.CONFLICT),
    Subject.CANDIDATES: _candidates,
    Subject.DECISIONS: _decisions,
}


# --- formats ---


def safe_cell(value: object) -> object:
    """Quote a text that a spreadsheet would run as a formula; flatten what is not a single value."""
    if isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False)
    return "'" + value if isinstance(value, str) and value.lstrip("'").startswith(FORMULA) else value


def _frame(subject: Subject, records: Sequence[Record], *, spreadsheet: bool) -> Any:
    """Keep values as they are: pandas' own types would make run 3 "3.0" where another row has none."""
    import pandas as pd  # here, so that the worker and the routes do without it

    names = COLUMNS[subject]
    rows = [[_cell(record[name], spreadsheet=spreadsheet) for name in names] for record in records]
    return pd.DataFrame(rows, columns=list(names), dtype=object)


def _cell(value: object, *, spreadsheet: bool) -> object:
    if spreadsheet:
        if isinstance(value, dt.datetime):
            return value.astimezone(dt.UTC).replace(tzinfo=None)  # Excel knows no zones; the header says UTC
        return safe_cell(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def _write_csv(file: Any, subject: Subject, records: Sequence[Record]) -> None:
    frame = _frame(subject, records, spreadsheet=True)
    for name in set(_TIMES) & set(frame.columns):
        frame[name] = [f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None for at in frame[name]]
    file.write(frame.to_csv(index=False).encode("utf-8-sig"))  # Excel needs the mark


def _write_parquet(file: Any, subject: Subject, records: Sequence[Record]) -> None:
    _frame(subject, records, spreadsheet=False).to_parquet(file, index=False)


def _write_json(file: Any, _subject: Subject, records: Sequence[Record]) -> None:
    text = json.dumps(list(records), ensure_ascii=False, indent=1, default=_json_value, allow_nan=False)
    file.write(text.encode())


def _json_value(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    raise TypeError(type(value).__name__)


def _write_xlsx(file: Any, subject: Subject, records: Sequence[Record]) -> None:
    """One sheet with a frozen header and a filter, one that says what the numbers mean."""
    import pandas as pd

    if len(records) > _MOST_EXCEL_ROWS:
        raise InputError(
            f"{len(records):,} rows are more than an Excel sheet holds.", do="Choose CSV or Parquet instead."
        )
    frame = _frame(subject, records, spreadsheet=True)
    frame = frame.rename(columns={name: f"{name} (UTC)" for name in _TIMES})
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with pd.ExcelWriter(file, engine="xlsxwriter", engine_kwargs={"options": options}) as writer:
        frame.to_excel(writer, sheet_name=subject.value.capitalize(), index=False)
        sheet = writer.sheets[subject.value.capitalize()]
        sheet.freeze_panes(1, 0)
        if len(frame.columns):
            sheet.autofilter(0, 0, max(len(frame), 1), len(frame.columns) - 1)
        for place, name in enumerate(frame.columns):
            longest = max((len(str(value)) for value in frame[name].head(200)), default=0)
            sheet.set_column(place, place, min(max(longest, len(str(name))) + 2, 60))
        words = pd.DataFrame(list(DEFINITIONS.items()), columns=["Number", "Meaning"])
        words.to_excel(writer, sheet_name="Definitions", index=False)
        writer.sheets["Definitions"].set_column(0, 0, 20)
        writer.sheets["Definitions"].set_column(1, 1, 100)


_WRITERS: Mapping[Format, Callable[[Any, Subject, Sequence[Record]], None]] = {
    Format.CSV: _write_csv,
    Format.XLSX: _write_xlsx,
    Format.PARQUET: _write_parquet,
    Format.JSON: _write_json,
}
