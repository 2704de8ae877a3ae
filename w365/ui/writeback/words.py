"""How mappings stand in the CRM's table, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from w365.store.writeback.due_mappings import WriteState
from w365.store.writeback.remote_mappings import Difference
from w365.store.writeback.standings import WriteStanding
from w365.ui.frame.wording import clock_time

STATE_WORDS: Mapping[WriteState, str] = {
    WriteState.WRITTEN: "written",
    WriteState.WAITING: "waiting",
    WriteState.FAILED: "failed",
    WriteState.DIFFERS: "another account there",
}
DIFFERENCE_WORDS: Mapping[Difference, str] = {
    Difference.OTHER: "another account there",
    Difference.MISSING_THERE: "mapped here only",
    Difference.MISSING_HERE: "mapped there only",
    Difference.UNKNOWN: "unknown here",
}


def say_standing(one: WriteStanding, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Say of one row whether the CRM has it."""
    if one.state is WriteState.WRITTEN and one.written_at:
        return f"Written to the CRM {clock_time(one.written_at, now, zone)}"
    if one.state is WriteState.WAITING:
        return f"Waiting to be written to the CRM{f'. Nothing can be written now: {one.error}' if one.error else ''}"
    return f"Not written to the CRM: {say_trouble(one, now, zone)}"


def say_trouble(one: WriteStanding, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Say why a row is not written, and when it is tried again."""
    if one.state is WriteState.DIFFERS:
        return f"its table says {one.there}."
    if one.next_at is None:
        return f"{one.error} It was tried {one.attempts} times."
    return f"{one.error} {say_next(one.next_at, now, zone)}"


def say_next(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    return f"The next try is at {clock_time(at, now, zone)}."
