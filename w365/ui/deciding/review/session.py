"""What the Review page keeps of a person's walk through the queue, and what its keys do."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from w365.errors import SignedOut, W365Error
from w365.matching.messages import DECISION_WORDS
from w365.model import OPEN
from w365.service.deciding import mapping
from w365.service.deciding.undo_own import Before, remember_candidates, undo_own
from w365.service.reading.facets import count_by_owner
from w365.service.reading.records import Record
from w365.service.reading.review_queue import narrow_to_open, read_if_open, read_queue
from w365.ui.deciding.record.decide import Work
from w365.ui.deciding.record.words import say_settled
from w365.ui.deciding.review.queue_position import QueueChoice, Walk, begin_walk
from w365.ui.frame.page_context import PageContext

LOOKUP = "Another account"
REASONS = {"park": "Reason to park", "exclude": "Reason to exclude"}
"""The forms by name, with the label of their field."""
TOO_SOON = 0.4
"""Seconds in which nobody has read a row and decided about it."""

_MOST_STEPS = 100


Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Step:
    """One decision of this walk, with what taking it back needs."""

    decision_id: int
    name: str
    before: Before


@dataclass
class Review:
    """A walk. The methods are what the keys do; each is called before the page runs again."""

    context: PageContext
    choice: QueueChoice
    walk: Walk
    owners: Mapping[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    decided: int = 0
    ahead: Record | None = None
    form: str = ""
    reasons: dict[str, str] = field(default_factory=dict)
    error: W365Error | None = None
    message: str = ""
    focus: str = ""
    nonce: int = 0
    shown: tuple[int, int] | None = None
    shown_at: float = 0.0
    clock: Callable[[], float] = time.monotonic

    def record(self) -> Record | None:
        """Return the record to decide; rows that were decided elsewhere meanwhile are passed by."""
        while (row := self.walk.row) is not None:
            record = read_if_open(self.context.service, self.context.actor, row, self.ahead)
            if record is not None:
                return record
            self.walk = self.walk.on()
        return None

    def look_ahead(self) -> None:
        """Read the next record while the person reads this one."""
        following = self.walk.following
        if following is not None:
            self.ahead = read_if_open(self.context.service, self.context.actor, following, self.ahead)

    def has_shown(self, record: Record) -> None:
        """Note from when on a person can have seen this record."""
        now = (record.row.id, record.row.version)
        if self.shown != now:
            self.shown, self.shown_at = now, self.clock()

    def _is_meant(self, record: Record) -> bool:
        """Whether a key can have been meant for this record.

        While the page changes rows, one press reaches the buttons of both: that of the old row is done already, and
        nobody can have read the new one.
        """
        if (record.row.id, record.row.version) != self.shown:
            return False
        if self.clock() - self.shown_at < TOO_SOON:
            self.error, self.message = None, f"{record.row.name} had only just come; press the key again"
            return False
        return True

    def restart(self, choice: QueueChoice | None = None) -> None:
        """Begin with what waits now, of another choice where one is given, and count it by owner."""
        chosen = choice or self.choice
        service, actor, rows = self.context.service, self.context.actor, narrow_to_open(chosen.filter())
        self.walk = begin_walk(read_queue(service, actor, rows))
        self.owners = count_by_owner(service, actor, rows)
        self.choice, self.form = chosen, ""

    def take(self, record: Record, work: Work) -> None:
        """Decide. A row that is settled is left; one with a candidate less stays."""
        self._decide(record, work)

    def _decide(self, record: Record, work: Work) -> bool:
        """Return whether it was done."""
        if not self._is_meant(record):
            return False
        whose = (self.context.service, self.context.actor, record.row.id)
        done = self._try(lambda: (remember_candidates(*whose), work(record.row.version)))
        if done is None:
            return False
        before, decided = done
        self.steps = [*self.steps, Step(decided.decision_id, record.row.name, before)]
        self.steps = self.steps[-_MOST_STEPS:]
        if decided.row.status in OPEN:
            self.message = f"{record.row.name}: {DECISION_WORDS[decided.kind].lower() if decided.kind else 'saved'}"
            return True
        self.decided += 1
        self.message = say_settled(decided.row)
        self.walk = self.walk.on()
        return True

    def pass_by(self) -> None:
        self.form, self.error = "", None
        self.walk = self.walk.on()

    def undo(self) -> None:
        """Take back the latest decision of this walk and go to its row."""
        step = self.steps[-1]
        undone = self._try(lambda: undo_own(self.context.service, self.context.actor, step.decision_id, step.before))
        if undone is None and self.error is None:
            return  # nobody is signed in
        self.steps.pop()
        if undone is None:
            return
        row = step.before.row
        self.decided -= 0 if self.walk.row == row else 1
        self.message = f"{step.name}: taken back"
        self.walk = self.walk.to(row)

    def open_form(self, name: str) -> None:
        self.form, self.error = "" if self.form == name else name, None
        if self.form in REASONS:
            self.move_focus(REASONS[self.form])

    def move_focus(self, label: str) -> None:
        self.focus, self.nonce = label, self.nonce + 1

    def set_aside(self, record: Record, reason: str, until: dt.date | None) -> None:
        """Park or exclude, whichever form is open; the reason stands there the next time."""
        whose = (self.context.service, self.context.actor, record.row.id)
        kind, given = self.form, reason.strip()
        self.reasons[kind] = given
        if kind == "park":
            is_done = self._decide(record, lambda seen: mapping.park_row(*whose, seen=seen, reason=given, until=until))
        else:
            is_done = self._decide(record, lambda seen: mapping.exclude_row(*whose, seen=seen, reason=given))
        if is_done:
            self.form = ""

    def _try(self, work: Callable[[], Done]) -> Done | None:
        self.error, self.message = None, ""
        try:
            return work()
        except SignedOut:
            return None  # the page itself asks to sign in
        except W365Error as error:
            self.error = error
            return None
