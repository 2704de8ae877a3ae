"""Write many rows at once, by the fastest portable way of each database.

Rows are plain tuples: SQLAlchemy's dictionaries cost 1.4 times the driver's own time, multi-row VALUES fifteen times.
SQLite gets `executemany` with an upsert, PostgreSQL `COPY` into a temporary table and one `INSERT … SELECT`; for a few
rows that is more round trips than `executemany`, which sends them all before it waits.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from w365.store.tables import Base, UtcTime

CHUNK = 5_000

_FEW = 20

_STAGES = "w365_stages"
"""In what SQLAlchemy keeps with a connection: which stages its present transaction has used."""

Row = tuple[Any, ...]


def upsert(
    connection: sa.Connection,
    table: type[Base],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    keep: tuple[str, ...] = (),
) -> None:
    """Insert rows, or bring those with the same primary (or unique) key to the new values, but for `keep`.

    Rows that hold these values already are not written again.
    """
    if not rows:
        return
    target = table.__table__
    assert isinstance(target, sa.Table)  # noqa: S101 - for the type checker
    plan = _plan(target, tuple(columns), keep, connection.dialect.name)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(plan.each, _for_sqlite(rows, plan.times))
    elif len(rows) <= _FEW:
        connection.exec_driver_sql(plan.each, list(rows))
    else:
        _empty_stage(connection, plan)
        cursor = connection.connection.cursor()
        with cursor.copy(plan.copy) as copy:
            for row in rows:
                copy.write_row(row)
        connection.exec_driver_sql(plan.merge)


def _empty_stage(connection: sa.Connection, plan: _Plan) -> None:
    """Make the stage, which stays with its connection, or empty it where this transaction used it before.

    To make and drop one for each page cost more than all its round trips, and swells the server's catalogue.
    """
    transaction = connection.get_transaction()
    last, used = connection.info.get(_STAGES) or (None, set[str]())
    if last is None or last() is not transaction:
        used = set[str]()
        connection.info[_STAGES] = weakref.ref(transaction), used
    connection.exec_driver_sql(plan.empty if plan.stage in used else plan.stage)
    used.add(plan.stage)


def count_for_planner(connection: sa.Connection, table: type[Base]) -> None:
    """Tell PostgreSQL's planner how many rows a table holds just now.

    By its last count of a table that held many it may read all of another one for a hundred rows, and by that of an
    empty one look up a million rows one by one.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {table.__tablename__}")


def upsert_into(dialect: str, table: sa.FromClause) -> postgresql.Insert:
    """An INSERT with ON CONFLICT; both dialects have the same methods."""
    assert isinstance(table, sa.Table)  # noqa: S101 - for the type checker
    if dialect == "sqlite":
        return sqlite.insert(table)  # type: ignore[return-value] # same interface
    return postgresql.insert(table)


def write_differing(
    dialect: str, table: type[Base], columns: Sequence[str], rows: sa.Select[*tuple[Any, ...]]
) -> postgresql.Insert:
    """Insert the rows of a selection, the first column being the key; what is there with these values is not written.

    PostgreSQL locks every row that an INSERT runs into, which writes its page: there, such rows do not even get so far.
    """
    made, values = rows.subquery("made"), columns[1:]
    same = sa.exists().where(
        getattr(table, columns[0]) == made.c[0],
        *(getattr(table, name).is_not_distinct_from(made.c[index]) for index, name in enumerate(values, 1)),
    )
    # Without a WHERE, SQLite would read ON CONFLICT as a join's condition.
    wanted = sa.select(made).where(sa.true() if dialect == "sqlite" else ~same)
    new = upsert_into(dialect, table.__table__).from_select(columns, wanted)
    differs = sa.or_(*(getattr(table, name).is_distinct_from(new.excluded[name]) for name in values))
    return new.on_conflict_do_update(
        index_elements=[columns[0]],
        set_={name: new.excluded[name] for name in values},
        where=differs if dialect == "sqlite" else None,
    )


def chunks(values: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """Cut into lists of at most `size`, so that an `IN` stays below every driver's limit."""
    rest = iter(values)
    while part := list(itertools.islice(rest, size)):
        yield part


@dataclass(frozen=True, slots=True)
class _Plan:
    """Statements that upsert a row, or make a stage, fill it, merge it and empty it; and which columns are moments."""

    each: str
    times: tuple[int, ...]
    stage: str = ""
    copy: str = ""
    merge: str = ""
    empty: str = ""


@functools.cache
def _plan(table: sa.Table, columns: tuple[str, ...], keep: tuple[str, ...], dialect: str) -> _Plan:
    names = [str(table.c[column].name) for column in columns]
    key = _key(table, columns)
    listed = ", ".join(names)
    values = [name for name in names if name not in key and name not in keep]
    on_conflict = f"ON CONFLICT ({', '.join(key)}) "
    on_conflict += (
        "DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in values)
        + " WHERE "
        + " OR ".join(_differs(f"{table.name}.{name}", f"excluded.{name}", dialect) for name in values)
        if values
        else "DO NOTHING"
    )
    times = tuple(index for index, column in enumerate(columns) if isinstance(table.c[column].type, UtcTime))
    mark = "?" if dialect == "sqlite" else "%s"
    each = f"INSERT INTO {table.name} ({listed}) VALUES ({', '.join([mark] * len(names))}) {on_conflict}"
    if dialect == "sqlite":
        return _Plan(each, times)
    stage = f"stage_{table.name}_{abs(hash(columns)) % 10**6}"
    as_empty = f"AS SELECT {listed} FROM {table.name} WITH NO DATA"
    return _Plan(
        each,
        times,
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS {as_empty}",
        f"COPY {stage} ({listed}) FROM STDIN",
        f"INSERT INTO {table.name} ({listed}) SELECT {listed} FROM {stage} {on_conflict}",
        f"TRUNCATE {stage}",
    )


def _key(table: sa.Table, columns: tuple[str, ...]) -> list[str]:
    """The primary key where it is given, else the unique constraint whose columns are."""
    unique = [constraint for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)]
    candidates = [[column.name for column in one.columns] for one in (table.primary_key, *unique)]
    given = {str(table.c[column].name) for column in columns}
    return next(key for key in candidates if set(key) <= given)


def _differs(left: str, right: str, dialect: str) -> str:
    return f"{left} IS NOT {right}" if dialect == "sqlite" else f"{left} IS DISTINCT FROM {right}"


def _for_sqlite(rows: Sequence[Row], times: tuple[int, ...]) -> Sequence[Row]:
    """Turn the moments into text, a column at a time. A page's rows share theirs: to format each cost as writing."""
    if not times:
        return rows
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for index in times:
        columns[index] = map(_stamp, columns[index])
    return list(zip(*columns, strict=True))


@functools.lru_cache(maxsize=4096)
def _stamp(value: dt.datetime | None) -> str | None:
    return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if value is not None else None
