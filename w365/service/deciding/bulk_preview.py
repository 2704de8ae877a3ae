"""Bulk: one action on the rows a person selected, or on all rows of a filter, previewed first (feature C5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import InputError
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import require
from w365.service.deciding.bulk_actions import ACTIONS, Planned
from w365.service.deciding.bulk_run import Preview, read_preview
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.deciding import plans
from w365.store.reading.worklist import Filter, is_among

MOST_SELECTED = 5_000
"""Rows that can be named one by one; more are chosen by a filter."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rows: these ids, or all of a filter when there are none."""

    ids: tuple[int, ...] = ()
    wanted: Filter | None = None

    def where(self) -> sa.ColumnElement[bool]:
        if self.wanted is not None:
            return is_among(self.wanted)
        if len(self.ids) > MOST_SELECTED:
            raise InputError(
                f"At most {MOST_SELECTED:,} rows can be selected one by one.",
                kept="Nothing was changed.",
                do="Choose all rows of a filter instead.",
            )
        return t.Worklist.provider_account_id.in_(self.ids)


def preview_bulk(
    service: Service, actor: Actor, chosen: Chosen, action: str, detail: Mapping[str, Any] | None = None
) -> Preview:
    """Freeze what an action would change, and say what it leaves and why. Nothing is changed yet.

    `detail` is what the action asks for. Raises InputError and NotFound for what cannot be used of it.
    """
    require(actor, Role.ANALYST)
    known = ACTIONS.get(action)
    if known is None or known.plan is None or known.say is None:
        raise InputError(f"There is no bulk action “{action[:40]}”.", kept="Nothing was changed.")
    entered = {name: _tidy(one) for name, one in (detail or {}).items()}
    with service.store.write() as connection:
        said = known.say(connection, entered, service.clock().date())
        plan_id = plans.add_plan(
            connection,
            actor.name,
            service.clock(),
            action,
            said=said,
            detail=entered,
            rows=_rows(chosen, known.plan(entered)),
        )
        plans.leave_changed(connection, read_policy(connection), plan_id, must_be_active=True, log=known.log)
        return read_preview(connection, plan_id)


def _tidy(entered: Any) -> Any:
    return " ".join(entered.replace("\0", "").split()) if isinstance(entered, str) else entered


def _rows(chosen: Chosen, planned: Planned) -> sa.Select[*tuple[Any, ...]]:
    work, nothing = t.Worklist, sa.cast(sa.null(), t.Id)
    why = sa.case(*((when, sa.literal(word)) for when, word in planned.whys), else_=sa.literal(""))
    account = nothing if planned.account is None else planned.account
    return sa.select(
        work.provider_account_id,
        (work.version if planned.version is None else planned.version).label("version"),
        account.label("account_id"),
        nothing.label("undoes_id"),
        nothing.label("restores_id"),
        why.label("why_left"),
    ).where(chosen.where())
