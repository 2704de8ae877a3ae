"""Fits weights of signals as a choice among the candidates of a decision and *none of these* (conditional logit).

They are shrunk towards the delivered weights, so that few decisions change little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from w365.matching.scores import log_odds
from w365.matching.weights import DELIVERED, Choice, Learned, Weights

Floats = npt.NDArray[np.float64]

_SHRINKAGE = 30.0  # measured on halves of both labelled sets: with 4, few decisions are noise; see docs/matching.md
_LEAST, _MOST = -0.5, 3.0  # times as much as delivered
_STEPS = 25
_SMALL_STEP = 1e-4


def learn_weights(choices: Sequence[Choice]) -> Learned:
    """Fit on every other decision and judge on the rest, both ways; the weights given are fitted on all."""
    halves = (choices[::2], choices[1::2])
    fitted = [(fit_weights(half), other) for half, other in zip(halves, reversed(halves), strict=True)]
    before = _mean([judge for _, other in fitted for judge in _judge(other, DELIVERED)])
    after = _mean([judge for weights, other in fitted for judge in _judge(other, weights)])
    (right_before, loss_before), (right_after, loss_after) = before, after
    return Learned(fit_weights(choices), len(choices), right_before, right_after, loss_before, loss_after)


def fit_weights(choices: Sequence[Choice]) -> Weights:
    """Find the weights under which what was decided is likeliest, by Newton's method from the delivered ones on."""
    names = sorted({signal.name for choice in choices for each in choice.signals for signal in each})
    columns = {name: at for at, name in enumerate(names)}
    asked = [(*_as_numbers(choice, columns), _allowed(choice)) for choice in choices if choice.signals]
    change = np.zeros(len(names) + 1)
    shrinkage = np.full(len(names) + 1, _SHRINKAGE)
    for _ in range(_STEPS if asked else 0):
        slope, bend = -shrinkage * change, np.diag(shrinkage)
        for features, base, allowed in asked:
            chance = _chances(base + features @ change)
            wanted = chance * allowed
            wanted = wanted / max(float(wanted.sum()), 1e-12)
            slope += features.T @ (wanted - chance)[:-1]
            weighed = features * chance[:-1, None]
            mean = weighed.sum(0)
            bend += features.T @ weighed - np.outer(mean, mean)
        step = np.linalg.solve(bend, slope)
        step *= min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-12))
        change += step
        if np.abs(step).max() < _SMALL_STEP:
            break
    times = {name: round(float(np.clip(1 + change[at], _LEAST, _MOST)), 3) for name, at in columns.items()}
    return Weights(times, round(float(change[-1]), 3))


def _judge(choices: Iterable[Choice], weights: Weights) -> list[tuple[float, float]]:
    """Give of each decision whether its account came first (nan: none of them), and how surprising it was."""
    judged = []
    for choice in choices:
        if not choice.signals:
            continue
        odds = np.array([log_odds(weights.apply(each)) + weights.start for each in choice.signals])
        chance, allowed = _chances(odds), _allowed(choice)
        is_right = float(allowed[int(np.argmax(chance[:-1]))]) if not choice.is_none else np.nan
        judged.append((is_right, float(-np.log(max(float((chance * allowed).sum()), 1e-12)))))
    return judged


def _mean(judged: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Give the share right, of the decisions for an account among the candidates, and the mean surprise of all."""
    rights = [right for right, _ in judged if not np.isnan(right)]
    losses = [loss for _, loss in judged]
    return (float(np.mean(rights)) if rights else 0.0, float(np.mean(losses)) if losses else 0.0)


def _as_numbers(choice: Choice, columns: Mapping[str, int]) -> tuple[Floats, Floats]:
    features = np.zeros((len(choice.signals), len(columns) + 1))
    features[:, -1] = 1.0
    for row, signals in enumerate(choice.signals):
        for signal in signals:
            features[row, columns[signal.name]] += signal.weight
    return features, np.array([log_odds(each) for each in choice.signals])


def _allowed(choice: Choice) -> Floats:
    return np.array([*choice.may_be, choice.is_none], dtype=np.float64)


def _chances(odds: Floats) -> Floats:
    """Share one chance among the candidates and none of them, which stands last."""
    all_odds = np.append(odds, 0.0)
    weights = np.exp(all_odds - all_odds.max())
    return np.asarray(weights / weights.sum(), dtype=np.float64)
