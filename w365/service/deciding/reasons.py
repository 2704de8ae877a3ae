"""What is entered with a decision: its reason, and the day until which a row is parked."""

from __future__ import annotations

import datetime as dt

from w365.errors import InputError

LONGEST_REASON = 500


def check_reason(reason: str, *, is_needed: bool) -> str:
    """Return the reason as it is kept; InputError for one that is too long, and for none where one is needed."""
    text = " ".join(reason.split())
    if is_needed and not text:
        raise InputError("A reason is needed.", kept="Nothing was changed.", do="Say why in a few words.")
    if len(text) > LONGEST_REASON:
        raise InputError(
            f"A reason may have {LONGEST_REASON} characters.", kept="Nothing was changed.", do="Shorten it."
        )
    return text


def check_day(until: dt.date | None, today: dt.date) -> None:
    """Raise InputError for a day that is over."""
    if until is not None and until <= today:
        raise InputError("The date is not in the future.", kept="Nothing was changed.", do="Choose a later one.")
