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


def say_standing(standing: WriteStanding, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Say of one row whether the CRM has it."""
    if standing.state is WriteState.WRITTEN and standing.written_at:
        return f"Written to the CRM {clock_time(standing.written_at, now, zone)}"
    if standing.state is WriteState.WAITING:
        problem = f". Nothing can be written now: {standing.error}" if standing.error else ""
        return f"Waiting to be written to the CRM{problem}"
    return f"Not written to the CRM: {say_trouble(standing, now, zone)}"


def say_trouble(standing: WriteStanding, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Say why a row is not written, and when it is tried again."""
    if standing.state is WriteState.DIFFERS:
        return f"its table says {standing.there}."
    if standing.next_at is None:
        return f"{standing.error} It was tried {standing.attempts} times."
    return f"{standing.error} {say_next(standing.next_at, now, zone)}"


def say_next(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    return f"The next try is at {clock_time(at, now, zone)}."
