"""Charts. Each has its table twin beside it, made of the same frame."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from w365.matching.messages import REASON_WORDS, STATUS_WORDS
from w365.model import Status
from w365.service.insight.statistics import ProviderTotals, ReasonTotals, RuleTotals
from w365.service.insight.totals import HistoryPoint, Totals
from w365.ui.frame.palette import is_dark, primary_colour, status_colours

if TYPE_CHECKING:
    import pandas as pd

SHOWN = (Status.MAPPED, Status.CONFLICT, Status.UNMAPPED, Status.PARKED, Status.EXCLUDED)
_ROW_HEIGHT = 34
_ROOM = 1.35  # of the longest bar, for its number also in a narrow window
_MOST_DOTS = 60
_YEAR = 365


@dataclass(frozen=True, slots=True)
class Chart:
    """A Vega-Lite description and its data. Written out, as the library that would write it takes 26 MB."""

    spec: dict[str, Any]
    data: pd.DataFrame


def chart_and_table(chart: Chart, frame: pd.DataFrame, *, named: str, **columns: Any) -> None:
    """Show a chart and, one click away, the numbers it is drawn from."""
    drawn, listed = st.tabs(["Chart", "Table"])
    with drawn:
        st.vega_lite_chart(chart.data, chart.spec, alt=named)
    with listed:
        table(frame, named=named, **columns)


def table(frame: pd.DataFrame, *, named: str, **columns: Any) -> None:
    st.dataframe(frame, hide_index=True, column_config=columns or None, alt=f"{named}, as a table")


def share_column(label: str) -> Any:
    return st.column_config.NumberColumn(label, format="%.1f %%")


# --- the frames ---


def provider_frame(providers: Sequence[ProviderTotals]) -> pd.DataFrame:
    import pandas as pd

    rows = [{"Provider": provider.provider, **_amounts(provider.totals)} for provider in providers]
    return pd.DataFrame(rows, columns=["Provider", *_amounts(_NOTHING)])


def reason_frame(reasons: Sequence[ReasonTotals]) -> pd.DataFrame:
    import pandas as pd

    rows = [(REASON_WORDS[reason.reason], reason.accounts, reason.seats, reason.words) for reason in reasons]
    return pd.DataFrame(rows, columns=["Reason", "Provider accounts", "Blocked seats", "Meaning"])


def source_frame(sources: Sequence[RuleTotals]) -> pd.DataFrame:
    import pandas as pd

    whole = sum(source.accounts for source in sources)
    rows = [(source.source, source.accounts, 100 * source.accounts / whole) for source in sources]
    return pd.DataFrame(rows, columns=["Source", "Mappings", "Share"])


def history_frame(history: Sequence[HistoryPoint], zone: dt.tzinfo) -> pd.DataFrame:
    """The latest run last; times are local."""
    import pandas as pd

    rows = [
        {"Run": point.run_id, "Time": point.at.astimezone(zone), **_amounts(point.totals), "Drifted": point.drifted}
        for point in history
    ]
    return pd.DataFrame(rows, columns=["Run", "Time", *_amounts(_NOTHING), "Drifted"])


_NOTHING = Totals(0, 0, 0, 0, 0, 0)


def _amounts(totals: Totals) -> dict[str, float | int | None]:
    rate = totals.match_rate
    return {
        "Match rate": None if rate is None else 100 * rate,
        "Backlog": totals.backlog,
        **{STATUS_WORDS[status]: getattr(totals, status.value) for status in SHOWN},
        "Blocked seats": totals.blocked_seats,
    }


# --- the charts ---


def number_of(column: str, **options: Any) -> dict[str, Any]:
    return {"field": column, "type": "quantitative", "title": None, **options}


def name_of(column: str, **options: Any) -> dict[str, Any]:
    return {"field": column, "type": "nominal", "title": None, "sort": None, **options}


def tooltip_of(column: str, kind: str = "nominal", **options: Any) -> dict[str, Any]:
    return {"field": column, "type": kind, **options}


def coloured(column: str, names: Sequence[str], colours: Sequence[str]) -> dict[str, Any]:
    scale = {"domain": list(names), "range": list(colours)}
    return {"field": column, "type": "nominal", "title": None, "legend": {"orient": "bottom"}, "scale": scale}


def status_bars(frame: pd.DataFrame) -> Chart:
    """One bar a provider, its parts the statuses, in the order of the words."""
    words = [STATUS_WORDS[status] for status in SHOWN]
    colours = status_colours(dark=is_dark())
    long = frame.melt("Provider", words, "Status", "Provider accounts")
    long["order"] = long["Status"].map(words.index)
    amounts = number_of("Provider accounts", aggregate="sum", axis={"format": ",d", "tickMinStep": 1})
    encoding = {
        "x": amounts,
        "y": name_of("Provider", axis={"labelLimit": 240}),
        "color": coloured("Status", words, [colours[status] for status in SHOWN]),
        "order": {"field": "order", "type": "quantitative"},
        "tooltip": [
            tooltip_of("Provider"),
            tooltip_of("Status"),
            tooltip_of("Provider accounts", "quantitative", format=",d"),
        ],
    }
    return Chart({"mark": "bar", "height": {"step": _ROW_HEIGHT}, "encoding": encoding}, long)


def draw_bars(frame: pd.DataFrame, label: str, amount: str) -> Chart:
    """Bars of one colour, the longest first as they come, each with its number."""
    dark = is_dark()
    room = {"domainMax": _ROOM * float(frame[amount].max())}
    encoding = {
        "x": number_of(amount, axis=None, scale=room),
        "y": name_of(label, axis={"labelLimit": 260, "ticks": False, "domain": False}),
        "tooltip": [tooltip_of(label), tooltip_of(amount, "quantitative", format=",d")],
    }
    drawn = {"mark": {"type": "bar", "color": primary_colour(dark=dark)}}
    written = {
        "mark": {"type": "text", "align": "left", "dx": 4, "color": "#e5ecf1" if dark else "#17242e"},
        "encoding": {"text": tooltip_of(amount, "quantitative", format=",d")},
    }
    return Chart({"height": {"step": _ROW_HEIGHT}, "encoding": encoding, "layer": [drawn, written]}, frame)


def history_line(frame: pd.DataFrame, column: str, colour: str, *, suffix: str = "") -> Chart:
    """One number over the runs; runs stand at equal distances, as minutes or weeks may lie between them."""
    form = ",.1f" if suffix else ",d"
    y_axis = {"format": form, "tickCount": 5}
    days = json.dumps(_days(list(zip(frame["Run"], frame["Time"], strict=True))))
    axis = {"labelAngle": 0, "labelOverlap": True, "labelExpr": f"({days})[datum.label]"}
    runs = {"field": "Run", "type": "ordinal", "title": "Match runs", "axis": axis}
    encoding = {
        "x": runs,
        "y": number_of(column, scale={"zero": False, "nice": True}, axis=y_axis) | {"title": f"{column}{suffix}"},
        "tooltip": [
            tooltip_of("Run", "ordinal"),
            tooltip_of("Time", "temporal"),
            tooltip_of(column, "quantitative", format=form),
        ],
    }
    dots = {"color": colour, "filled": True} if len(frame) <= _MOST_DOTS else False
    mark = {"type": "line", "point": dots, "color": colour}
    return Chart({"mark": mark, "height": 220, "encoding": encoding}, frame)


def _days(runs: Sequence[tuple[int, dt.datetime]]) -> dict[str, str]:
    """Say when each run was, as finely as the time they span asks for."""
    span = runs[-1][1] - runs[0][1]
    form = "%H:%M" if span.days < 1 else "%b %d" if span.days < _YEAR else "%b %Y"
    return {str(run): f"{at:{form}}" for run, at in runs}
