"""For how long things are kept: what other limits would remove is shown before they are saved."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from w365.errors import InputError
from w365.model import Kept, Role
from w365.service.configuring.settings import get_settings, set_settings
from w365.service.retention.keeping import Keeping, preview_retention
from w365.store.configuring.settings import KEPT_FOR
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time, show_error
from w365.ui.frame.wording import full_time, local_zone, number, plain

_CHECKED = "retention-checked"
WORDS: Mapping[Kept, str] = {
    Kept.RUNS: "Runs, days",
    Kept.VISITS: "Visits, days",
    Kept.NOTICES: "Sent summaries, days",
    Kept.AUDIT_LOG: "Audit log, days",
    Kept.DECISIONS: "Decisions, years",
}
_HELP: Mapping[Kept, str] = {
    Kept.RUNS: "The latest of each kind stays, and so does a run whose decisions are kept.",
    Kept.VISITS: "When people were last here, by which the Overview says what is new to them.",
    Kept.NOTICES: "Which summaries of daily syncs were sent, and what went wrong.",
    Kept.AUDIT_LOG: "With it go changes of settings and sessions of that age.",
    Kept.DECISIONS: "What holds now stays however old it is, and so does what an undo would bring back.",
}


def show_retention(context: PageContext) -> None:
    st.subheader("How long things are kept", anchor=False)
    stored = get_settings(context.service, context.actor)
    may = context.actor.role >= Role.ADMIN
    st.caption("0 keeps for ever. A worker removes hourly what is older; there is no undo.")
    with st.form("retention", border=False):
        places = st.columns(len(WORDS))
        limits = {
            name: str(_ask(place, kind, int(stored[name]), may=may))
            for place, (kind, name) in zip(places, KEPT_FOR.items(), strict=True)
        }
        if st.form_submit_button("Check what would be removed", disabled=not may):
            st.session_state[_CHECKED] = limits
    if may and _CHECKED in st.session_state:
        _show_effect(context, st.session_state[_CHECKED])


def _ask(place: st.delta_generator.DeltaGenerator, kind: Kept, stored: int, *, may: bool) -> int:
    key = f"keep-{kind}-{stored}"  # after a save the field shows what is stored
    return int(place.number_input(WORDS[kind], 0, None, stored, help=_HELP[kind], disabled=not may, key=key))


def _show_effect(context: PageContext, limits: dict[str, str]) -> None:
    try:
        keepings = preview_retention(context.service, context.actor, limits)
    except InputError as error:
        show_error(error)
        return
    lines = [_say(keeping) for keeping in keepings if keeping.due.rows]
    st.markdown("\n".join(f"- {plain(line)}" for line in lines) or "Nothing of today is that old.")
    if st.button("Save these limits", type="primary", key="save-retention"):
        set_settings(context.service, context.actor, limits)
        del st.session_state[_CHECKED]
        say_next_time("Saved. A worker removes what is older within the hour.")
        st.rerun()


def _say(keeping: Keeping) -> str:
    what = WORDS[keeping.kind].partition(",")[0]
    oldest = f", the oldest of {full_time(keeping.due.oldest, local_zone())}" if keeping.due.oldest else ""
    return f"{what}: {number(keeping.due.rows)} would be removed{oldest}"
