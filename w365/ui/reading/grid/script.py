"""The grid's own JavaScript, and the expressions by which its options refer to it; read once at import."""

from __future__ import annotations

from pathlib import Path

_FILES = ("wire", "source", "bulk", "save", "cells", "lookup", "columns", "ready")
FOLDER = Path(__file__).parents[2] / "scripts"


def _bundle() -> str:
    """All scripts as one expression, which makes `window.w365` once and then returns it."""
    text = "\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in _FILES)
    return f'(window.w365 ||= (() => {{ "use strict";\n{text}\n}})())'


BUNDLE = _bundle()


def read_script(name: str) -> str:
    """An expression for one member of the bundle."""
    return f"window.w365.{name}"


READY = f"{BUNDLE}.ready"
"""The option that stands first: it carries the bundle."""
