"""What part of the provider accounts a person looks at, and its form in the address, which can be shared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlencode

from w365.api.parameters import ALL, LONGEST_TEXT
from w365.model import OPEN, Age, ListPart, Reason, ScoreBand, Status
from w365.store.reading.worklist import Filter, Sort
from w365.ui.frame.owner_words import NOBODY, owner_of

T = TypeVar("T")

PARTS = (ListPart.NEW, ListPart.DRIFTED, ListPart.UNSYNCED, ListPart.HELD, ListPart.GONE)
"""The parts that the grid offers beside the statuses, in their order."""
SHOWN: tuple[Status | ListPart, ...] = (*Status, *PARTS)


@dataclass(frozen=True, slots=True)
class View:
    """Facets and search; None and empty do not filter. `today` is what ages are counted from.

    `sort` is a column of the grid, with a minus before it from the greatest down. It is the grid that sorts. `since` is
    when the person was here before: without it nothing is new.
    """

    shown: Status | ListPart | None = None
    provider: int | None = None
    reason: Reason | None = None
    text: str = ""
    owner: str = ""
    score: ScoreBand | None = None
    age: Age | None = None
    today: dt.date = field(default=dt.date.min, compare=False)
    since: dt.datetime | None = None
    sort: str = ""

    def filter(self) -> Filter:
        since, before = self.age.days(self.today) if self.age else (None, None)
        return Filter(
            statuses=(self.shown,) if isinstance(self.shown, Status) else (),
            providers=_some(self.provider),
            reasons=_some(self.reason),
            text=self.text,
            part=self.shown if isinstance(self.shown, ListPart) and self.shown is not ListPart.NEW else None,
            owner=owner_of(self.owner),
            scores=self.score.bounds if self.score else None,
            since=since,
            before=before,
            new_since=None if self._since is None else dt.datetime.fromtimestamp(self._since / 1000, dt.UTC),
        )

    @property
    def _since(self) -> int | None:
        """The time in the milliseconds of the rows route, so that what is counted is what is listed."""
        return int(self.since.timestamp() * 1000) if self.shown is ListPart.NEW and self.since is not None else None

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the address. The status is always there: without one the backlog is shown."""
        parts = {
            "status": self.shown or ALL,
            "provider": "" if self.provider is None else str(self.provider),
            "reason": self.reason.value if self.reason else "",
            "text": self.text,
            "owner": self.owner,
            "score": self.score.value if self.score else "",
            "age": self.age.value if self.age else "",
            "sort": self.sort,
        }
        return {name: value for name, value in parts.items() if value}

    def rows_query(self) -> str:
        """Return the query string for the rows route, percent-encoded throughout."""
        days = {"since": self.filter().since, "before": self.filter().before}
        parts = {name: value for name, value in self.parameters().items() if name not in ("age", "sort")}
        parts |= {name: day.isoformat() for name, day in days.items() if day}
        if self._since is not None:
            parts["new_since"] = str(self._since)
        return urlencode(parts)


def read_view(parameters: Mapping[str, str], providers: Collection[int], owners: Collection[str] = ()) -> View | None:
    """Read the view of an address; None when it names no status. Parts that are unknown do not filter."""
    asked = parameters.get("status", "")
    shown = read_shown(asked)
    if shown is None and asked != ALL:
        return None
    number, reason = parameters.get("provider", ""), parameters.get("reason", "")
    owner, score, age = (parameters.get(name, "") for name in ("owner", "score", "age"))
    return View(
        shown=shown,
        provider=next((provider for provider in providers if str(provider) == number), None),
        reason=Reason(reason) if reason in list(Reason) else None,
        text=parameters.get("text", "")[:LONGEST_TEXT],
        owner=owner if owner == NOBODY or owner in owners else "",
        score=ScoreBand(score) if score in list(ScoreBand) else None,
        age=Age(age) if age in list(Age) else None,
        sort=read_sort(parameters),
    )


def read_shown(word: str) -> Status | ListPart | None:
    """Read which status or part of the list a word of the address means; None for all, and for what is none."""
    return next((shown for shown in SHOWN if shown == word), None)


def read_sort(parameters: Mapping[str, str]) -> str:
    """Read by what the rows of an address are sorted; empty where it says nothing that is known."""
    text = parameters.get("sort", "")
    return text if text.removeprefix("-") in list(Sort) else ""


def first_view(amounts: Mapping[Status, int]) -> View:
    """Choose what to show a person who did not say: what is open, or everything when nothing is."""
    return View(next((status for status in OPEN if amounts.get(status)), None))


def _some(value: T | None) -> tuple[T, ...]:
    return () if value is None else (value,)
