"""Owners of many rows at once, and which changes of owners can be taken back.

An owner is no decision: its version is the latest change of owners of its row, and deciding a row does not move it.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from w365.model import RunKind
from w365.store import tables as t
from w365.store.deciding.batch import Rows
from w365.store.deciding.decisions import Who
from w365.store.matching.evidence import Values


def owner_version(of: type[t.Worklist | t.OwnerChange]) -> sa.ScalarSelect[int]:
    """Select the id of the latest change of a row's owner; 0 where nobody ever changed it."""
    change = sa.orm.aliased(t.OwnerChange)
    query = sa.select(sa.func.coalesce(sa.func.max(change.id), 0))
    query = query.where(change.provider_account_id == of.provider_account_id)
    return query.correlate(of).scalar_subquery()  # from however deep it is asked


def give_rows(connection: sa.Connection, who: Who, owner: str, rows: Rows, values: Values) -> Values:
    """Give each row to a person, or to nobody; return what `given_rows` asks for."""
    row = rows.subquery("rows")
    return _append(connection, who, sa.select(row.c.provider_account_id, sa.literal(owner), _NOTHING, _NOTHING), values)


def give_back_rows(connection: sa.Connection, who: Who, rows: Rows, values: Values) -> Values:
    """Take each row's change back: whoever had it before has it again; return what `given_rows` asks for."""
    undone, row = t.OwnerChange, rows.subquery("rows")
    back = sa.select(row.c.provider_account_id, undone.old_owner, row.c.undoes_id, row.c.restores_id)
    return _append(connection, who, back.join(undone, undone.id == row.c.undoes_id), values)


def old_owners(connection: sa.Connection, changes: Iterable[int]) -> dict[int, str]:
    """Say who had the rows before these changes."""
    change = t.OwnerChange
    query = sa.select(change.provider_account_id, change.old_owner).where(change.id.in_(list(changes)))
    return {row.provider_account_id: row.old_owner for row in connection.execute(query)}


@functools.cache
def given_rows() -> sa.Select[int]:
    """Select the rows whose owner was changed `after` a given change."""
    return sa.select(t.OwnerChange.provider_account_id).where(_IS_MADE)


@functools.cache
def owner_targets() -> sa.Select[*tuple[Any, ...]]:
    """Select what undoing the changes of owners of the `undone` run would change, in columns of `targets_of_run`."""
    change, before = t.OwnerChange, sa.orm.aliased(t.OwnerChange)
    latest = owner_version(change)
    earlier = sa.select(sa.func.coalesce(sa.func.max(before.id), 0)).where(
        before.provider_account_id == change.provider_account_id, before.id < change.id
    )
    holds = sa.or_(latest == change.id, sa.and_(change.undoes_id.is_(None), _outcome(latest) == change.id))
    return sa.select(
        change.provider_account_id,
        latest.label("version"),
        _NOTHING.label("account_id"),
        change.id.label("undoes_id"),
        _outcome(earlier.correlate(change).scalar_subquery()).label("restores_id"),
        sa.case((holds, sa.literal("")), else_=sa.literal("changed")).label("why_left"),
    ).where(change.run_id == sa.bindparam("undone"))


def last_given(connection: sa.Connection, actor: str) -> sa.Row[int | None, dt.datetime] | None:
    """The (run, time) in which a person last gave many rows away and has not taken it back."""
    return connection.execute(_last_given(), {"who": actor}).one_or_none()


@functools.cache
def _last_given() -> sa.Select[int | None, dt.datetime]:
    change, run = t.OwnerChange, t.Run
    same_run, undo, again = (sa.orm.aliased(t.OwnerChange) for _ in range(3))
    stands = ~sa.exists().where(again.undoes_id == undo.id)
    is_undone = sa.exists().where(same_run.run_id == change.run_id, undo.undoes_id == same_run.id, stands)
    query = sa.select(change.run_id, change.at).join(run, run.id == change.run_id)
    query = query.where(change.actor == sa.bindparam("who"), run.kind == RunKind.BULK, ~is_undone)
    return query.order_by(change.id.desc()).limit(1)


_NOTHING = sa.cast(sa.null(), t.Id)


def _outcome(change_id: sa.ScalarSelect[int]) -> sa.ColumnElement[int]:
    restored = sa.orm.aliased(t.OwnerChange)
    known = sa.select(restored.restores_id).where(restored.id == change_id).scalar_subquery()
    return sa.func.coalesce(known, change_id)


def _append(connection: sa.Connection, who: Who, rows: sa.Select[*tuple[Any, ...]], asked: Values) -> Values:
    """Append a change for each of these (provider account, owner, undone, restored), and make it."""
    new, held, change = rows.subquery("given"), t.Ownership, t.OwnerChange
    made = {"after": connection.scalar(sa.select(sa.func.max(change.id))) or 0}
    row, owner, undoes, restores = new.c
    values: dict[str, sa.SQLColumnExpression[Any]] = {
        "provider_account_id": row,
        "at": sa.literal(who.at, t.UtcTime()),
        "actor": sa.literal(who.name),
        "run_id": sa.literal(who.run_id, t.Id),
        "old_owner": sa.func.coalesce(held.owner, ""),
        "owner": owner,
        "undoes_id": undoes,
        "restores_id": restores,
    }
    given = sa.select(*values.values()).outerjoin_from(new, held, held.provider_account_id == row)
    connection.execute(sa.insert(change).from_select(list(values), given.order_by(row)), asked)
    connection.execute(sa.delete(held).where(held.provider_account_id.in_(given_rows())), made)
    now = sa.select(change.provider_account_id, change.owner).where(_IS_MADE, change.owner != "")
    connection.execute(sa.insert(held).from_select(["provider_account_id", "owner"], now), made)
    return made


_IS_MADE = t.OwnerChange.id > sa.bindparam("after", type_=t.Id)
