"""The Statistics page: the rates, then by provider, source and reason, then over time; each with its download."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from w365.matching.messages import STATUS_WORDS
from w365.service.exporting import EVERYTHING
from w365.service.insight.statistics import DEFINITIONS, Statistics, read_statistics
from w365.ui.frame.downloads import SUBJECT_WORDS, download_button, section_download
from w365.ui.frame.first_steps import is_beginning
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.palette import tiles
from w365.ui.frame.runs import keep_current
from w365.ui.frame.wording import clock_time, duration, local_zone, number, percent
from w365.ui.insight import charts
from w365.ui.insight.over_time import show_comparison, show_effort, show_history


def show_statistics(context: PageContext) -> None:
    keep_current(context)
    if is_beginning(context):
        return
    statistics = read_statistics(context.service, context.actor)
    _show_numbers(statistics)
    _show_providers(context, statistics)
    with tiles("halves", 22):
        left, right = st.columns(2, gap="large")
        with left:
            _show_sources(context, statistics)
        with right:
            _show_reasons(context, statistics)
    show_history(context)
    show_effort(context)
    show_comparison(context)
    _show_downloads(context)
    _show_definitions()


def _show_numbers(statistics: Statistics) -> None:
    totals = statistics.totals
    numbers = {
        "Match rate": percent(totals.match_rate),
        "Backlog": number(totals.backlog),
        "Oldest open": _brief(statistics.at - statistics.oldest_open) if statistics.oldest_open else "–",
        "Drifted": number(statistics.drifted),
        "Blocked seats": number(totals.blocked_seats),
        "Blocked subscriptions": number(statistics.blocked_subscriptions),
        "Time to map": _brief(statistics.median_time_to_map),
        "By hand": percent(statistics.by_hand),
    }
    labels = list(numbers)
    with tiles():
        for row in (labels[:4], labels[4:]):
            for column, label in zip(st.columns(4), row, strict=True):
                column.metric(label, numbers[label], border=True, help=DEFINITIONS[label], height="stretch")
    when = clock_time(statistics.at, statistics.at, local_zone())
    st.caption(f"{number(totals.mapped)} of {number(totals.in_scope)} in scope are mapped. As of {when}.")


def _brief(span: dt.timedelta | None) -> str:
    """A duration that fits a tile in a narrow window."""
    return (
        duration(span).replace(" minute", " min").replace(" mins", " min").replace(" second", " s").replace(" ss", " s")
    )


def _show_providers(context: PageContext, statistics: Statistics) -> None:
    section_download("By provider", context, "Provider")
    frame = charts.provider_frame(statistics.by_provider)
    charts.chart_and_table(
        charts.status_bars(frame),
        frame,
        named="Provider accounts by provider and status",
        **{"Match rate": charts.share_column("Match rate")},
    )


def _show_sources(context: PageContext, statistics: Statistics) -> None:
    section_download("By what mapped them", context, "Mapped by")
    if not statistics.by_source:
        st.info("Nothing is mapped yet.")
        return
    frame = charts.source_frame(statistics.by_source)
    charts.chart_and_table(
        charts.draw_bars(frame, "Source", "Mappings"),
        frame,
        named="Mappings by source",
        Share=charts.share_column("Share"),
    )


def _show_reasons(context: PageContext, statistics: Statistics) -> None:
    section_download("Why the rest is open", context, "Not mapped because")
    if not statistics.by_reason:
        st.success("Nothing is open.")
        return
    frame = charts.reason_frame(statistics.by_reason)
    charts.chart_and_table(
        charts.draw_bars(frame, "Reason", "Provider accounts"), frame, named="Open provider accounts by reason"
    )


def _show_downloads(context: PageContext) -> None:
    st.subheader("Downloads", anchor=False)
    st.caption("Mappings, what is open with its reasons, conflicts, candidates, decisions, or everything in one file.")
    download_button(context, tuple(subject for subject in SUBJECT_WORDS if subject in EVERYTHING), place="all")


def _show_definitions() -> None:
    with st.expander("What the words mean"):
        for word, meaning in DEFINITIONS.items():
            st.markdown(f"**{word}** – {meaning}")
        st.markdown(f"**Statuses** – {', '.join(STATUS_WORDS[status].lower() for status in charts.SHOWN)}.")
