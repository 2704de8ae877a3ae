"""The rows of downloads, streamed: some thousand are in memory at a time."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from w365.model import Status
from w365.store import tables as t
from w365.store.db.bound_ids import IDS
from w365.store.deciding.supporting_rule import first_rule
from w365.store.reading.row_counts import count_rows
from w365.store.reading.worklist import Filter, Unsought, where_of

_BATCH = 2_000
_SMALL = 20_000


class AccountRow(NamedTuple):
    """A provider account with what it is mapped to; `rule` is `first_rule` of the mapping.

    A tuple, as half a million of them are read for one file. The fields are named as the columns of the files.
    """

    id: int
    provider_id: int
    provider_specific_account_id: str
    provider_name: str
    domain: str
    country: str
    status: str
    origin: str | None
    rule: int | None
    reason: str
    account_id: str | None
    account_number: str | None
    account_name: str | None
    seats: int
    subscriptions: int
    gone: bool
    first_seen: dt.datetime
    mapped_at: dt.datetime | None
    mapped_by: str | None


class CandidateRow(NamedTuple):
    """A suggested account; `signals` are (name, weight, sentence)."""

    provider_account_id: int
    name: str
    number: str
    score: float
    crm_id: str = ""
    signals: Sequence[tuple[str, float, str]] = ()


def read_accounts(
    connection: sa.Connection, rows: Filter | None, status: Status | None = None
) -> Iterator[list[AccountRow]]:
    """Read the provider accounts that the grid would show, None: all, in parts.

    Of one status, gone ones are left out: they are no backlog. A small file is in the order of the grid. A large one is
    in the order in which they were first seen, as they lie on the disk: measured at 500,000 rows on SQLite, by name
    each row cost four reads somewhere else, and 9,000 a second came instead of 35,000.
    """
    work = t.Worklist
    of_status = () if status is None else (Unsought(work.status) == status, ~work.is_gone)
    query = _accounts().where(*of_status, *(() if rows is None else where_of(rows, Unsought)))
    is_small = _count(connection, rows) <= _SMALL
    order = (work.name_key, work.provider_account_id) if is_small else (work.provider_account_id,)
    result = connection.execution_options(yield_per=_BATCH).execute(query.order_by(*order))
    for part in result.partitions():
        yield [AccountRow._make(row) for row in part]


def _count(connection: sa.Connection, rows: Filter | None) -> int:
    if rows is not None:
        return count_rows(connection, rows)
    return connection.scalar(sa.select(sa.func.count()).select_from(t.Worklist)) or 0


@functools.cache
def _accounts() -> sa.Select[*tuple[Any, ...]]:
    pa, work, account = t.ProviderAccount, t.Worklist, t.Account
    return (
        sa.select(
            work.provider_account_id,
            pa.provider_id,
            pa.specific_id,
            pa.name,
            pa.main_domain,
            pa.country,
            work.status,
            t.Mapping.origin,
            first_rule(),
            work.reason,
            account.crm_id,
            account.number,
            account.name,
            work.seats,
            work.subscriptions,
            work.is_gone,
            pa.first_seen_at,
            t.Decision.at,
            t.Decision.actor,
        )
        .join_from(work, pa, pa.id == work.provider_account_id)
        .outerjoin(t.Mapping, t.Mapping.provider_account_id == pa.id)
        .outerjoin(account, account.id == t.Mapping.account_id)
        .outerjoin(t.Decision, t.Decision.id == t.Mapping.decision_id)
    )


def read_domains(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """Read all domains of each of these rows as an import takes them, the default one first."""
    domain = t.ProviderAccountDomain
    order = (domain.provider_account_id, domain.is_default.desc(), domain.domain)
    query = (
        sa.select(domain.provider_account_id, domain.domain).where(domain.provider_account_id.in_(IDS)).order_by(*order)
    )
    domains: dict[int, list[str]] = {}
    for row in connection.execute(query, {"ids": ids}):
        domains.setdefault(row.provider_account_id, []).append(row.domain)
    return {row_id: ", ".join(names) for row_id, names in domains.items()}


def read_best_candidates(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[CandidateRow]]:
    """Read the three likeliest accounts of each of these rows, without their signals."""
    return _by_row(connection, _candidates().where(t.CurrentCandidate.rank <= 3), ids)


def read_all_candidates(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[CandidateRow]]:
    """Read every suggested account of each of these rows, the likeliest first."""
    return _by_row(connection, _candidates().add_columns(t.Account.crm_id, t.CurrentCandidate.signals), ids)


def _by_row(
    connection: sa.Connection, query: sa.Select[*tuple[Any, ...]], ids: Sequence[int]
) -> dict[int, list[CandidateRow]]:
    candidates: dict[int, list[CandidateRow]] = {}
    for row in connection.execute(query, {"ids": ids}):
        candidates.setdefault(row.provider_account_id, []).append(CandidateRow(*row))
    return candidates


@functools.cache
def _candidates() -> sa.Select[*tuple[Any, ...]]:
    candidate, account = t.CurrentCandidate, t.Account
    return (
        sa.select(candidate.provider_account_id, account.name, account.number, candidate.score)
        .join(account, account.id == candidate.account_id)
        .where(candidate.provider_account_id.in_(IDS))
        .order_by(candidate.provider_account_id, candidate.rank)
    )
