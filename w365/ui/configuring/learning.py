"""What was learned from decisions: the switch, what it is worth, and how to take it back."""

from __future__ import annotations

import streamlit as st

from w365.model import Role
from w365.service.configuring.settings import set_setting
from w365.service.matching.learning import FEWEST_DECISIONS, Learning, read_learning, request_learning, withdraw_weights
from w365.store.configuring.settings import SPECS
from w365.store.matching.learned_weights import USES_LEARNED, LearnedView
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time
from w365.ui.frame.runs import start_run
from w365.ui.frame.wording import counted, full_time, local_zone, number

_TELLING = 0.1
"""By so much, as a part, the weight of a signal has to differ to be shown."""


def show_learning(context: PageContext) -> None:
    """Show what is in use, switch it on or off, learn anew, and take what was learned back."""
    learning = read_learning(context.service, context.actor)
    may = context.actor.role >= Role.ADMIN
    is_on = st.toggle(f"{SPECS[USES_LEARNED].meaning}", learning.is_on, disabled=not may, key=f"learn-{learning.is_on}")
    if is_on != learning.is_on:
        set_setting(context.service, context.actor, USES_LEARNED, "true" if is_on else "false")
        say_next_time("Candidates are made anew by the next match.")
        st.rerun()
    st.markdown(say_learning(learning))
    st.caption(
        "Weights order candidates and say how likely each is. They never map: Auto-Match goes by its rules alone."
    )
    with st.container(horizontal=True):
        if may and st.button("Learn from decisions"):
            start_run(lambda: request_learning(context.service, context.actor))
        if may and learning.used and st.button("Back to what was before"):
            withdraw_weights(context.service, context.actor, learning.used.id)
            say_next_time("These weights are used no more. Candidates are made anew by the next match.")
            st.rerun()
    if learning.history:
        _show_history(learning)


def say_learning(learning: Learning) -> str:
    """Say which weights are in use, from how many decisions, and what they are worth on those held out."""
    if learning.used:
        return f"Learned from {_say_worth(learning.used)}."
    if not learning.is_on:
        return "The delivered weights are in use: learned ones are switched off."
    if learning.history:
        return "The delivered weights are in use: none that was learned was better on decisions held out."
    return (
        "The delivered weights are in use. From "
        f"{counted(FEWEST_DECISIONS, 'decision')} on, others can be learned; they are used only where better."
    )


def _say_worth(learned: LearnedView) -> str:
    after, before = (f"{100 * share:.0f} %" for share in (learned.right_after, learned.right_before))
    return f"**{counted(learned.decisions, 'decision')}**: first candidate right **{after}** (was {before})"


def _show_history(learning: Learning) -> None:
    zone = local_zone()
    rows = [
        {
            "Time": full_time(learned.at, zone),
            "Who": learned.actor,
            "Run": number(learned.run_id),
            "Decisions": learned.decisions,
            "First right, delivered": f"{100 * learned.right_before:.1f} %",
            "First right, learned": f"{100 * learned.right_after:.1f} %",
            "In use": "yes" if learned is learning.used else "no",
            "Counts otherwise": say_differences(learned),
        }
        for learned in learning.history
    ]
    st.dataframe(rows, hide_index=True, alt="What was learned from decisions")


def say_differences(learned: LearnedView) -> str:
    """Name the signals that count more or less than delivered, those that differ most first."""
    times = sorted(learned.weights.times.items(), key=lambda item: -abs(item[1] - 1))
    return ", ".join(f"{name.replace('_', ' ')} {value:.1f} ×" for name, value in times if abs(value - 1) > _TELLING)
