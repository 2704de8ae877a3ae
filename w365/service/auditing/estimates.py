"""The arithmetic of a sample: what to draw, and what the verdicts say about all. No database."""

from __future__ import annotations

import math
import random
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

_Z = 1.959963984540054
"""For 95 %."""

S = TypeVar("S", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with the bounds between which the true one lies in 95 of 100 samples."""

    share: float
    low: float
    high: float


def wilson_interval(good: int, judged: int) -> Interval | None:
    """Estimate a share from a sample (Wilson's score interval); None before anything is judged.

    Unlike the textbook interval it stays inside 0 and 1 and says something where all are good.
    """
    if not judged:
        return None
    share, square = good / judged, _Z * _Z
    centre = (share + square / (2 * judged)) / (1 + square / judged)
    half = _Z / (1 + square / judged) * math.sqrt(share * (1 - share) / judged + square / (4 * judged * judged))
    return Interval(share, max(centre - half, 0.0), min(centre + half, 1.0))


def draw_from_strata(strata: Mapping[S, Sequence[int]], size: int, seed: int) -> list[int]:
    """Draw `size` of the ids, from each stratum its share, in random order; the same seed draws the same.

    As each stratum has its share, the share of good ones in the sample estimates that of all without weights.
    """
    chance = random.Random(seed)  # noqa: S311 - a sample that can be drawn again, no secret
    shares = apportion({name: len(ids) for name, ids in strata.items()}, size)
    drawn = [row_id for name in strata for row_id in chance.sample(sorted(strata[name]), shares[name])]
    chance.shuffle(drawn)
    return drawn


def apportion(amounts: Mapping[S, int], size: int) -> dict[S, int]:
    """Divide `size` among the strata in proportion, by largest remainder; never more than there are."""
    whole = sum(amounts.values())
    size = min(size, whole)
    if not size:
        return dict.fromkeys(amounts, 0)
    shares = {name: size * count // whole for name, count in amounts.items()}
    left = size - sum(shares.values())
    by_remainder = sorted(amounts, key=lambda name: -(size * amounts[name] % whole))
    return shares | {name: shares[name] + 1 for name in by_remainder[:left]}
