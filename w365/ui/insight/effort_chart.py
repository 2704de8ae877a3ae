"""The chart of people's work by the week, and the table it is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from w365.service.insight.periods import WeekOfWork
from w365.ui.frame.palette import people_colours
from w365.ui.insight.charts import Chart, coloured, number_of, tooltip_of

if TYPE_CHECKING:
    import pandas as pd

MOST_PEOPLE = 6
OTHERS = "others"


def effort_frame(work: Sequence[WeekOfWork]) -> pd.DataFrame:
    """One row a week, one column a person, those who decided the most first; the rest are summed as others."""
    import pandas as pd

    sums: dict[str, int] = {}
    for effort in work:
        sums[effort.actor] = sums.get(effort.actor, 0) + effort.decisions
    most = sorted(sums, key=lambda name: (-sums[name], name))
    shown = most if len(most) <= MOST_PEOPLE else most[: MOST_PEOPLE - 1]
    names = [*shown, *([OTHERS] if len(most) > len(shown) else [])]
    weeks: dict[str, dict[str, int]] = {}
    for effort in work:
        week = weeks.setdefault(effort.monday.isoformat(), dict.fromkeys(names, 0))
        week[effort.actor if effort.actor in shown else OTHERS] += effort.decisions
    rows = [{"Week of": monday, **amounts, "All": sum(amounts.values())} for monday, amounts in weeks.items()]
    return pd.DataFrame(rows, columns=["Week of", *names, "All"])


def effort_bars(frame: pd.DataFrame, *, dark: bool) -> Chart:
    """One bar a week, its parts the people."""
    names = list(frame.columns[1:-1])
    long = frame.melt("Week of", names, "Person", "Decisions")
    long["order"] = long["Person"].map(names.index)
    weeks = {"field": "Week of", "type": "ordinal", "title": None, "axis": {"labelAngle": 0, "labelOverlap": True}}
    amounts = number_of("Decisions", aggregate="sum", axis={"format": ",d", "tickMinStep": 1})
    encoding = {
        "x": weeks,
        "y": amounts | {"title": "Decisions by hand"},
        "color": coloured("Person", names, people_colours(dark=dark)[: len(names)]),
        "order": {"field": "order", "type": "quantitative"},
        "tooltip": [
            tooltip_of("Week of", "ordinal"),
            tooltip_of("Person"),
            tooltip_of("Decisions", "quantitative", format=",d"),
        ],
    }
    return Chart({"mark": {"type": "bar", "size": 28}, "height": 220, "encoding": encoding}, long)
