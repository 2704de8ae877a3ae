"""What a customer's note says that a sync could not read: which kind of detail, and why.

The words are the same at every run, so that a second one changes nothing; they are what is stored of a gap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from w365.errors import SignInRefused, SourceBusy, SourceError, SourceRefused, SourceUnreachable

NO_DOMAINS = "Domains were not read"
DEFAULT_ONLY = "Only the default domain is known"
NO_SUBSCRIPTIONS = "Subscriptions were not read"

NO_RELATIONSHIP = "20002"
PASSING = "the provider answered with errors of its own."
"""Why of a gap that a later sync may well fill."""
BUSY = "the provider asked for a longer pause than a sync waits."
UNSIGNED = "the provider refuses the sign-in."
WANTS_MFA = "the provider wants a person who signed in with multi-factor authentication"
MFA_CODES = frozenset({"900420", "900421", "isMfaCompliant: false"})
"""Partner Center's for that; the last one is what stands for a header where there is no code."""

_GAP = re.compile(rf"({NO_DOMAINS}|{DEFAULT_ONLY}|{NO_SUBSCRIPTIONS}): (.+?\.)(?= (?:{NO_SUBSCRIPTIONS}): |$)")


@dataclass(frozen=True, slots=True)
class Gap:
    """``what`` is one of the three sentences' beginnings, ``why`` their end, with its full stop."""

    what: str
    why: str

    @property
    def is_of_domains(self) -> bool:
        return self.what != NO_SUBSCRIPTIONS

    @property
    def may_be_filled(self) -> bool:
        return f"code {NO_RELATIONSHIP}" not in self.why


def gaps_in(note: str) -> list[Gap]:
    """Read the gaps that a customer's note tells of."""
    return [Gap(what, why) for what, why in _GAP.findall(note)]


def may_be_filled(note: str) -> bool:
    """Whether asking again may fill a gap of this note; of who is no customer any more nothing is told ever again."""
    return any(gap.may_be_filled for gap in gaps_in(note))


def is_passing(note: str) -> bool:
    """Whether a gap of this note is an error of the provider's own, and not a refusal."""
    return PASSING in note or BUSY in note


def say_why(error: SourceError | SignInRefused) -> str:
    """Put what went wrong with a detail into words without request ids and times."""
    if isinstance(error, SourceRefused):
        return _say_refusal(error)
    if isinstance(error, SignInRefused):
        return UNSIGNED
    if isinstance(error, SourceBusy):
        return BUSY
    return PASSING if isinstance(error, SourceUnreachable) else error.what


def _say_refusal(error: SourceRefused) -> str:
    if error.code == NO_RELATIONSHIP:
        return f"there is no relationship with this customer (any more; code {error.code})."
    code = f", code {error.code}" if error.code else ""
    return f"{WANTS_MFA if error.code in MFA_CODES else 'the provider refuses it'} ({error.status}{code})."
