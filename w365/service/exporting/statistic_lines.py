"""The statistics as lines: section, name, measure, value. The same numbers as on the screen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.exporting.subjects import Record
from w365.service.insight.periods import read_effort, read_history
from w365.service.insight.statistics import Statistics, read_statistics
from w365.service.insight.totals import HistoryPoint, Totals

SECTIONS = ("Total", "Provider", "Mapped by", "Not mapped because", "History", "Effort")


@needs(Role.VIEWER)
def statistic_lines(
    service: Service, actor: Actor, sections: tuple[str, ...] = (), since: dt.datetime | None = None
) -> Iterator[Record]:
    """Read the lines of these sections, or of all; the history holds the points that the screen draws."""
    chosen = sections or SECTIONS
    if not {"History", "Effort"}.issuperset(chosen):
        lines = _lines(read_statistics(service, actor, history=0))
        yield from (line for line in lines if line["section"] in chosen)
    if "History" in chosen:
        yield from _history(read_history(service, actor, since))
    if "Effort" in chosen:
        for week in read_effort(service, actor):
            yield _line("Effort", f"{week.actor}, week of {week.monday}", "decisions by hand", week.decisions)


def _line(section: str, name: str, measure: str, value: float | None) -> Record:
    return {"section": section, "name": name, "measure": measure, "value": value}


def _lines(statistics: Statistics) -> Iterator[Record]:
    yield from (_line("Total", "All providers", *pair) for pair in _measures(statistics.totals))
    yield from (_line("Total", "All providers", *pair) for pair in _only_now(statistics))
    for provider in statistics.by_provider:
        yield from (_line("Provider", provider.provider, *pair) for pair in _measures(provider.totals))
    for source in statistics.by_source:
        yield _line("Mapped by", source.source, "provider accounts", source.accounts)
    for reason in statistics.by_reason:
        yield _line("Not mapped because", reason.words, "provider accounts", reason.accounts)
        yield _line("Not mapped because", reason.words, "seats", reason.seats)


def _history(points: Iterable[HistoryPoint]) -> Iterator[Record]:
    for point in points:
        name = f"Run {point.run_id}, {point.at:%Y-%m-%d %H:%M} UTC"
        yield from (_line("History", name, *pair) for pair in _measures(point.totals))
        yield _line("History", name, "drifted", point.drifted)


def _only_now(statistics: Statistics) -> list[tuple[str, float | None]]:
    """Numbers that no snapshot holds."""
    waits = statistics.at - statistics.oldest_open if statistics.oldest_open else None
    return [
        ("blocked subscriptions", statistics.blocked_subscriptions),
        ("blocking provider accounts", statistics.blocking),
        ("oldest open in days", _in(waits, dt.timedelta(days=1))),
        ("median time to map in hours", _in(statistics.median_time_to_map, dt.timedelta(hours=1))),
        ("share by hand", None if statistics.by_hand is None else round(statistics.by_hand, 6)),
        ("drifted", statistics.drifted),
    ]


def _in(span: dt.timedelta | None, unit: dt.timedelta) -> float | None:
    return None if span is None else round(span / unit, 2)


def _measures(totals: Totals) -> list[tuple[str, float | None]]:
    rate = totals.match_rate
    return [
        ("in scope", totals.in_scope),
        ("mapped", totals.mapped),
        ("conflict", totals.conflict),
        ("unmapped", totals.unmapped),
        ("parked", totals.parked),
        ("excluded", totals.excluded),
        ("backlog", totals.backlog),
        ("match rate", None if rate is None else round(rate, 6)),
        ("blocked seats", totals.blocked_seats),
    ]
