"""The lists that ship with the program: text files in `lists/`, in which `#` begins a remark."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "lists"


def read_entries(name: str) -> tuple[str, ...]:
    """Give the entries of a list that has one a line, in their order."""
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    entries = (line.partition("#")[0].strip() for line in lines)
    return tuple(entry for entry in entries if entry)


def read_words(name: str) -> tuple[str, ...]:
    """Give the words of a list, however many stand on a line, in their order."""
    return tuple(" ".join(read_entries(name)).split())
