"""Runs as people see them: the progress of one under way, the result of one that ended, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import streamlit as st

from w365.model import Role, RunKind, RunState
from w365.service.syncing.runs import ask_to_cancel, list_runs, missing_of, read_run
from w365.store.run_counts import Count, Counts, counts_of
from w365.store.runs import RunView
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors, show_refusals
from w365.ui.frame.wording import clock_time, counted, duration, local_zone, number, plain

KIND_WORDS: Mapping[RunKind, str] = {
    RunKind.SYNC: "Sync of provider accounts",
    RunKind.CRM_SYNC: "Sync of the CRM",
    RunKind.MATCH: "Match",
    RunKind.BULK: "Bulk action",
    RunKind.UNDO: "Undo",
    RunKind.IMPORT: "Import of provider accounts",
    RunKind.MAPPING_IMPORT: "Import of mappings",
    RunKind.WRITEBACK: "Write-back to Dataverse",
    RunKind.COMPARE: "Comparison with Dataverse",
    RunKind.LEARN: "Learning from decisions",
}
STATE_WORDS: Mapping[RunState, str] = {
    RunState.QUEUED: "Waiting for a worker",
    RunState.RUNNING: "Running",
    RunState.DONE: "Done",
    RunState.FAILED: "Failed",
    RunState.CANCELLED: "Cancelled",
    RunState.INTERRUPTED: "Interrupted",
}
_REJECTED = (Count.REJECTED, Count.ACCOUNTS_REJECTED, Count.CONTACTS_REJECTED)
_WAITS_LONG = dt.timedelta(seconds=15)

_SYNCED = (
    Count.NEW,
    Count.CHANGED,
    Count.UNCHANGED,
    Count.GONE,
    Count.RETURNED,
    Count.REJECTED,
    Count.INCOMPLETE,
    Count.WITHOUT_DOMAINS,
    Count.WITHOUT_SUBSCRIPTIONS,
    Count.LEFT_ALONE,
)
_ALWAYS = (Count.NEW, Count.CHANGED, Count.UNCHANGED, Count.GONE, Count.REJECTED)
_SAID = {
    Count.INCOMPLETE: "without all details",
    Count.WITHOUT_DOMAINS: "without all domains",
    Count.WITHOUT_SUBSCRIPTIONS: "without subscriptions",
    Count.LEFT_ALONE: "left alone",
}
_KINDS = {
    Count.BY_CHANGES: "; only what the audit records name was read",
    Count.GAPS_ONLY: "; only what the sync before could not read, and what is new",
    Count.NO_FEED: "; a full sync, as the audit records could not be read",
}
_MATCH_WORDS = {
    Count.MAPPED: "mapped by this run",
    Count.CONFLICT: "in conflict",
    Count.UNMAPPED: "unmapped",
    Count.MAPPED_IN_ALL: "mapped in all",
}
_IMPORT_WORDS = {
    Count.MAPPED: "mapped",
    Count.REPLACED: "mapped to another account than before",
    Count.SAME: "mapped so already",
    Count.AGAINST_EVIDENCE: "left because the evidence supports another account",
    Count.DIFFERENT: "left because mapped to another account",
    Count.REJECTED_PAIR: "left because rejected",
    Count.SET_ASIDE: "left because excluded or parked",
    Count.BREACH: "left because of the policy",
    Count.WITHOUT_ACCOUNT: "without an account",
    Count.REJECTED: "with errors",
}
_CHANGE_WORDS = {Count.ROWS_CHANGED: "changed", Count.TAKEN_BACK: "taken back", Count.LEFT: "left"}
_WRITEBACK_WORDS = {
    Count.WRITTEN: "written",
    Count.FAILED: "failed",
    Count.DIFFERS: "left because the CRM says another account",
    Count.READ: "read",
    Count.REJECTED: "cannot be read",
}
_WORDS: Mapping[RunKind, Mapping[Count, str]] = {
    RunKind.MATCH: _MATCH_WORDS,
    RunKind.BULK: _CHANGE_WORDS,
    RunKind.UNDO: _CHANGE_WORDS,
    RunKind.MAPPING_IMPORT: _IMPORT_WORDS,
    RunKind.WRITEBACK: _WRITEBACK_WORDS,
    RunKind.COMPARE: _WRITEBACK_WORDS,
    RunKind.LEARN: {Count.DECISIONS: "decisions learned from", Count.LEARNED: "better weights taken into use"},
}


def say_result(run: RunView) -> str:
    """Name what a run found and did; empty while it has nothing to say."""
    if words := _WORDS.get(run.kind):
        return ", ".join(f"{number(run.result[count])} {word}" for count, word in words.items() if count in run.result)
    if run.kind in (RunKind.SYNC, RunKind.IMPORT):
        kind = next((words for count, words in _KINDS.items() if count in run.result), "")
        return _say_synced(run.result) + kind + _say_unknown(run.result[Count.UNKNOWN_FIELDS])
    tables = {name: _say_synced(counts_of(run.result, name)) for name in ("accounts", "contacts")}
    return "; ".join(f"{name} {words}" for name, words in tables.items() if words)


def _say_unknown(fields: int) -> str:
    return f"; {counted(fields, 'unknown field')} of the records ignored, named in the log" if fields else ""


def _say_synced(counts: Counts) -> str:
    """The usual words always, the unusual ones where there are any."""
    if not counts.keys() & _SYNCED:
        return ""
    shown = (count for count in _SYNCED if counts[count] or count in _ALWAYS)
    return ", ".join(f"{number(counts[count])} {_SAID.get(count, count)}" for count in shown)


def say_start(run: RunView, now: dt.datetime, zone: dt.tzinfo) -> str:
    return f"started by {run.actor} at {clock_time(run.started_at or run.requested_at, now, zone)}"


def say_stopping(run: RunView, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Say since when and by whom a run is being stopped."""
    since = f"since {clock_time(run.cancel_at or now, now, zone)}, by {run.cancel_by}"
    return f"Is being stopped, {since}; it ends at its next look." if run.is_active else "Cancelled."


def say_state(run: RunView) -> str:
    if run.is_active and run.cancel_requested:
        return "Is being stopped"
    return f"{STATE_WORDS[run.state]} with gaps" if run.has_gaps else STATE_WORDS[run.state]


def say_progress(run: RunView, now: dt.datetime, expected: int | None) -> str:
    """Count, rate and time left of a running run."""
    if run.cancel_requested:
        return "Is being stopped"
    if run.state is RunState.QUEUED:
        return "Waiting for a worker"
    parts = [f"{number(run.done)} of {number(expected)}" if expected else f"{number(run.done)} read"]
    if rate := run.rate(now):
        parts.append(f"{rate:,.0f} a second")
        if expected:
            parts.append(f"about {duration(dt.timedelta(seconds=max((expected - run.done) / rate, 1)))} left")
    return " · ".join(parts)


def expected_of(run: RunView, before: int | None) -> int | None:
    """How many records the run will read: what the source says, else what the last sync met, else nobody knows.

    Some sources count the page and not the whole; their number is of no use once it is reached.
    """
    return next((count for count in (run.total, before) if count and count > run.done), None)


def show_run(context: PageContext, run: RunView, *, before: int | None = None) -> None:
    """Show a run: its progress while it is under way, else its result or what went wrong.

    `before` is how many records the last finished one of its kind met.
    """
    if run.is_active:
        _watch(context, run.id, before)
    else:
        _show_ended(context, run)


@st.fragment(run_every=1)
def _watch(context: PageContext, run_id: int, before: int | None) -> None:
    with report_errors():
        run, _ = read_run(context.service, context.actor, run_id)
        if not run.is_active:
            st.rerun()
        _show_progress(context, run, before)


def _show_progress(context: PageContext, run: RunView, before: int | None) -> None:
    now = context.service.clock()
    expected = expected_of(run, before)
    st.progress(run.done / expected if expected else 0.0, text=f"**{plain(say_progress(run, now, expected))}**")
    if run.state is RunState.QUEUED and now - run.requested_at > _WAITS_LONG:
        st.warning("No worker has taken this up yet. It is started with the app; look at the app's log if this stays.")
    row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    parts = [KIND_WORDS[run.kind], say_start(run, now, local_zone())]
    row.caption(plain(" · ".join([*parts, run.message] if run.message else parts)), width="content")
    place = row.empty()
    may_cancel = context.actor.role >= Role.ANALYST and not run.cancel_requested
    if may_cancel and place.button("Cancel", key=f"cancel-{run.id}"):
        ask_to_cancel(context.service, context.actor, run.id)
        run, _ = read_run(context.service, context.actor, run.id)
    if run.cancel_requested:
        place.caption(plain(say_stopping(run, now, local_zone())))


def _show_ended(context: PageContext, run: RunView) -> None:
    now = context.service.clock()
    ended = f"{say_state(run)} {clock_time(run.ended_at or run.requested_at, now, local_zone())}"
    result = say_result(run)
    if run.error:
        show = st.error if run.state is RunState.FAILED else st.warning
        show(f"**{plain(ended)}.** {plain(run.error)}")
    else:
        ended = f"{ended} by {run.actor}"
        st.markdown(plain(f"{ended}: {result}." if result else f"{ended}."))
    if run.error and result:
        st.caption(plain(f"Before that: {result}."))
    if run.message:
        st.caption(plain(run.message))
    _show_problems(context, run)


def _show_problems(context: PageContext, run: RunView) -> None:
    rejected = sum(int(count) for word, count in run.result.items() if word.endswith("rejected"))
    if not rejected:
        return
    with st.expander(f"{counted(rejected, 'record')} rejected: which and why"):
        _, problems = read_run(context.service, context.actor, run.id)
        rows = [{"Record": record_id, "Why": why} for record_id, why in problems]
        st.dataframe(rows, hide_index=True, alt="Rejected records")
        if len(problems) < rejected:
            st.caption(f"The first {number(len(problems))} are shown.")


def start_run(request: Callable[[], int]) -> None:
    """Ask for a run and show the page anew; a refusal (it runs already, and who started it) is shown in its place."""
    with show_refusals():
        request()
        st.rerun()


def awaits_confirmation(run: RunView | None) -> bool:
    """Whether the run stopped because too many customers were missing, and a person must say whether they left."""
    return run is not None and missing_of(run) > 0


def is_busy(context: PageContext) -> bool:
    """Whether a run is under way; then nobody asks what a match would do: the answer would wait for its writes."""
    return any(run.is_active for run in list_runs(context.service, context.actor, limit=8))


def keep_current(context: PageContext) -> None:
    """Run the page again whenever a run begins or ends, so that its numbers never lag behind a run."""
    _look_for_change(context, _signature(context))


@st.fragment(run_every=2)
def _look_for_change(context: PageContext, shown: tuple[tuple[int, str], ...]) -> None:
    with report_errors():
        if _signature(context) != shown:
            st.rerun()


def _signature(context: PageContext) -> tuple[tuple[int, str], ...]:
    return tuple((run.id, run.state.value) for run in list_runs(context.service, context.actor, limit=8))
