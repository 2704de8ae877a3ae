"""Single values, as a cell holds them. No text becomes a formula when a spreadsheet opens the file."""

from __future__ import annotations

import datetime as dt
import json

from w365.sheets.lines import put_apostrophes


def safe_cell(value: object) -> object:
    """Quote a text that a spreadsheet would run as a formula; flatten what is not a single value."""
    if isinstance(value, str):
        return put_apostrophes(value)
    return put_apostrophes(to_json(value)) if isinstance(value, (list, dict)) else value


def to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def to_utc_text(at: dt.datetime) -> str:
    """A time in UTC, to the second."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
