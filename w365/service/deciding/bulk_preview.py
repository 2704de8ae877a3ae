"""Bulk: one action on the rows a person selected, or on all rows of a filter, previewed first (feature C5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from w365.errors import InputError
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.deciding.bulk_actions import ACTIONS
from w365.service.deciding.bulk_run import PlanPreview, freeze_plan
from w365.store.deciding.decisions import Who
from w365.store.deciding.planning import select_planned
from w365.store.reading.worklist import Filter

MOST_SELECTED = 5_000
"""Rows that can be named one by one; more are chosen by a filter."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows: these ids, or all of a filter where there is one."""

    ids: tuple[int, ...] = ()
    criteria: Filter | None = None


@needs(Role.ANALYST)
def preview_bulk(
    service: Service, actor: Actor, chosen: Selection, action: str, detail: Mapping[str, Any] | None = None
) -> PlanPreview:
    """Freeze what an action would change, and say what it leaves and why. Nothing is changed yet.

    `detail` is what the action asks for. Raises InputError and NotFound for what cannot be used of it.
    """
    known = ACTIONS.get(action)
    if known is None or known.plan is None or known.say is None:
        raise InputError(f"There is no bulk action “{action[:40]}”.", kept="Nothing was changed.")
    entered = {name: _tidy(value) for name, value in (detail or {}).items()}
    _check_amount(chosen)
    with service.store.write() as connection:
        title = known.say(connection, entered, service.clock().date())
        rows = select_planned(known.plan(entered), chosen.ids, chosen.criteria)
        return freeze_plan(connection, Who(actor.name, service.clock()), action, title=title, detail=entered, rows=rows)


def _check_amount(chosen: Selection) -> None:
    if chosen.criteria is None and len(chosen.ids) > MOST_SELECTED:
        raise InputError(
            f"At most {MOST_SELECTED:,} rows can be selected one by one.",
            kept="Nothing was changed.",
            do="Choose all rows of a filter instead.",
        )


def _tidy(entered: Any) -> Any:
    return " ".join(entered.replace("\0", "").split()) if isinstance(entered, str) else entered
