"""The history of a row in its record: each decision, and beside the one that holds the button that takes it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

import streamlit as st

from w365.model import DecisionKind
from w365.service.deciding.mapping import Decided
from w365.service.deciding.undo import can_take_back, take_back_now
from w365.store.deciding.undoable import NOT_UNDONE
from w365.store.reading.decision_log import DecisionView
from w365.ui.deciding.record.decide import Decider
from w365.ui.deciding.record.words import say_decision, say_since, say_when
from w365.ui.frame.wording import counted, local_zone, plain


def show_history(decider: Decider) -> None:
    history = decider.record.history
    # The key keeps it open when a decision is taken back and the number in its label changes.
    with st.expander(f"History: {counted(len(history), 'decision')}", key=f"history-{decider.record.row.id}"):
        zone = local_zone()
        context = decider.context
        holding = (
            can_take_back(context.service, context.actor, decider.record.row.id) if decider.may and history else ()
        )
        for place, decision in enumerate(history):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                _show_decision(
                    decision, _later(history, place), zone, is_held=decision.id in holding or not decider.may
                )
                if decision.id in holding:
                    label = "Redo" if decision.kind is DecisionKind.UNDO else "Undo"
                    decider.button(label, f"undo-{decision.id}", partial(_take_back, decider, decision.id))


def _show_decision(decision: DecisionView, later: DecisionView | None, zone: dt.tzinfo, *, is_held: bool) -> None:
    lines = [f"**{plain(say_decision(decision))}**", f":small[{plain(say_when(decision, zone))}]"]
    lines += [f":gray[:small[{plain(fact)}]]" for fact in decision.evidence]
    if later is not None and decision.kind not in NOT_UNDONE and not is_held:
        lines.append(f":gray[:small[{plain(say_since(decision, later, zone))}]]")
    st.markdown("  \n".join(lines))


def _later(history: Sequence[DecisionView], place: int) -> DecisionView | None:
    """The decision that came next; the history begins with the latest one."""
    return next((decision for decision in reversed(history[:place]) if decision.kind not in NOT_UNDONE), None)


def _take_back(decider: Decider, decision: int, _seen: int) -> Decided:
    """Whether it still holds is what decides here, not the version: deciding again elsewhere is what ends that."""
    row = take_back_now(decider.context.service, decider.context.actor, decision)
    return Decided(row.version, row, DecisionKind.UNDO)
