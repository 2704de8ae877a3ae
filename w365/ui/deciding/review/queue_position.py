"""Where a person is in the queue: plain values, decided without the screen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from w365.model import ListPart, Status
from w365.service.reading.review_queue import Queue
from w365.store.reading.worklist import Filter
from w365.ui.frame.owner_words import NOBODY, owner_of

STATUSES: Mapping[str, str] = {
    "": "All open",
    Status.UNMAPPED.value: "Unmapped",
    Status.CONFLICT.value: "In conflict",
    ListPart.BACK.value: "Back from park",
}


@dataclass(frozen=True, slots=True)
class QueueChoice:
    """What part of the queue a person works on; empty parts do not filter."""

    status: str = ""
    provider: int | None = None
    owner: str = ""

    def filter(self) -> Filter:
        is_status = self.status in list(Status)
        return Filter(
            statuses=(Status(self.status),) if is_status else (),
            providers=() if self.provider is None else (self.provider,),
            owner=owner_of(self.owner),
            part=ListPart.BACK if self.status == ListPart.BACK else None,
        )

    def parameters(self) -> dict[str, str]:
        parts = {"status": self.status, "provider": str(self.provider or ""), "owner": self.owner}
        return {name: value for name, value in parts.items() if value}


def read_choice(parameters: Mapping[str, str], providers: Collection[int], owners: Collection[str]) -> QueueChoice:
    """Read the choice of an address; parts that are unknown do not filter."""
    status, owner, number = (parameters.get(name, "") for name in ("status", "owner", "provider"))
    return QueueChoice(
        status if status in STATUSES else "",
        next((provider for provider in providers if str(provider) == number), None),
        owner if owner == NOBODY or owner in owners else "",
    )


@dataclass(frozen=True, slots=True)
class Walk:
    """The queue as it was when the walk began, and the place in it."""

    ids: tuple[int, ...]
    total: int
    at: int = 0

    @property
    def row(self) -> int | None:
        return self.ids[self.at] if self.at < len(self.ids) else None

    @property
    def following(self) -> int | None:
        return self.ids[self.at + 1] if self.at + 1 < len(self.ids) else None

    @property
    def has_more(self) -> bool:
        """Whether rows wait beyond those that were read."""
        return self.total > len(self.ids)

    def on(self) -> Walk:
        return replace(self, at=min(self.at + 1, len(self.ids)))

    def to(self, row: int) -> Walk:
        """Go to a row; one that is not in the queue comes next."""
        if row in self.ids:
            return replace(self, at=self.ids.index(row))
        return replace(self, ids=(*self.ids[: self.at], row, *self.ids[self.at :]))

    def progress(self) -> str:
        return f"{min(self.at + 1, self.total):,} of {self.total:,}"


def begin_walk(queue: Queue) -> Walk:
    return Walk(queue.ids, queue.total)
