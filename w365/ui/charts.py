"""Charts. Each has its table twin beside it, made of the same frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from w365.matching.words import STATUS_WORDS
from w365.model import Status
from w365.service.statistics import ProviderTotals, ReasonTotals, RuleTotals
from w365.service.totals import HistoryPoint, Totals
from w365.ui.palette import is_dark, primary_colour, status_colours

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

    Chart = Any  # altair ships no complete types for what its methods return

SHOWN = (Status.MAPPED, Status.CONFLICT, Status.UNMAPPED, Status.PARKED, Status.EXCLUDED)
_ROW_HEIGHT = 34


def chart_and_table(chart: Chart, frame: pd.DataFrame, *, named: str, **columns: Any) -> None:
    """Show a chart and, one click away, the numbers it is drawn from."""
    drawn, listed = st.tabs(["Chart", "Table"])
    with drawn:
        st.altair_chart(chart, alt=named)
    with listed:
        table(frame, named=named, **columns)


def table(frame: pd.DataFrame, *, named: str, **columns: Any) -> None:
    st.dataframe(frame, hide_index=True, column_config=columns or None, alt=f"{named}, as a table")


def share_column(label: str) -> Any:
    return st.column_config.NumberColumn(label, format="%.1f %%")


def amount_column(label: str) -> Any:
    return st.column_config.NumberColumn(label, format="localized")


# --- the frames ---


def provider_frame(providers: Sequence[ProviderTotals]) -> pd.DataFrame:
    import pandas as pd

    rows = [{"Provider": one.provider, **_amounts(one.totals)} for one in providers]
    return pd.DataFrame(rows, columns=["Provider", *_amounts(_NOTHING)])


def reason_frame(reasons: Sequence[ReasonTotals]) -> pd.DataFrame:
    import pandas as pd

    from w365.matching.words import REASON_WORDS

    rows = [(REASON_WORDS[one.reason], one.accounts, one.seats, one.words) for one in reasons]
    return pd.DataFrame(rows, columns=["Reason", "Provider accounts", "Blocked seats", "Meaning"])


def source_frame(sources: Sequence[RuleTotals]) -> pd.DataFrame:
    import pandas as pd

    whole = sum(one.accounts for one in sources)
    rows = [(one.source, one.accounts, 100 * one.accounts / whole) for one in sources]
    return pd.DataFrame(rows, columns=["Source", "Mappings", "Share"])


def history_frame(history: Sequence[HistoryPoint], zone: dt.tzinfo) -> pd.DataFrame:
    """The latest run last; times are local."""
    import pandas as pd

    rows = [
        {"Run": one.run_id, "Time": one.at.astimezone(zone), **_amounts(one.totals), "Drifted": one.drifted}
        for one in history
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


def status_bars(frame: pd.DataFrame) -> Chart:
    """One bar a provider, its parts the statuses, in the order of the words."""
    import altair as alt

    words = [STATUS_WORDS[status] for status in SHOWN]
    colours = status_colours(dark=is_dark())
    long = frame.melt("Provider", words, "Status", "Provider accounts")
    long["order"] = long["Status"].map(words.index)
    return (
        alt.Chart(long, height=alt.Step(_ROW_HEIGHT))
        .mark_bar()
        .encode(
            x=alt.X("sum(Provider accounts):Q", title=None, axis=alt.Axis(format=",d", tickMinStep=1)),
            y=alt.Y("Provider:N", title=None, sort=None, axis=alt.Axis(labelLimit=240)),
            color=alt.Color(
                "Status:N",
                title=None,
                legend=alt.Legend(orient="bottom"),
                scale=alt.Scale(domain=words, range=[colours[status] for status in SHOWN]),
            ),
            order=alt.Order("order:Q"),
            tooltip=["Provider:N", "Status:N", alt.Tooltip("Provider accounts:Q", format=",d")],
        )
    )


def bars(frame: pd.DataFrame, label: str, amount: str) -> Chart:
    """Bars of one colour, the longest first as they come, each with its number."""
    import altair as alt

    dark = is_dark()
    plot = alt.Chart(frame, height=alt.Step(_ROW_HEIGHT)).encode(
        x=alt.X(f"{amount}:Q", title=None, axis=None),
        y=alt.Y(f"{label}:N", title=None, sort=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False)),
        tooltip=[f"{label}:N", alt.Tooltip(f"{amount}:Q", format=",d")],
    )
    ink = "#e5ecf1" if dark else "#17242e"
    drawn = plot.mark_bar(color=primary_colour(dark=dark))
    return drawn + plot.mark_text(align="left", dx=4, color=ink).encode(text=alt.Text(f"{amount}:Q", format=",d"))


def history_line(frame: pd.DataFrame, column: str, colour: str, *, suffix: str = "") -> Chart:
    """One number over the runs; runs stand at equal distances, as minutes or weeks may lie between them."""
    import altair as alt

    return (
        alt.Chart(frame, height=220)
        .mark_line(point=True, color=colour)
        .encode(
            x=alt.X("Run:O", title="Match run", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y(
                f"{column}:Q",
                title=f"{column}{suffix}",
                scale=alt.Scale(zero=False, nice=True),
                axis=alt.Axis(format=",.1f" if suffix else ",d", tickCount=5),
            ),
            tooltip=["Run:O", "Time:T", alt.Tooltip(f"{column}:Q", format=",.1f" if suffix else ",d")],
        )
    )
