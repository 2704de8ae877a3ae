"""Weights of signals as learned from what people decided here: how many times as much each counts as delivered.

They order candidates and say how likely each is; no mapping is ever written by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from w365.model import Signal


@dataclass(frozen=True, slots=True)
class Weights:
    """How many times as much as delivered each signal counts, by its name; those not named count as delivered.

    ``start`` is added to the odds of every account.
    """

    times: Mapping[str, float] = field(default_factory=dict)
    start: float = 0.0

    def apply(self, signals: Sequence[Signal]) -> tuple[Signal, ...]:
        """Give the signals with their weights as learned, strongest first."""
        if not self.times:
            return tuple(signals)
        weighed = [replace(each, weight=round(each.weight * self.times.get(each.name, 1.0), 2)) for each in signals]
        return tuple(sorted(weighed, key=lambda signal: (-abs(signal.weight), signal.name)))


DELIVERED = Weights()


@dataclass(frozen=True, slots=True)
class Choice:
    """What was decided of one customer: its candidates' signals as delivered, and which of them may be right.

    ``is_none`` says that the right account may be none of them. A rejection leaves all others possible.
    """

    signals: tuple[tuple[Signal, ...], ...]
    may_be: tuple[bool, ...]
    is_none: bool


@dataclass(frozen=True, slots=True)
class Learned:
    """Weights, from how many decisions, and of those held out the share with the right account first, then and now."""

    weights: Weights
    decisions: int
    right_before: float
    right_after: float
    loss_before: float
    loss_after: float

    @property
    def is_better(self) -> bool:
        """Whether the learned weights may be used: no fewer right, and likelier what was decided."""
        return self.right_after >= self.right_before and self.loss_after < self.loss_before
