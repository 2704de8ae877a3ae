"""The Activity page: decisions, the latest first, and the runs."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from w365.matching.messages import DECISION_WORDS, ORIGIN_WORDS
from w365.model import DecisionKind, Origin, RunKind
from w365.service.exporting import Subject
from w365.service.insight.activity import count_decisions, list_actors, list_decisions
from w365.service.syncing.runs import list_runs
from w365.store.insight.activity import ActivityFilter
from w365.store.reading.decision_log import DecisionView
from w365.store.runs import RunView
from w365.ui.deciding.bulk.dialog import show_change_dialog
from w365.ui.deciding.bulk.undo import offer_undo_last, offer_undo_of_decision, offer_undo_of_run, show_undoable
from w365.ui.frame.downloads import download_button
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors
from w365.ui.frame.paging import PER_PAGE, ask_start
from w365.ui.frame.runs import KIND_WORDS, say_result, say_state
from w365.ui.frame.wording import counted, duration, full_time, local_zone
from w365.ui.insight.owner_changes import show_owner_changes

_RUNS = 200


def show_activity(context: PageContext) -> None:
    show_change_dialog(context)
    decisions, runs, owners = st.tabs(["Decisions", "Runs", "Owners"])
    with decisions:
        _show_decisions(context)
    with runs:
        _show_runs(context)
    with owners:
        show_owner_changes(context)


@st.fragment
def _show_decisions(context: PageContext) -> None:
    with report_errors():
        criteria = _ask_filter(context)
        total = count_decisions(context.service, context.actor, criteria)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{counted(total, 'decision')}**", width="content")
            with st.container(horizontal=True, width="content", vertical_alignment="center"):
                offer_undo_last(context)
                download_button(context, (Subject.DECISIONS,), place="decisions")
        if not total:
            _say_empty(criteria)
            return
        start, zone = ask_start(total, "activity-page"), local_zone()
        decisions = list_decisions(context.service, context.actor, criteria, start=start, limit=PER_PAGE)
        rows = [_decision_row(decision, zone) for decision in decisions]
        key = f"decisions-{total}-{decisions[0].id}"
        show_undoable(context, decisions, rows, key, _DECISION_COLUMNS, "Decisions", offer_undo_of_decision)


def _ask_filter(context: PageContext) -> ActivityFilter:
    who, what, text, run = st.columns([2, 3, 3, 1.4])
    actor = who.selectbox(
        "Person", ["", *list_actors(context.service, context.actor)], format_func=lambda name: name or "Anybody"
    )
    kinds = what.multiselect(
        "Kind", list(DecisionKind), format_func=DECISION_WORDS.__getitem__, placeholder="Any kind", key="activity-kinds"
    )
    words = text.text_input("Search", type="search", placeholder="Provider account or CRM account", live="400ms")
    run_text = run.text_input("Run", placeholder="Number")
    by_hand = st.toggle("By hand only", help="Leave out what matches and the calendar decided")
    run_id = int(run_text) if run_text and run_text.isdecimal() else None
    return ActivityFilter(actor or "", tuple(kinds), run_id, by_hand, words or "")


def _say_empty(criteria: ActivityFilter) -> None:
    if criteria == ActivityFilter():
        st.info("Nobody has decided anything yet. Sync the sources, then decide on the Provider accounts page.")
    else:
        st.info("No decision fits these filters. Take one away.")


def _decision_row(decision: DecisionView, zone: dt.tzinfo) -> dict[str, str]:
    return {
        "No.": str(decision.id),
        "Time": full_time(decision.at, zone),
        "Who": _say_who(decision),
        "What": DECISION_WORDS[decision.kind],
        "Provider account": decision.provider_account,
        "Provider": decision.provider,
        "Change": _say_change(decision),
        "Why": "; ".join(
            part for part in (_say_origin(decision), _say_undo(decision), decision.reason, *decision.evidence) if part
        ),
    }


def _say_who(decision: DecisionView) -> str:
    if decision.run_id:
        return f"{decision.actor}, run {decision.run_id}"
    return decision.actor if decision.kind is DecisionKind.RETURN else f"{decision.actor}, by hand"


def _say_change(decision: DecisionView) -> str:
    """Old → new where an account changed; else the account it is about."""
    if decision.kind in (DecisionKind.MAP, DecisionKind.UNMAP, DecisionKind.UNDO):
        is_about_account = decision.old_account or decision.account
        return f"{decision.old_account or 'nothing'} → {decision.account or 'nothing'}" if is_about_account else ""
    return decision.account or decision.old_account


def _say_undo(decision: DecisionView) -> str:
    return f"undo of decision {decision.undoes}" if decision.undoes else ""


def _say_origin(decision: DecisionView) -> str:
    is_named = decision.kind is DecisionKind.MAP and decision.origin in list(Origin)
    return ORIGIN_WORDS[Origin(decision.origin)] if is_named else ""


_DECISION_COLUMNS = {
    name: st.column_config.TextColumn(label, width=width)
    for name, label, width in (
        ("No.", "No.", 60),
        ("Time", "Time", 145),
        ("Who", "Who", 105),
        ("What", "What", 125),
        ("Provider account", "Provider account", 190),
        ("Provider", "Provider", 95),
        ("Change", "Old → new", 215),
        ("Why", "Why", 420),
    )
}


@st.fragment
def _show_runs(context: PageContext) -> None:
    with report_errors():
        _list_runs(context)


def _list_runs(context: PageContext) -> None:
    runs = list_runs(context.service, context.actor, limit=_RUNS)
    if not runs:
        st.info("Nothing has run yet. Start a sync on the Providers page.")
        return
    zone, now = local_zone(), context.service.clock()
    rows = [_run_row(run, zone, now) for run in runs]
    show_undoable(context, runs, rows, f"runs-{runs[0].id}", _RUN_COLUMNS, "Runs", offer_undo_of_run)


_RUN_COLUMNS = {
    name: st.column_config.Column(name, width=width)
    for name, width in (("Run", 50), ("Started", 160), ("What", 195), ("Of", 240), ("Result", 420))
}


def _say_target(run: RunView) -> str:
    """What a run is about; those of many rows carry the number of their preview, which says nothing to people."""
    if run.kind in (RunKind.BULK, RunKind.UNDO):
        return run.target.rpartition(" #")[0]
    return "" if run.target in ("crm", "all") else run.target


def _run_row(run: RunView, zone: dt.tzinfo, now: dt.datetime) -> dict[str, str | int]:
    took = (run.ended_at or now) - run.started_at if run.started_at else None
    return {
        "Run": run.id,
        "Started": f"{(run.started_at or run.requested_at).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}",
        "What": KIND_WORDS[run.kind],
        "Of": _say_target(run),
        "Who": run.actor,
        "State": say_state(run),
        "Took": duration(took),
        "Result": " ".join(part for part in (run.error, say_result(run), "" if run.is_active else run.message) if part),
    }
