"""What charts are drawn from: a history over dates, in the page's own colours, and bars with room for their numbers."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from w365.service.insight.statistics import RuleTotals
from w365.service.insight.totals import HistoryPoint, Totals
from w365.ui.insight import charts

START = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("step", "labels"),
    [
        (dt.timedelta(hours=2), ["09:00", "11:00", "13:00"]),
        (dt.timedelta(days=20), ["Mar 01", "Mar 21", "Apr 10"]),
        (dt.timedelta(days=300), ["Mar 2026", "Dec 2026", "Oct 2027"]),
    ],
)
def test_runs_are_named_by_when_they_were_as_finely_as_needed(step: dt.timedelta, labels: list[str]) -> None:
    history = [
        HistoryPoint(run, START + place * step, Totals(run, 0, 0, 0, 0, 0)) for place, run in enumerate((3, 8, 9))
    ]
    line = charts.history_line(charts.history_frame(history, dt.UTC), "Backlog", "#123456")
    expression = line.spec["encoding"]["x"]["axis"]["labelExpr"]
    assert json.loads(expression.removesuffix(")[datum.label]")[1:]) == dict(zip(("3", "8", "9"), labels, strict=True))
    assert line.spec["mark"]["point"] == {"color": "#123456", "filled": True}


def test_many_runs_are_a_line_without_dots() -> None:
    history = [HistoryPoint(run, START + dt.timedelta(days=run), Totals(1, 0, 0, 0, 0, 0)) for run in range(61)]
    assert (
        charts.history_line(charts.history_frame(history, dt.UTC), "Backlog", "#123456").spec["mark"]["point"] is False
    )


def test_the_longest_bar_leaves_room_for_its_number() -> None:
    frame = charts.source_frame([RuleTotals("By hand", 228_561), RuleTotals("Imported", 7)])
    assert charts.draw_bars(frame, "Source", "Mappings").spec["encoding"]["x"]["scale"]["domainMax"] > 300_000
