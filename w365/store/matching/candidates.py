"""The candidates that are kept: for which rows new ones are asked, what is stored, and what is suggested no more."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from w365.model import OPEN
from w365.store import tables as t
from w365.store.db.bound_ids import IDS, NAMES
from w365.store.db.bulk_insert import chunks, upsert, upsert_into
from w365.store.matching.change_sequence import next_version
from w365.store.matching.evidence import KEPT_STATEMENTS, NO_VALUES, THOSE, Values
from w365.store.matching.relations import MINE, THEIRS, same_customers

if TYPE_CHECKING:
    from w365.matching.candidates import Candidate  # with numpy, which most commands do without

KEPT = 5
_BATCH = 200
_MOST_SHARING = 200

# --- asked for anew ---

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


@contextmanager
def ordering_elsewhere(connection: sa.Connection, provider_account_ids: Sequence[int]) -> Iterator[None]:
    """Around a change of what tells who these rows are: ask for those that were the same customer, and that now are."""
    _order_elsewhere_of(connection, provider_account_ids)
    yield
    _order_elsewhere_of(connection, provider_account_ids)


def _order_elsewhere_of(connection: sa.Connection, provider_account_ids: Sequence[int]) -> None:
    for part in chunks(provider_account_ids):
        order_elsewhere(connection, THOSE, {"ids": part})


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _ordering(dialect: str, which: sa.Select[int]) -> tuple[sa.Select[int], sa.Insert]:
    work, version = t.Worklist, sa.bindparam("asked", type_=t.Id)
    is_meant = (work.provider_account_id.in_(which), work.status.in_(OPEN))
    is_any = sa.select(work.provider_account_id).where(*is_meant).limit(1)
    ids = sa.select(work.provider_account_id, version).where(*is_meant)
    insert = upsert_into(dialect, t.SuggestDue.__table__).from_select(["provider_account_id", "version"], ids)
    return is_any, insert.on_conflict_do_update(index_elements=["provider_account_id"], set_={"version": version})


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _elsewhere(which: sa.Select[int]) -> sa.Select[int]:
    rows = (pairs.with_only_columns(MINE.id).where(THEIRS.id.in_(which)) for pairs in same_customers())
    return sa.select(sa.union(*rows).subquery().c[0])


def order_by_words(connection: sa.Connection, words: Iterable[str]) -> None:
    """Ask for new candidates for the open rows with one of these words or signs, if it tells customers apart.

    A word that more customers have than `_MOST_SHARING` is none: it hardly counts, and would ask for half of them.
    """
    for part in chunks(sorted(words)):
        order_candidates(connection, _with_words(), {"names": part})


@functools.cache
def _with_words() -> sa.Select[int]:
    ours = t.Word
    mine = sa.select(ours.word).where(ours.subject == t.PROVIDER_ACCOUNT, ours.word.in_(NAMES))
    telling = mine.group_by(ours.word).having(sa.func.count() <= _MOST_SHARING)
    return sa.select(ours.id).where(ours.subject == t.PROVIDER_ACCOUNT, ours.word.in_(telling)).distinct()


@functools.cache
def rows_suggesting() -> sa.Select[int]:
    """Select the provider accounts that have one of the accounts with these `ids` as a candidate."""
    candidate = t.CurrentCandidate
    return sa.select(candidate.provider_account_id).where(candidate.account_id.in_(IDS))


# --- made and stored ---


def forget_decided(connection: sa.Connection) -> None:
    """Ask no more for rows that are not open: most that were when they were asked for are mapped meanwhile."""
    connection.execute(_FORGET_DECIDED)


def read_due(connection: sa.Connection) -> list[int]:
    """Read for which rows candidates are to be made next, some hundred at most."""
    return list(connection.scalars(_NEXT_DUE))


_IS_OPEN = sa.exists().where(
    t.Worklist.provider_account_id == t.SuggestDue.provider_account_id, t.Worklist.status.in_(OPEN)
)
_FORGET_DECIDED = sa.delete(t.SuggestDue).where(~_IS_OPEN)
_NEXT_DUE = sa.select(t.SuggestDue.provider_account_id).order_by(t.SuggestDue.provider_account_id).limit(_BATCH)


def replace_candidates(
    connection: sa.Connection, ids: Sequence[int], made: Mapping[int, Sequence[Candidate]], version: int
) -> None:
    """Store what was made of these rows up to a version, the likeliest first; what was asked for since stays due."""
    connection.execute(_FORGET_CANDIDATES, {"ids": ids})
    rows = [
        (row_id, rank, candidate.account_id, round(candidate.score, 4), _signals(candidate), version)
        for row_id, candidates in made.items()
        for rank, candidate in enumerate(candidates, start=1)
    ]
    columns = ("provider_account_id", "rank", "account_id", "score", "signals", "version")
    upsert(connection, t.CurrentCandidate, columns, rows)
    # Not what was asked for meanwhile: that has a larger version.
    connection.execute(_FORGET_DUE, {"ids": ids, "made_at": version})


_FORGET_CANDIDATES = sa.delete(t.CurrentCandidate).where(t.CurrentCandidate.provider_account_id.in_(IDS))
_FORGET_DUE = sa.delete(t.SuggestDue).where(
    t.SuggestDue.provider_account_id.in_(IDS), t.SuggestDue.version <= sa.bindparam("made_at")
)


def _signals(candidate: Candidate) -> str:
    signals = [[signal.name, round(signal.weight, 3), signal.text] for signal in candidate.signals]
    return json.dumps(signals, ensure_ascii=False)


# --- suggested no more ---


def drop_candidates(connection: sa.Connection, pairs: sa.Select[int, int], values: Values = NO_VALUES) -> None:
    """Suggest these accounts no more, for these (provider account, account); those behind them move up."""
    drop, *move_up = _dropping(pairs)
    connection.execute(drop, values or None)
    for behind in move_up:
        connection.execute(behind, values or None)


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _dropping(pairs: sa.Select[int, int]) -> tuple[sa.Delete | sa.Update, ...]:
    table, ahead, dropped = t.CurrentCandidate, sa.orm.aliased(t.CurrentCandidate), pairs.subquery()
    rows = sa.select(dropped.c[0])
    of_pair = sa.exists().where(dropped.c[0] == table.provider_account_id, dropped.c[1] == table.account_id)
    statements: list[sa.Delete | sa.Update] = [sa.delete(table).where(table.provider_account_id.in_(rows), of_pair)]
    for rank in range(2, KEPT + 1):
        # Rank by rank from the front, so that several gaps close one after the other.
        is_next = sa.exists().where(ahead.provider_account_id == table.provider_account_id, ahead.rank == rank - 1)
        behind = sa.update(table).where(table.provider_account_id.in_(rows), table.rank == rank, ~is_next)
        statements.append(behind.values(rank=rank - 1))
    return tuple(statements)


def read_candidates(connection: sa.Connection, row: int) -> tuple[Mapping[str, Any], ...]:
    """Read what is suggested for a row, to be put back by `put_candidates`."""
    table = t.CurrentCandidate.__table__
    kept = connection.execute(sa.select(table).where(table.c.provider_account_id == row)).mappings()
    return tuple(map(dict, kept))


def put_candidates(connection: sa.Connection, row: int, candidates: Sequence[Mapping[str, Any]]) -> None:
    table = t.CurrentCandidate
    connection.execute(sa.delete(table).where(table.provider_account_id == row))
    if candidates:
        connection.execute(sa.insert(table), candidates)
