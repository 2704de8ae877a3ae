"""The rows of the grid, read by filter, sort and page; `w365.store.matching.refresh_derived` keeps them up."""

from __future__ import annotations

import datetime as dt
import enum
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from w365.model import DecisionKind, Disposition, Drift, ListPart, Reason, Status
from w365.store import tables as t
from w365.store.db.bound_ids import IDS
from w365.store.matching.relations import is_live
from w365.store.reading.facets import facet_conditions, return_decisions
from w365.store.reading.search_index import ids_found_by, search_terms

MOST_ROWS = 1_000


class Sort(enum.StrEnum):
    """What the grid can be sorted by; each has an index."""

    NAME = "name"
    DOMAIN = "domain"
    ACCOUNT = "account"
    PROVIDER = "provider"
    SPECIFIC_ID = "specific_id"
    REASON = "reason"
    STATUS = "status"
    SEATS = "seats"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which provider accounts to list. Empty parts do not filter; `text` is words that all must be found.

    Gone customers that are not mapped are left out, as in all counts, but where `part` asks for them. `new_since` is a
    moment, which the part *new* needs. `owner` is a name, or "" for rows that nobody owns. `scores` bounds the best
    candidate's score, the upper bound left out; rows without a candidate count as 0. `since` and `before` bound the
    first sight of the customer, likewise.
    """

    statuses: tuple[Status, ...] = ()
    providers: tuple[int, ...] = ()
    reasons: tuple[Reason, ...] = ()
    text: str = ""
    part: ListPart | None = None
    account_id: int | None = None
    owner: str | None = None
    scores: tuple[float, float] | None = None
    since: dt.date | None = None
    before: dt.date | None = None
    new_since: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the grid. `version` is what an edit must send back, `aside` why a person set it aside, until when."""

    id: int
    provider: str
    specific_id: str
    name: str
    domain: str
    more_domains: int
    status: Status
    reason: Reason
    accounts: int
    account_id: int | None
    account_name: str
    account_number: str
    account_gone: bool
    origin: str
    candidate_name: str
    candidate_score: float | None
    seats: int
    subscriptions: int
    is_gone: bool
    change: str
    version: int
    drift: Drift = Drift.NONE
    disposition: Disposition = Disposition.OPEN
    owner: str = ""
    is_back: bool = False
    is_synced: bool = True
    aside: str = ""
    until: dt.date | None = None
    candidate_gone: bool = False
    provider_id: int = 0
    account_crm_id: str = ""


def where_of(
    rows: Filter, using: Callable[[_Column], sa.SQLColumnExpression[Any]] | None = None
) -> list[sa.ColumnElement[bool]]:
    """The conditions of a filter on the worklist, for queries that join it; `using` wraps its columns."""
    return _where(rows, using or _as_it_is)


def select_ids(rows: Filter) -> sa.Select[int]:
    """Select the ids of all rows of a filter, in no order."""
    return sa.select(t.Worklist.provider_account_id).where(*_where(rows))


def has_rows(connection: sa.Connection) -> bool:
    return connection.scalar(sa.select(t.Worklist.provider_account_id).limit(1)) is not None


def list_ids(
    connection: sa.Connection, rows: Filter, sort: Sort, *, descending: bool = False, start: int = 0, limit: int = 200
) -> list[int]:
    """List the ids of rows `start` to `start + limit` of the filter in this order; ties are broken by id."""
    work = t.Worklist
    keys = {
        Sort.NAME: work.name_key,
        Sort.DOMAIN: work.domain_key,
        Sort.ACCOUNT: work.account_key,
        Sort.PROVIDER: work.provider_id,
        Sort.SPECIFIC_ID: work.specific_id,
        Sort.REASON: work.reason,
        Sort.STATUS: work.status,
        Sort.SEATS: work.seats,
        Sort.DECIDED: work.version,
    }
    key = keys[sort]
    order = (key.desc(), work.provider_account_id.desc()) if descending else (key, work.provider_account_id)
    query = sa.select(work.provider_account_id).where(*_where(rows, Unsought)).order_by(*order)
    return list(connection.scalars(query.offset(max(start, 0)).limit(min(limit, MOST_ROWS))))


def list_ids_after(connection: sa.Connection, rows: Filter, after: int, limit: int) -> list[int]:
    """List the ids of the filter behind an id, in their order: what stays in the filter meanwhile is met once."""
    row_id = t.Worklist.provider_account_id
    query = sa.select(row_id).where(*_where(rows, Unsought), row_id > after).order_by(row_id)
    return list(connection.scalars(query.limit(min(limit, MOST_ROWS))))


def read_rows(connection: sa.Connection, ids: Sequence[int]) -> list[Row]:
    """Read these rows, in the order of the ids; ids that are no more are left out."""
    by_id = {row["id"]: _row(dict(row)) for row in connection.execute(_reading(), {"ids": list(ids)}).mappings()}
    return [by_id[row_id] for row_id in ids if row_id in by_id]


@functools.cache
def _reading() -> sa.Select[*tuple[Any, ...]]:
    work, pa, account, best = t.Worklist, t.ProviderAccount, t.Account, sa.orm.aliased(t.Account)
    pad, candidate, proposal = t.ProviderAccountDomain, t.CurrentCandidate, t.CurrentProposal
    domains = sa.select(sa.func.count()).where(pad.provider_account_id == pa.id).scalar_subquery()
    return (
        sa.select(
            work.provider_account_id.label("id"),
            t.Provider.name.label("provider"),
            pa.specific_id,
            pa.name,
            pa.main_domain.label("domain"),
            domains.label("domains"),
            work.status,
            work.reason,
            sa.func.coalesce(proposal.accounts, 0).label("accounts"),
            work.account_id,
            account.name.label("account_name"),
            account.number.label("account_number"),
            (~is_live(account)).label("account_gone"),
            t.Mapping.origin,
            best.name.label("candidate_name"),
            candidate.score.label("candidate_score"),
            work.seats,
            work.subscriptions,
            work.is_gone,
            pa.change,
            work.version,
            work.drift,
            work.disposition,
            work.owner,
            (sa.func.coalesce(t.Decision.kind, "") == DecisionKind.RETURN).label("is_back"),
            pa.is_synced,
            sa.func.coalesce(t.StandingOrder.reason, "").label("aside"),
            t.StandingOrder.until,
            (~is_live(best)).label("candidate_gone"),
            work.provider_id,
            account.crm_id.label("account_crm_id"),
        )
        .join_from(work, pa, pa.id == work.provider_account_id)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .outerjoin(t.Mapping, t.Mapping.provider_account_id == pa.id)
        .outerjoin(account, account.id == t.Mapping.account_id)
        .outerjoin(proposal, proposal.provider_account_id == pa.id)
        .outerjoin(candidate, (candidate.provider_account_id == pa.id) & (candidate.rank == 1))
        .outerjoin(best, best.id == candidate.account_id)
        .outerjoin(t.Decision, t.Decision.id == work.version)
        .outerjoin(t.StandingOrder, t.StandingOrder.provider_account_id == pa.id)
        .where(work.provider_account_id.in_(IDS))
    )


class Unsought(sa.ColumnElement[Any]):
    """A column that SQLite must not look up in an index of its own: the rows come in the order of another index.

    Its planner prefers the index of the status and sorts: measured at 500,000 rows, 424 ms instead of 25.
    """

    inherit_cache = True
    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 - how SQLAlchemy caches it

    def __init__(self, column: sa.orm.InstrumentedAttribute[Any]) -> None:
        self.column = column.expression
        self.type = self.column.type


@compiles(Unsought)
def _plainly(element: Unsought, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.column, **options)


@compiles(Unsought, "sqlite")
def _with_plus(element: Unsought, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.column, **options)}"


_Column = sa.orm.InstrumentedAttribute[Any]


def _as_it_is(column: _Column) -> sa.SQLColumnExpression[Any]:
    return column


def _is_counted(using: Callable[[_Column], sa.SQLColumnExpression[Any]] = _as_it_is) -> sa.ColumnElement[bool]:
    """What is counted: a gone customer without a mapping is nobody's work any more."""
    return sa.or_(~t.Worklist.is_gone, using(t.Worklist.status) == Status.MAPPED)


def is_among(rows: Filter) -> sa.ColumnElement[bool]:
    """Whether a row of `worklist` is one that the filter lists."""
    return sa.and_(*_where(rows))


def _where(
    rows: Filter, using: Callable[[_Column], sa.SQLColumnExpression[Any]] = _as_it_is
) -> list[sa.ColumnElement[bool]]:
    work = t.Worklist
    conditions: list[sa.ColumnElement[bool]] = []
    if rows.statuses:
        conditions.append(using(work.status).in_(rows.statuses))
    if rows.providers:
        conditions.append(using(work.provider_id).in_(rows.providers))
    if rows.reasons:
        conditions.append(using(work.reason).in_(rows.reasons))
    conditions.append(work.is_gone == sa.true() if rows.part is ListPart.GONE else _is_counted(using))
    if rows.account_id is not None:
        conditions.append(work.provider_account_id.in_(_mapped_to(rows.account_id)))
    conditions.extend(facet_conditions(rows.owner, rows.scores, rows.since, rows.before))
    if rows.part is ListPart.BACK:
        conditions.append(using(work.version).in_(return_decisions()))
    if select_part := _PARTS.get(rows.part):
        conditions.append(work.provider_account_id.in_(select_part()))
    if rows.new_since is not None:
        conditions.append(work.provider_account_id.in_(_new_since(rows.new_since)))
    conditions.extend(_is_found_by(term) for term in search_terms(rows.text))
    return conditions


def _drifted() -> sa.Select[int]:
    """Few rows: they are looked up by their index, whatever the order. Spelled as the index is, or SQLite leaves it."""
    return sa.select(t.Worklist.provider_account_id).where(sa.text("drift <> ''"))


def _unsynced() -> sa.Select[int]:
    """Few rows, by their index, spelled as it is."""
    return sa.select(t.ProviderAccount.id).where(sa.text("NOT is_synced"))


def _held() -> sa.Select[int]:
    """Whose automatic mapping was taken back; among the few rows that people ordered something for."""
    return sa.select(t.StandingOrder.provider_account_id).where(t.StandingOrder.kind == Disposition.HELD)


_PARTS: Mapping[ListPart | None, Callable[[], sa.Select[int]]] = {
    ListPart.DRIFTED: _drifted,
    ListPart.UNSYNCED: _unsynced,
    ListPart.HELD: _held,
}


def _mapped_to(account_id: int) -> sa.Select[int]:
    """Few rows, by the index of the mappings; the rows of the grid have none by account."""
    return sa.select(t.Mapping.provider_account_id).where(t.Mapping.account_id == account_id)


def _new_since(at: dt.datetime) -> sa.Select[int]:
    return sa.select(t.ProviderAccount.id).where(t.ProviderAccount.first_seen_at > at)


def _is_found_by(term: str) -> sa.ColumnElement[bool]:
    """Rows found by words of their own or of the account they are mapped to."""
    mapped_to = sa.select(t.Mapping.provider_account_id).where(t.Mapping.account_id.in_(ids_found_by(t.ACCOUNT, term)))
    own = sa.select(ids_found_by(t.PROVIDER_ACCOUNT, term).subquery().c.id)
    return t.Worklist.provider_account_id.in_(sa.union_all(own, mapped_to))


def _row(values: dict[str, Any]) -> Row:
    values["more_domains"] = max(values.pop("domains") - 1, 0)
    values["status"], values["reason"] = Status(values["status"]), Reason(values["reason"])
    values["drift"], values["disposition"] = Drift(values["drift"]), Disposition(values["disposition"])
    for name in ("account_name", "account_number", "account_crm_id", "origin", "candidate_name"):
        values[name] = values[name] or ""
    for name in ("account_gone", "is_back", "is_synced", "candidate_gone"):
        values[name] = bool(values[name])
    return Row(**values)
