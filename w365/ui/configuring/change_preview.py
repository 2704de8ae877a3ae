"""A change of the settings between proposing and saving: what it would do is looked at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from w365.service.matching.run import MatchPreview, PendingChange, make_change, try_change
from w365.store.matching.pending_matches import WouldMap
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time, show_refusals
from w365.ui.frame.wording import counted, number, plain

_KEY = "w365_pending"
_TITLE = "Save this change?"
_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class _Proposed:
    change: PendingChange
    lines: tuple[str, ...]
    before: MatchPreview
    after: MatchPreview


def propose_change(context: PageContext, change: PendingChange, lines: Sequence[str]) -> None:
    """Work out the effect of a change and show it for confirmation in the next run of the page."""
    if not lines:
        st.info("Nothing differs from what is set.")
        return
    with show_refusals():
        before, after = try_change(context.service, context.actor, change, _SHOWN)
        st.session_state[_KEY] = _Proposed(change, tuple(lines), before, after)
        st.rerun()


def show_pending_dialog(context: PageContext) -> None:
    """Show the change that waits for confirmation over a page that is long."""
    proposed: _Proposed | None = st.session_state.get(_KEY)
    if proposed is not None:
        st.dialog(_TITLE, width="medium", on_dismiss=_forget)(_show)(context, proposed)


def _forget() -> None:
    st.session_state.pop(_KEY, None)


def show_pending(context: PageContext) -> None:
    """Show the change that waits for confirmation, if there is one."""
    proposed: _Proposed | None = st.session_state.get(_KEY)
    if proposed is None:
        return
    with st.container(border=True, key="pending-change"):
        st.subheader(_TITLE, anchor=False)
        _show(context, proposed)


def _show(context: PageContext, proposed: _Proposed) -> None:
    st.markdown("\n".join(f"- {plain(line)}" for line in proposed.lines))
    st.markdown(_say_effect(proposed.before, proposed.after))
    _show_difference(proposed.before, proposed.after)
    with st.container(horizontal=True):
        if st.button("Save", type="primary"):
            _save(context, proposed)
        if st.button("Discard"):
            _forget()
            st.rerun()


def _save(context: PageContext, proposed: _Proposed) -> None:
    with show_refusals():
        make_change(context.service, context.actor, proposed.change)
        del st.session_state[_KEY]
        say_next_time(f"Saved. {_say_effect(proposed.before, proposed.after)}")
        st.rerun()


def _say_effect(before: MatchPreview, after: MatchPreview) -> str:
    does = "would map" if before.auto_match else "would map, if Auto-Match were on,"
    fewer = before.conflicts - after.conflicts
    effect = f"Takes **{counted(fewer, 'provider account')}** out of conflict. " if fewer > 0 else ""
    effect += (
        f"The next match {does} **{counted(after.total, 'provider account')}** (as set now: {number(before.total)}); "
        f"conflicts **{number(after.conflicts)}** (now {number(before.conflicts)}). Mappings made so far stay."
    )
    if after.breaching:
        sharing = counted(len(after.breaching), "mapping shares its account", "mappings share their account")
        effect += f" **{sharing}** against the policy; each is for a person to decide."
    return effect


def _show_difference(before: MatchPreview, after: MatchPreview) -> None:
    gained = [mapping for mapping in after.mappings if mapping not in set(before.mappings)]
    lost = [mapping for mapping in before.mappings if mapping not in set(after.mappings)]
    rows = [_row("gained", mapping) for mapping in gained] + [_row("lost", mapping) for mapping in lost]
    rows += [_row("shares its account", mapping) for mapping in after.breaching]
    if rows:
        st.dataframe(rows, hide_index=True, height=min(38 + 35 * len(rows), 320), alt="Rows gained, lost and in breach")


def _row(word: str, mapping: WouldMap) -> dict[str, str]:
    return {
        "Effect": word,
        "Provider account": mapping.provider_account,
        "Provider": mapping.provider,
        "CRM account": mapping.account,
    }
