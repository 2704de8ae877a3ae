"""The Statistics page: the rates, then by provider, source and reason, then over time; each with its download."""

from __future__ import annotations

import streamlit as st

from w365.matching.words import STATUS_WORDS
from w365.model import Status
from w365.service.export import Subject
from w365.service.statistics import DEFINITIONS, Statistics, read_statistics
from w365.ui import charts
from w365.ui.desk import Desk
from w365.ui.downloads import download_all, download_menu
from w365.ui.palette import is_dark, primary_colour, status_colours
from w365.ui.runs import keep_current
from w365.ui.wording import clock_time, duration, local_zone, number, percent


def show_statistics(desk: Desk) -> None:
    keep_current(desk)
    found = read_statistics(desk.service, desk.actor)
    if not found.totals.in_scope and not found.totals.excluded:
        st.info("There are no provider accounts yet. Sync a provider first; the numbers follow.")
        return
    _show_numbers(found)
    _show_providers(desk, found)
    left, right = st.columns(2, gap="large")
    with left:
        _show_sources(desk, found)
    with right:
        _show_reasons(desk, found)
    _show_history(found)
    _show_downloads(desk)
    _show_definitions()


def _show_numbers(found: Statistics) -> None:
    totals = found.totals
    numbers = {
        "Match rate": percent(totals.match_rate),
        "Backlog": number(totals.backlog),
        "Blocked seats": number(totals.blocked_seats),
        "Time to map": duration(found.median_time_to_map),
        "By hand": percent(found.by_hand),
    }
    for column, (label, value) in zip(st.columns(len(numbers)), numbers.items(), strict=True):
        column.metric(label, value, border=True, help=DEFINITIONS[label], height="stretch")
    waits = f"; the oldest open one waits for {duration(found.at - found.oldest_open)}" if found.oldest_open else ""
    when = clock_time(found.at, found.at, local_zone())
    st.caption(f"{number(totals.mapped)} of {number(totals.in_scope)} in scope are mapped{waits}. As of {when}.")


def _section(title: str, desk: Desk, subject: Subject) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(title, width="content", anchor=False)
        download_menu(desk, subject)


def _show_providers(desk: Desk, found: Statistics) -> None:
    _section("By provider", desk, Subject.STATISTICS)
    frame = charts.provider_frame(found.by_provider)
    charts.chart_and_table(
        charts.status_bars(frame),
        frame,
        named="Provider accounts by provider and status",
        **{"Match rate": charts.share_column("Match rate")},
    )


def _show_sources(desk: Desk, found: Statistics) -> None:
    _section("By what mapped them", desk, Subject.MAPPINGS)
    if not found.by_source:
        st.info("Nothing is mapped yet.")
        return
    frame = charts.source_frame(found.by_source)
    charts.chart_and_table(
        charts.bars(frame, "Source", "Mappings"),
        frame,
        named="Mappings by source",
        Share=charts.share_column("Share"),
    )


def _show_reasons(desk: Desk, found: Statistics) -> None:
    _section("Why the rest is open", desk, Subject.UNMAPPED)
    if not found.by_reason:
        st.success("Nothing is open.")
        return
    frame = charts.reason_frame(found.by_reason)
    charts.chart_and_table(
        charts.bars(frame, "Reason", "Provider accounts"), frame, named="Open provider accounts by reason"
    )


def _show_history(found: Statistics) -> None:
    st.subheader("Over time", anchor=False)
    if len(found.history) < 2:
        st.info("Each match leaves one point. The lines begin with the second one.")
        return
    frame = charts.history_frame(found.history, local_zone())
    dark = is_dark()
    rate, backlog, listed = st.tabs(["Match rate", "Backlog", "Table"])
    with rate:
        line = charts.history_line(frame, "Match rate", primary_colour(dark=dark), suffix=" in %")
        st.altair_chart(line, alt="Match rate by match run")
    with backlog:
        colour = status_colours(dark=dark)[Status.UNMAPPED]
        st.altair_chart(charts.history_line(frame, "Backlog", colour), alt="Backlog by match run")
    with listed:
        columns = {"Match rate": charts.share_column("Match rate")}
        charts.table(frame.iloc[::-1], named="History", **columns)


def _show_downloads(desk: Desk) -> None:
    st.subheader("Downloads", anchor=False)
    st.caption("Everything there is about a subject, not only what is shown here.")
    download_all(desk)


def _show_definitions() -> None:
    with st.expander("What the words mean"):
        for word, meaning in DEFINITIONS.items():
            st.markdown(f"**{word}** – {meaning}")
        st.markdown(f"**Statuses** – {', '.join(STATUS_WORDS[one].lower() for one in charts.SHOWN)}.")
