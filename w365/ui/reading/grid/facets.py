"""The further facets of the grid: owner, score and age, each choice with what it would show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from w365.model import Age, ScoreBand
from w365.service.reading.facets import Facets, read_facets
from w365.ui.frame.owner_words import owner_choices
from w365.ui.frame.page_context import PageContext
from w365.ui.reading.grid.view import View

_OPEN = "facets_open"
OWNER, SCORE, AGE = "accounts_owner", "accounts_score", "accounts_age"
_SCORES: Mapping[ScoreBand, str] = {
    ScoreBand.STRONG: "0.90 and more",
    ScoreBand.LIKELY: "0.50 to 0.89",
    ScoreBand.WEAK: "Below 0.50, or none",
}
_AGES: Mapping[Age, str] = {
    Age.WEEK: "New: up to 7 days",
    Age.MONTH: "8 to 28 days",
    Age.OLDER: "Older",
}

_UNCOUNTED = Facets({}, {}, {})


def show_further_facets(context: PageContext, view: View, on_change: Callable[[], None]) -> None:
    """Show them behind a button that says how many filter; the counts are read while they are open."""
    chosen = sum(1 for choice in (view.owner, view.score, view.age) if choice)
    st.session_state.update({OWNER: view.owner, SCORE: view.score or "", AGE: view.age or ""})
    popover = st.popover("More", key=_OPEN, on_change="rerun")  # another label would close it
    if chosen:
        st.badge(str(chosen), color="primary")
    with popover:
        facets = read_facets(context.service, context.actor, view.filter(), view.today) if popover.open else _UNCOUNTED
        _choice("Owner", OWNER, owner_choices(facets.owners, context.actor, view.owner), on_change)
        _choice("Best candidate's score", SCORE, {"": "Any score"} | _counted(_SCORES, facets.scores), on_change)
        _choice("Known for", AGE, {"": "Any time"} | _counted(_AGES, facets.ages), on_change)


def read_further(view: View) -> dict[str, Any]:
    """Return what the widgets say, for a view made from it."""
    state = st.session_state
    return {
        "owner": state.get(OWNER, view.owner) or "",
        "score": state.get(SCORE, view.score) or None,
        "age": state.get(AGE, view.age) or None,
    }


def _counted(words: Mapping[Any, str], amounts: Mapping[Any, int]) -> dict[Any, str]:
    return {value: f"{word} ({amounts[value]:,})" if value in amounts else word for value, word in words.items()}


def _choice(label: str, key: str, words: Mapping[Any, str], on_change: Callable[[], None]) -> None:
    st.selectbox(label, list(words), format_func=words.__getitem__, key=key, on_change=on_change, width=260)
