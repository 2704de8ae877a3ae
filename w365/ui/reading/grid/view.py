"""What part of the provider accounts a person looks at, and its form in the address, which can be shared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlencode

from w365.api.parameters import LONGEST_TEXT
from w365.model import OPEN, Age, Reason, ScoreBand, Status
from w365.store.reading.worklist import Filter, Sort
from w365.ui.frame.owner_words import NOBODY, owner_of

T = TypeVar("T")

ALL = "all"
DRIFTED = "drifted"
"""Mappings that the evidence no longer supports: a part of those that are mapped."""

GONE = "gone"
"""Customers that the provider lists no more: no status, but a part of the list all the same."""


UNSYNCED = "unsynced"
HELD = "held"
"""Rows whose automatic mapping was taken back: no match maps them before somebody releases them."""

NEW = "new"
"""What the person has not seen yet: `since` is when they were here before; without one nothing is new."""


@dataclass(frozen=True, slots=True)
class View:
    """Facets and search; None and empty do not filter. `today` is what ages are counted from.

    `sort` is a column of the grid, with a minus before it from the greatest down. It is the grid that sorts.
    """

    status: Status | None = None
    provider: int | None = None
    reason: Reason | None = None
    text: str = ""
    gone: bool = False
    drifted: bool = False
    owner: str = ""
    score: ScoreBand | None = None
    age: Age | None = None
    today: dt.date = field(default=dt.date.min, compare=False)
    unsynced: bool = False
    new: bool = False
    since: dt.datetime | None = None
    sort: str = ""
    held: bool = False

    def filter(self) -> Filter:
        since, before = self.age.days(self.today) if self.age else (None, None)
        return Filter(
            statuses=_some(self.status),
            providers=_some(self.provider),
            reasons=_some(self.reason),
            text=self.text,
            gone=True if self.gone else None,
            drifted=self.drifted,
            owner=owner_of(self.owner),
            scores=self.score.bounds if self.score else None,
            since=since,
            before=before,
            unsynced=self.unsynced,
            held=self.held,
            new_since=None if self._since is None else dt.datetime.fromtimestamp(self._since / 1000, dt.UTC),
        )

    @property
    def _since(self) -> int | None:
        """The time in the milliseconds of the rows route, so that what is counted is what is listed."""
        return int(self.since.timestamp() * 1000) if self.new and self.since is not None else None

    @property
    def facet(self) -> str:
        """Which of the first row's choices this is."""
        if self.gone or self.drifted:
            return GONE if self.gone else DRIFTED
        if self.held:
            return HELD
        if self.unsynced or self.new:
            return UNSYNCED if self.unsynced else NEW
        return self.status or ALL

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the address. The status is always there: without one the backlog is shown."""
        parts = {
            "status": str(self.facet),
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
        parts = self.parameters()
        if self.status is None:
            del parts["status"]
        since, before = self.filter().since, self.filter().before
        days = {"since": since, "before": before}
        parts.pop("age", None)
        parts.pop("sort", None)
        parts |= {name: day.isoformat() for name, day in days.items() if day}
        flags = {"gone": self.gone, "drifted": self.drifted, "unsynced": self.unsynced, "held": self.held}
        parts |= {name: "1" for name, is_on in flags.items() if is_on}
        if self._since is not None:
            parts["new_since"] = str(self._since)
        return urlencode(parts)


def read_view(parameters: Mapping[str, str], providers: Collection[int], owners: Collection[str] = ()) -> View | None:
    """Read the view of an address; None when it names no status. Parts that are unknown do not filter."""
    status = parameters.get("status", "")
    if status not in (ALL, GONE, DRIFTED, UNSYNCED, HELD, NEW, *Status):
        return None
    number, reason = parameters.get("provider", ""), parameters.get("reason", "")
    owner, score, age = (parameters.get(name, "") for name in ("owner", "score", "age"))
    return View(
        status=Status(status) if status in list(Status) else None,
        provider=next((one for one in providers if str(one) == number), None),
        reason=Reason(reason) if reason in list(Reason) else None,
        text=parameters.get("text", "")[:LONGEST_TEXT],
        gone=status == GONE,
        drifted=status == DRIFTED,
        owner=owner if owner == NOBODY or owner in owners else "",
        score=ScoreBand(score) if score in list(ScoreBand) else None,
        age=Age(age) if age in list(Age) else None,
        unsynced=status == UNSYNCED,
        new=status == NEW,
        sort=read_sort(parameters),
        held=status == HELD,
    )


def read_sort(parameters: Mapping[str, str]) -> str:
    """Read by what the rows of an address are sorted; empty where it says nothing that is known."""
    text = parameters.get("sort", "")
    return text if text.removeprefix("-") in list(Sort) else ""


def first_view(amounts: Mapping[Status, int]) -> View:
    """Choose what to show a person who did not say: what is open, or everything when nothing is."""
    return View(next((status for status in OPEN if amounts.get(status)), None))


def _some(value: T | None) -> tuple[T, ...]:
    return () if value is None else (value,)
