"""Undo in Activity: a decision or a run is chosen in its table, and taken back after a preview."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from w365.matching.messages import DECISION_WORDS
from w365.model import Role
from w365.service.deciding.undo import DECIDING, Undoable, last_decision
from w365.store.insight.owner_changes import OwnerChangeView
from w365.store.reading.decision_log import DecisionView
from w365.store.runs import RunView
from w365.ui.deciding.bulk.dialog import ask_undo
from w365.ui.frame.page_context import PageContext

T = TypeVar("T")

_HEIGHT = 580
"""Pixels of the table."""
_FEW = 16
"""Up to so many rows it is only as high as they are."""


def show_undoable(
    context: PageContext,
    listed: Sequence[T],
    rows: Sequence[Mapping[str, Any]],
    key: str,
    columns: Mapping[str, Any],
    name: str,
    offer: Callable[[T | None], None],
) -> None:
    """Show what is listed as a table, and above it what `offer` says of the row chosen in it; viewers only look."""
    height = _HEIGHT if len(rows) > _FEW else "content"
    options: dict[str, Any] = {"hide_index": True, "column_config": columns, "height": height, "alt": name}
    above = st.container(horizontal=True, vertical_alignment="center", height=42, border=False)
    if context.actor.role < Role.ANALYST:
        st.dataframe(rows, **options)
        return
    chosen = st.dataframe(rows, key=key, on_select="rerun", selection_mode="single-row", **options)
    places: list[int] = chosen["selection"]["rows"]
    with above:
        offer(listed[places[0]] if places and places[0] < len(listed) else None)


def offer_undo_last(context: PageContext) -> None:
    if context.actor.role < Role.ANALYST:
        return
    last = last_decision(context.service, context.actor)
    if st.button("Undo my last…", disabled=last is None, help="Takes back what you decided last") and last:
        _ask(last, "Undo: your last decision")


def offer_undo_of_decision(decision: DecisionView | None) -> None:
    """Offer to take the chosen decision back, and the run it belongs to."""
    if decision is None:
        st.caption("Choose a row to take its decision back.")
        return
    if st.button("Undo this decision…"):
        _ask(Undoable(decision_id=decision.id), f"Undo: {DECISION_WORDS[decision.kind]}, {decision.provider_account}")
    if decision.run_id is not None and st.button(f"Undo all of run {decision.run_id}…"):
        _ask(Undoable(run_id=decision.run_id), f"Undo: run {decision.run_id}")


def offer_undo_of_owners(change: OwnerChangeView | None) -> None:
    """Offer to take the run of the chosen change back; a single one is changed in its record."""
    if change is None:
        st.caption("Choose a change of many rows to take it back.")
    elif change.run_id is None:
        st.caption("The record of the row changes its owner.")
    elif st.button(f"Undo all of run {change.run_id}…", key="undo-owners"):
        _ask(Undoable(run_id=change.run_id), f"Undo: run {change.run_id}")


def offer_undo_of_run(run: RunView | None) -> None:
    if run is None:
        st.caption("Choose a match, bulk action or undo to take back all that it decided.")
    elif run.kind not in DECIDING:
        st.caption(f"Run {run.id} decided nothing.")
    elif st.button(f"Undo all of run {run.id}…", disabled=run.is_active):
        _ask(Undoable(run_id=run.id), f"Undo: run {run.id}")


def _ask(what: Undoable, title: str) -> None:
    ask_undo(what, title)
    st.rerun()
