"""Mappings in Dataverse on the Configuration page: how they stand, what failed, and where both sides differ."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from w365.model import Role
from w365.service.writeback.compare import request_compare
from w365.service.writeback.runs import overwrite_rows, request_writeback
from w365.service.writeback.view import Overview, differences_file, list_differences, list_troubles, read_overview
from w365.store.runs import RunView
from w365.store.writeback.due_mappings import WriteState
from w365.store.writeback.remote_mappings import Difference
from w365.store.writeback.standings import WriteStanding
from w365.ui.frame import pages
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors, show_refusals
from w365.ui.frame.runs import show_run, start_run
from w365.ui.frame.wording import clock_time, counted, local_zone, number, plain
from w365.ui.writeback.form import show_place
from w365.ui.writeback.words import DIFFERENCE_WORDS, STATE_WORDS, say_next, say_trouble

_LOOK_SECONDS, _REST_SECONDS = 2, 20
_SHOWN = 200
_OVERWRITABLE = (Difference.OTHER, Difference.MISSING_HERE)


def show_mappings_in_crm(context: PageContext) -> None:
    st.subheader("Mappings in Dataverse", anchor=False)
    seen = read_overview(context.service, context.actor)
    show_place(context, seen)
    if seen is None:
        return
    if seen.is_on:
        _show_writing(context, seen)
        _show_troubles(context, seen)
    _show_comparison(context, seen)


def _show_writing(context: PageContext, seen: Overview) -> None:
    """Show the counts, anew every few seconds while something is written."""
    is_moving = bool(seen.counts[WriteState.WAITING]) or _is_active(seen)
    st.fragment(_draw_writing, run_every=_LOOK_SECONDS if is_moving else _REST_SECONDS)(context, _signature(seen))


def _is_active(seen: Overview) -> bool:
    return seen.last is not None and seen.last.is_active


def _signature(seen: Overview) -> tuple[int, ...]:
    """What the rest of the page shows; when it is another, all of the page is."""
    waits = bool(seen.counts[WriteState.WAITING])
    return waits, _is_active(seen), seen.counts[WriteState.FAILED], seen.counts[WriteState.DIFFERS]


def _draw_writing(context: PageContext, shown: tuple[int, ...]) -> None:
    with report_errors():
        seen = read_overview(context.service, context.actor, compares=False)
        if seen is None or _signature(seen) != shown:
            st.rerun()
        amounts = [f"**{number(seen.counts[state])}** {words}" for state, words in STATE_WORDS.items()]
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(" · ".join(amounts), width="content")
            open_now = seen.counts[WriteState.WAITING] + seen.counts[WriteState.FAILED]
            may = context.actor.role >= Role.ANALYST and not _is_active(seen)
            if may and open_now and st.button("Write all now", key="write-all"):
                start_run(lambda: request_writeback(context.service, context.actor))
        _say_last(context, seen)


def _say_last(context: PageContext, seen: Overview) -> None:
    if seen.last and seen.last.is_active:
        st.caption(f"Writing: {number(seen.last.done)} so far")
    elif seen.problem:
        now, zone = context.service.clock(), local_zone()
        again = f" {say_next(seen.again_at, now, zone)}" if seen.again_at else ""
        st.error(f"**Nothing could be written to Dataverse.** {plain(seen.problem)}{again}")


def _show_troubles(context: PageContext, seen: Overview) -> None:
    amount = seen.counts[WriteState.FAILED] + seen.counts[WriteState.DIFFERS]
    if not amount:
        return
    troubles = list_troubles(context.service, context.actor, limit=_SHOWN)
    with st.expander(f"{counted(amount, 'mapping')} not written: which and why", expanded=True):
        rows = [_trouble(context, trouble) for trouble in troubles]
        chosen = _choose(rows, "writeback-troubles", "Mappings that were not written")
        if amount > len(troubles):
            st.caption(f"The first {number(len(troubles))} are shown.")
        differing = [troubles[at].provider_account_id for at in chosen if troubles[at].state is WriteState.DIFFERS]
        if context.actor.role >= Role.ANALYST:
            _offer_overwrite(context, differing, "troubles")


def _trouble(context: PageContext, standing: WriteStanding) -> dict[str, str]:
    return {
        "Provider account": standing.name,
        "Provider": standing.provider,
        "Mapped here to": standing.account or "nothing",
        "What is wrong": say_trouble(standing, context.service.clock(), local_zone()),
    }


def _offer_overwrite(context: PageContext, ids: list[int], key: str) -> None:
    label = f"Overwrite {counted(len(ids), 'account')} in the CRM" if ids else "Overwrite in the CRM"
    about = "Choose rows above whose account the CRM says otherwise. To take the CRM's account, import it."
    if st.button(label, disabled=not ids, help=about, key=f"overwrite-{key}"):
        overwrite_rows(context.service, context.actor, ids)
        st.rerun()


def _choose(rows: Sequence[dict[str, str]], key: str, alt: str) -> list[int]:
    event = st.dataframe(
        rows,
        hide_index=True,
        alt=alt,
        height=min(35 * len(rows) + 38, 300),
        on_select="rerun",
        selection_mode="multi-row",
        key=key,
    )
    return [at for at in event["selection"]["rows"] if at < len(rows)]


def _show_comparison(context: PageContext, seen: Overview) -> None:
    st.markdown("**Compare both sides**")
    if seen.compared is not None and (seen.compared.is_active or seen.compared.error):
        show_run(context, seen.compared)
    if seen.compared is None:
        st.caption("Dataverse was not read yet. Comparing changes nothing on either side.")
    elif not seen.compared.is_active:
        _say_compared(context, seen, seen.compared)
    with st.container(horizontal=True, vertical_alignment="center"):
        may = context.actor.role >= Role.ANALYST
        if may and st.button("Compare now", disabled=bool(seen.compared and seen.compared.is_active), key="compare"):
            start_run(lambda: request_compare(context.service, context.actor))
        _offer_download(context, seen)
        if may:
            st.page_link(pages.IMPORT.path, label=":primary[Import from the table]", query_params={"what": "mappings"})
    if sum(seen.differences.values()) and seen.compared is not None:
        _list_differences(context, seen)


def _say_compared(context: PageContext, seen: Overview, compared: RunView) -> None:
    at = clock_time(compared.ended_at or compared.requested_at, context.service.clock(), local_zone())
    amounts = [f"**{number(seen.differences[difference])}** {words}" for difference, words in DIFFERENCE_WORDS.items()]
    st.markdown(f"Read {at}: {' · '.join(amounts)}")


def _offer_download(context: PageContext, seen: Overview) -> None:
    if seen.compared is None or not sum(seen.differences.values()):
        return
    name = f"w365-differences-{context.service.clock():%Y-%m-%d}.csv"
    st.download_button(
        "Download differences",
        lambda: differences_file(context.service, context.actor),
        name,
        "text/csv; charset=utf-8",
        on_click="ignore",
    )


def _list_differences(context: PageContext, seen: Overview) -> None:
    kinds = st.multiselect(
        "Show", list(Difference), format_func=DIFFERENCE_WORDS.__getitem__, placeholder="All differences", width=420
    )
    with show_refusals():
        differences = list_differences(context.service, context.actor, tuple(kinds) or tuple(Difference), limit=_SHOWN)
        rows = [
            {
                "Difference": DIFFERENCE_WORDS[difference.kind],
                "Provider account": difference.name,
                "Provider specific account id": difference.specific_id,
                "Provider": difference.provider,
                "Mapped here to": difference.here,
                "Dataverse says": difference.there,
            }
            for difference in differences
        ]
        chosen = _choose(rows, "writeback-differences", "Differences")
        if seen.is_on and context.actor.role >= Role.ANALYST:
            ids = [differences[at].provider_account_id for at in chosen if differences[at].kind in _OVERWRITABLE]
            _offer_overwrite(context, [each_id for each_id in ids if each_id is not None], "differences")
        if len(differences) == _SHOWN:
            st.caption(f"The first {number(_SHOWN)} are shown; the download has all.")
