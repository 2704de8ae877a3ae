"""Every field of a payload deleted, set to null, turned into other types and renamed, at every depth that is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Drift = tuple[str, Any]
"""What was done, and the payload it was done to."""


def drifts(body: Any, depth: int, path: str = "") -> Iterator[Drift]:
    """Drift the members of objects down to ``depth``, and of lists those of the first entry."""
    if depth == 0:
        return
    if isinstance(body, list):
        for label, changed in drifts(body[0], depth - 1, f"{path}[0]") if body else ():
            yield label, [changed, *body[1:]]
        for odd in (None, 7, "odd", [1]) if body else ():
            if type(odd) is not type(body[0]):
                yield f"{path}[0] is {odd!r}", [odd, *body[1:]]
    if isinstance(body, dict):
        for name, value in body.items():
            yield from _of_member(body, name, f"{path}.{name}")
            for label, changed in drifts(value, depth - 1, f"{path}.{name}"):
                yield label, {**body, name: changed}


def _of_member(body: dict[str, Any], name: str, path: str) -> Iterator[Drift]:
    value = body[name]
    rest = {key: kept for key, kept in body.items() if key != name}
    yield f"{path} deleted", rest
    yield f"{path} renamed", {**rest, f"{name}Value": value}
    # A number where a number stood, or a text where a text stood, would be another value and no drift.
    odd = ["odd"] if isinstance(value, int | float) and not isinstance(value, bool) else [7, 1.5]
    for other in (None, *odd, True, [], ["x"], {}, {"x": 1}):
        if type(other) is not type(value) or other is None:
            yield f"{path} is {other!r}", {**rest, name: other}
