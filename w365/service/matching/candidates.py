"""Keep candidates for the provider accounts that wait for a decision; fuzzy signals only ever suggest."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from w365.matching.candidates import Candidate, Suggester
from w365.matching.comparison_records import Subject
from w365.model import OPEN, DomainKind, Evidence, Guard
from w365.service import Service
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.db.bound_ids import IDS, NAMES
from w365.store.db.bulk_insert import chunks, upsert, upsert_into
from w365.store.matching.change_sequence import next_version, version_now
from w365.store.matching.evidence import KEPT_STATEMENTS, NO_VALUES, Values, evidence_of
from w365.store.reading.search_index import PROVIDER_ACCOUNT
from w365.store.runs import Progress

KEPT = 5
_BATCH = 200
_MOST_SHARING = 200

_MINE, _THEIRS = sa.orm.aliased(t.ProviderAccount), sa.orm.aliased(t.ProviderAccount)
"""The same customer at two providers."""
_WITH_CUSTOMERS = sa.select(t.Provider.id).where(sa.exists().where(t.Worklist.provider_id == t.Provider.id)).limit(2)


def order_candidates(connection: sa.Connection, which: sa.Select[int], values: Values = NO_VALUES) -> None:
    """Ask for new candidates for those of these rows that are open."""
    is_any, order = _ordering(connection.dialect.name, which)
    if connection.scalar(is_any, values or None) is not None:
        connection.execute(order, {**values, "asked": next_version(connection)})


def order_decided(connection: sa.Connection, which: sa.Select[int], values: Values = NO_VALUES) -> None:
    """Ask for new candidates where rows were decided: for those still open, and for their customers elsewhere."""
    order_candidates(connection, which, values)
    order_elsewhere(connection, which, values)


def order_elsewhere(connection: sa.Connection, which: sa.Select[int], values: Values = NO_VALUES) -> None:
    """Ask for new candidates for the customers of these rows at other providers: how one is mapped speaks for it there.

    With one provider nobody is looked for.
    """
    if len(connection.scalars(_WITH_CUSTOMERS).all()) > 1:
        order_candidates(connection, _elsewhere(which), values)


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _ordering(dialect: str, which: sa.Select[int]) -> tuple[sa.Select[int], sa.Insert]:
    work, version = t.Worklist, sa.bindparam("asked", type_=t.Id)
    is_meant = (work.provider_account_id.in_(which), work.status.in_(OPEN))
    is_any = sa.select(work.provider_account_id).where(*is_meant).limit(1)
    ids = sa.select(work.provider_account_id, version).where(*is_meant)
    insert = upsert_into(dialect, t.SuggestDue.__table__).from_select(["provider_account_id", "version"], ids)
    return is_any, insert.on_conflict_do_update(index_elements=["provider_account_id"], set_={"version": version})


def order_by_words(connection: sa.Connection, words: Iterable[str]) -> None:
    """Ask for new candidates for the open rows with one of these words or signs, if it tells customers apart.

    A word that more customers have than `_MOST_SHARING` is none: it hardly counts, and would ask for half of them.
    """
    for part in chunks(sorted(words)):
        order_candidates(connection, _with_words(), {"names": part})


@functools.cache
def _with_words() -> sa.Select[int]:
    ours = t.Word
    mine = sa.select(ours.word).where(ours.subject == PROVIDER_ACCOUNT, ours.word.in_(NAMES))
    telling = mine.group_by(ours.word).having(sa.func.count() <= _MOST_SHARING)
    return sa.select(ours.id).where(ours.subject == PROVIDER_ACCOUNT, ours.word.in_(telling)).distinct()


@functools.cache
def suggesting() -> sa.Select[int]:
    """Select the provider accounts that have one of the accounts with these `ids` as a candidate."""
    candidate = t.CurrentCandidate
    return sa.select(candidate.provider_account_id).where(candidate.account_id.in_(IDS))


def drop_candidate(connection: sa.Connection, provider_account_id: int, account_id: int) -> None:
    """Suggest an account no more; the candidates behind it move up until new ones are made."""
    table = t.CurrentCandidate
    own = table.provider_account_id == provider_account_id
    rank = connection.scalar(sa.select(table.rank).where(own, table.account_id == account_id))
    if rank is None:
        return
    connection.execute(sa.delete(table).where(own, table.rank == rank))
    for behind in range(rank + 1, KEPT + 1):  # one by one: the rank is part of the key
        connection.execute(sa.update(table).where(own, table.rank == behind).values(rank=behind - 1))


def drop_candidates(connection: sa.Connection, pairs: sa.Select[int, int]) -> None:
    """Suggest these accounts no more, for these (provider account, account); those behind them move up."""
    drop, *move_up = _dropping(pairs)
    connection.execute(drop)
    for behind in move_up:
        connection.execute(behind)


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _dropping(pairs: sa.Select[int, int]) -> tuple[sa.Delete | sa.Update, ...]:
    table, ahead, wanted = t.CurrentCandidate, sa.orm.aliased(t.CurrentCandidate), pairs.subquery()
    rows = sa.select(wanted.c[0])
    of_pair = sa.exists().where(wanted.c[0] == table.provider_account_id, wanted.c[1] == table.account_id)
    statements: list[sa.Delete | sa.Update] = [sa.delete(table).where(table.provider_account_id.in_(rows), of_pair)]
    for rank in range(2, KEPT + 1):
        is_next = sa.exists().where(ahead.provider_account_id == table.provider_account_id, ahead.rank == rank - 1)
        behind = sa.update(table).where(table.provider_account_id.in_(rows), table.rank == rank, ~is_next)
        statements.append(behind.values(rank=rank - 1))
    return tuple(statements)


def make_candidates(service: Service, progress: Progress) -> int:
    """Make the candidates that are due, in transactions of some hundred rows; return for how many rows."""
    made = 0
    _forget_decided(service)
    while ids := _next_due(service):
        progress.check()
        with service.store.read() as connection:
            version = version_now(connection)
            with service.accounts.read_up_to_now(connection, progress.beat) as suggester:
                found = suggest(connection, suggester, ids)
        with service.store.write() as connection:
            _store(connection, ids, found, version)
            made += len(ids)
            progress.report(connection, message=f"Candidates for {made:,} provider accounts")
    return made


def suggest(
    connection: sa.Connection, suggester: Suggester, provider_account_ids: Sequence[int]
) -> Mapping[int, list[Candidate]]:
    """Compute the candidates of these provider accounts, the likeliest first."""
    subjects = _subjects(connection, provider_account_ids)
    evidence = evidence_of(connection, read_policy(connection), provider_account_ids)
    rejected = _rejected(connection, provider_account_ids)
    elsewhere = _mapped_elsewhere(connection, provider_account_ids)
    doubted = _doubted(connection, provider_account_ids)
    nothing: Mapping[int, tuple[Evidence, ...]] = {}
    return {
        one: suggester.suggest(
            subject,
            evidence.get(one, nothing),
            rejected=frozenset(rejected.get(one, ())),
            mapped_elsewhere=elsewhere.get(one),
            first=doubted.get(one),
            limit=KEPT,
        )
        for one, subject in subjects.items()
    }


def _forget_decided(service: Service) -> None:
    """Most rows that were open when candidates were asked for are mapped by the time they would be made."""
    with service.store.write() as connection:
        connection.execute(_FORGET_DECIDED)


def _next_due(service: Service) -> list[int]:
    with service.store.read() as connection:
        return list(connection.scalars(_NEXT_DUE))


_IS_OPEN = sa.exists().where(
    t.Worklist.provider_account_id == t.SuggestDue.provider_account_id, t.Worklist.status.in_(OPEN)
)
_FORGET_DECIDED = sa.delete(t.SuggestDue).where(~_IS_OPEN)
_NEXT_DUE = sa.select(t.SuggestDue.provider_account_id).order_by(t.SuggestDue.provider_account_id).limit(_BATCH)


def _subjects(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Subject]:
    of_domains, of_rows = _asking_for_subjects()
    domains: dict[int, list[str]] = {}
    for row in connection.execute(of_domains, {"ids": ids}):
        domains.setdefault(row.provider_account_id, []).append(row.domain)
    return {
        row.id: Subject(row.name, tuple(domains.get(row.id, ())), row.country, row.tenant_guid)
        for row in connection.execute(of_rows, {"ids": ids})
    }


@functools.cache
def _asking_for_subjects() -> tuple[sa.Select[int, str], sa.Select[int, str, str, str]]:
    pad, pa = t.ProviderAccountDomain, t.ProviderAccount
    own = (pad.provider_account_id.in_(IDS), pad.kind == DomainKind.OWN_NAME, pad.is_verified)
    return (
        sa.select(pad.provider_account_id, pad.domain).where(*own).order_by(pad.domain),
        sa.select(pa.id, pa.name, pa.country, pa.tenant_guid).where(pa.id.in_(IDS)),
    )


def _rejected(connection: sa.Connection, ids: Sequence[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for row in connection.execute(_REJECTED, {"ids": ids}):
        found.setdefault(row.provider_account_id, set()).add(row.account_id)
    return found


_REJECTED = sa.select(t.Rejection.provider_account_id, t.Rejection.account_id).where(
    t.Rejection.provider_account_id.in_(IDS)
)


def _doubted(connection: sa.Connection, ids: Sequence[int]) -> dict[int, int]:
    """The account that would have been mapped, had a guard not held it back: row -> account."""
    rows = connection.execute(_DOUBTED, {"ids": ids})
    return {row_id: account_id for row_id, account_id in rows if account_id is not None}


_DOUBTED = sa.select(t.CurrentProposal.provider_account_id, t.CurrentProposal.account_id).where(
    t.CurrentProposal.provider_account_id.in_(IDS), t.CurrentProposal.reason.in_([guard.value for guard in Guard])
)


def _mapped_elsewhere(connection: sa.Connection, ids: Sequence[int]) -> dict[int, dict[int, str]]:
    """Where the same customer, by tenant GUID or own domain, is mapped at another provider: row -> account -> name."""
    found: dict[int, dict[int, str]] = {}
    for query in _asking_elsewhere():
        for row_id, account_id, provider in connection.execute(query, {"ids": ids}):
            found.setdefault(row_id, {})[account_id] = provider
    return found


@functools.cache
def _same_customers() -> tuple[sa.Select[int, int], ...]:
    """Select (mine, theirs), by tenant GUID and by own domain."""
    mine, theirs = _MINE, _THEIRS
    my_domain, their_domain = sa.orm.aliased(t.ProviderAccountDomain), sa.orm.aliased(t.ProviderAccountDomain)
    elsewhere = theirs.provider_id != mine.provider_id
    by_guid = sa.select(mine.id, theirs.id).join_from(mine, theirs, theirs.tenant_guid == mine.tenant_guid)
    by_domain = (
        sa.select(mine.id, theirs.id)
        .join_from(mine, my_domain, my_domain.provider_account_id == mine.id)
        .join(their_domain, their_domain.domain == my_domain.domain)
        .join(theirs, theirs.id == their_domain.provider_account_id)
        .where(
            my_domain.kind == DomainKind.OWN_NAME,
            ~sa.exists().where(t.ListedDomain.domain == my_domain.domain),
        )
    )
    return by_guid.where(mine.tenant_guid != "", elsewhere), by_domain.where(elsewhere)


@functools.cache
def _asking_elsewhere() -> tuple[sa.Select[int, int, str], ...]:
    return tuple(
        query.with_only_columns(_MINE.id, t.Mapping.account_id, t.Provider.name)
        .join(t.Mapping, t.Mapping.provider_account_id == _THEIRS.id)
        .join(t.Provider, t.Provider.id == _THEIRS.provider_id)
        .where(_MINE.id.in_(IDS))
        for query in _same_customers()
    )


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _elsewhere(which: sa.Select[int]) -> sa.Select[int]:
    found = (query.with_only_columns(_MINE.id).where(_THEIRS.id.in_(which)) for query in _same_customers())
    return sa.select(sa.union(*found).subquery().c[0])


def _store(
    connection: sa.Connection, ids: Sequence[int], found: Mapping[int, Sequence[Candidate]], version: int
) -> None:
    connection.execute(_FORGET_CANDIDATES, {"ids": ids})
    rows = [
        (row_id, rank, one.account_id, round(one.score, 4), _signals(one), version)
        for row_id, candidates in found.items()
        for rank, one in enumerate(candidates, start=1)
    ]
    columns = ("provider_account_id", "rank", "account_id", "score", "signals", "version")
    upsert(connection, t.CurrentCandidate, columns, rows)
    connection.execute(_FORGET_DUE, {"ids": ids, "made_at": version})


_FORGET_CANDIDATES = sa.delete(t.CurrentCandidate).where(t.CurrentCandidate.provider_account_id.in_(IDS))
_FORGET_DUE = sa.delete(t.SuggestDue).where(
    t.SuggestDue.provider_account_id.in_(IDS), t.SuggestDue.version <= sa.bindparam("made_at")
)
"""What was asked for meanwhile stays due."""


def _signals(candidate: Candidate) -> str:
    return json.dumps([[one.name, round(one.weight, 3), one.text] for one in candidate.signals], ensure_ascii=False)
