"""Merged cells: one shows its text in the place of many, whose own are not what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from w365.sheets.limits import MOST_COLUMNS, refuse_damaged
from w365.sheets.lines import Doubt, Line

_CORNER = re.compile(r"([A-Z]+)([0-9]+)")


@dataclass(frozen=True, slots=True, order=True)
class Area:
    """Cells that are merged: rows from 1, columns from 0, the last ones included."""

    top: int
    left: int
    bottom: int
    right: int


def read_area(text: str) -> Area:
    """Read an area such as `B2:C5`; ValueError for what is none."""
    (left, top), (right, bottom) = [corner.groups() for corner in _CORNER.finditer(text)]
    return Area(int(top), _place(left), int(bottom), min(_place(right), MOST_COLUMNS))


def _place(letters: str) -> int:
    place = 0
    for mark in letters:
        place = place * 26 + ord(mark) - ord("A") + 1
    return place - 1


def mark_merged(name: str, lines: Iterable[Line], areas: Sequence[Area]) -> Iterator[Line]:
    """Doubt every cell that another one covers. Areas and lines are gone through once, from above."""
    waiting = sorted(areas, reverse=True)
    here: list[Area] = []
    for line in lines:
        while waiting and waiting[-1].top <= line.number:
            here.append(waiting.pop())
        here = [area for area in here if area.bottom >= line.number]
        if sum(area.right + 1 - area.left for area in here) > MOST_COLUMNS:
            refuse_damaged(name, "its merged cells lie upon one another")
        yield _mark(line, here) if here else line


def _mark(line: Line, areas: Sequence[Area]) -> Line:
    covered = {
        place: Doubt.MERGED
        for area in areas
        for place in range(area.left, area.right + 1)
        if (line.number, place) != (area.top, area.left)
    }
    cells = line.cells + ("",) * (max(covered, default=-1) + 1 - len(line.cells))
    return Line(line.number, cells, {**covered, **line.doubts}, line.is_hidden)
