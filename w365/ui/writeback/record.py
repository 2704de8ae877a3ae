"""The record's line about the CRM's own table: written, waiting, or why not."""

from __future__ import annotations

import streamlit as st

from w365.model import Role
from w365.service.writeback.runs import overwrite_rows, write_again
from w365.service.writeback.view import read_standing
from w365.store.writeback.due_mappings import WriteState
from w365.store.writeback.standings import WriteStanding
from w365.ui.deciding.record.decide import Decider
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors
from w365.ui.frame.wording import local_zone, plain
from w365.ui.writeback.words import say_standing

_LOOK_SECONDS = 2


def show_writeback(decider: Decider) -> None:
    """Show how the mapping stands there; while it waits, look again now and then."""
    row = decider.record.row.id
    standing = read_standing(decider.context.service, decider.context.actor, row)
    if standing is None:
        return
    if standing.state is WriteState.WAITING:
        _watch(decider.context, row)
    else:
        _draw(decider.context, standing)


@st.fragment(run_every=_LOOK_SECONDS)
def _watch(context: PageContext, row: int) -> None:
    with report_errors():
        standing = read_standing(context.service, context.actor, row)
        if standing is not None:
            _draw(context, standing)


def _draw(context: PageContext, standing: WriteStanding) -> None:
    sentence = plain(say_standing(standing, context.service.clock(), local_zone()))
    if standing.state in (WriteState.WRITTEN, WriteState.WAITING):
        icon = ":material/cloud_done:" if standing.state is WriteState.WRITTEN else ":material/cloud_upload:"
        st.caption(f"{icon} {sentence}")
        return
    st.warning(sentence)
    if context.actor.role < Role.ANALYST:
        return
    row = standing.provider_account_id
    if standing.state is WriteState.FAILED:
        if st.button("Write again", key=f"write-again-{row}"):
            write_again(context.service, context.actor, row)
            st.rerun()
    elif st.button("Overwrite it in the CRM", key=f"overwrite-{row}"):
        overwrite_rows(context.service, context.actor, [row])
        st.rerun()
