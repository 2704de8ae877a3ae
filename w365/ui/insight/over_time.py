"""The Statistics page over time: the history that runs leave, people's work, and two periods side by side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import streamlit as st

from w365.model import Status
from w365.service.insight.periods import WEEKS, Compared, Unit, compare_periods, read_effort, read_history
from w365.ui.frame.downloads import section_download
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors, show_refusals
from w365.ui.frame.palette import is_dark, primary_colour, status_colours
from w365.ui.frame.wording import duration, local_zone, number, percent
from w365.ui.insight import charts
from w365.ui.insight.effort_chart import effort_bars, effort_frame

_DAYS: Mapping[str, int | None] = {"30 days": 30, "90 days": 90, "A year": 365, "Everything": None}
_SPAN, _USUAL = "statistics_span", "90 days"
_MEASURES = ("Match rate", "Backlog", "Blocked seats", "Drifted")


@st.fragment
def show_history(context: PageContext) -> None:
    with report_errors():
        days = _DAYS[st.session_state.get(_SPAN, _USUAL)]
        since = None if days is None else context.service.clock() - dt.timedelta(days=days)
        section_download("Over time", context, "History", since)
        with st.container(horizontal=True):
            measure = st.segmented_control("Number", _MEASURES, default=_MEASURES[0], required=True) or _MEASURES[0]
            st.segmented_control("Time", list(_DAYS), default=_USUAL, required=True, key=_SPAN)
        history = read_history(context.service, context.actor, since)
        if len(history) < 2:
            st.info("Each match leaves one point. The lines begin with the second one.")
            return
        frame = charts.history_frame(history, local_zone())
        is_share = measure == "Match rate"
        line = charts.history_line(frame, measure, _colour(measure), suffix=" in %" if is_share else "")
        columns = {"Match rate": charts.share_column("Match rate")}
        charts.chart_and_table(line, frame.iloc[::-1], named=f"{measure} by match run", **columns)


def _colour(measure: str) -> str:
    dark = is_dark()
    status = {"Backlog": Status.UNMAPPED, "Blocked seats": Status.UNMAPPED, "Drifted": Status.CONFLICT}.get(measure)
    return primary_colour(dark=dark) if status is None else status_colours(dark=dark)[status]


def show_effort(context: PageContext) -> None:
    section_download("Manual effort", context, "Effort")
    work = read_effort(context.service, context.actor)
    if not work:
        st.info(f"Nobody has decided anything by hand in the last {WEEKS} weeks.")
        return
    st.caption(f"Decisions by hand per person and week, the last {WEEKS} weeks. Weeks begin on Monday, in UTC.")
    frame = effort_frame(work)
    charts.chart_and_table(effort_bars(frame, dark=is_dark()), frame.iloc[::-1], named="Decisions by person and week")


@st.fragment
def show_comparison(context: PageContext) -> None:
    """Two periods, by default the last seven days and the seven before them, with the difference."""
    with report_errors():
        st.subheader("Compare two periods", anchor=False)
        today = context.service.clock().astimezone(local_zone()).date()
        last, before = today - dt.timedelta(days=6), today - dt.timedelta(days=13)
        left, right = st.columns(2)
        first = _ask_period(left, "First period", before, last - dt.timedelta(days=1))
        second = _ask_period(right, "Second period", last, today)
        if first is None or second is None:
            st.info("Choose the first and the last day of both periods.")
            return
        with show_refusals():
            compared_numbers = compare_periods(context.service, context.actor, first, second)
            st.dataframe(
                [_compared_row(compared_number_) for compared_number_ in compared_numbers],
                hide_index=True,
                height="content",
                column_config=_COMPARED,
                alt="Two periods compared",
            )


def _ask_period(column: Any, label: str, start: dt.date, end: dt.date) -> tuple[dt.datetime, dt.datetime] | None:
    """Whole days in the person's own zone; None while only one day is chosen."""
    chosen = column.date_input(label, value=(start, end), format="YYYY-MM-DD")
    if not isinstance(chosen, tuple) or len(chosen) != 2:
        return None
    zone = local_zone()
    first, last = (dt.datetime.combine(day, dt.time(), zone) for day in (chosen[0], chosen[1] + dt.timedelta(days=1)))
    return first, last


_COMPARED = {
    name: st.column_config.TextColumn(name, width=width, alignment="right" if name != "Number" else "left")
    for name, width in (("Number", 190), ("First period", 115), ("Second period", 115), ("Difference", 115))
}


def _compared_row(compared: Compared) -> dict[str, str]:
    return {
        "Number": compared.name,
        "First period": say_figure(compared.unit, compared.first),
        "Second period": say_figure(compared.unit, compared.second),
        "Difference": say_difference(compared.unit, compared.difference),
    }


def say_figure(unit: Unit, value: float | None) -> str:
    if value is None:
        return "–"
    if unit is Unit.SHARE:
        return percent(value)
    return duration(dt.timedelta(seconds=value)) if unit is Unit.SPAN else number(int(value))


def say_difference(unit: Unit, value: float | None) -> str:
    """Say by how much the second period has more (+) or less (−); shares differ by points."""
    if value is None:
        return "–"
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    if unit is Unit.SHARE:
        return f"{sign}{abs(value) * 100:.1f} points"
    size = abs(value)
    return f"{sign}{duration(dt.timedelta(seconds=size)) if unit is Unit.SPAN else number(int(size))}"
