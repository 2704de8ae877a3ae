"""What Dataverse means by a refusal: its codes, whatever the status, and what a person does about each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from w365.errors import AccessError, SignInRefused
from w365.http.attempts import KEPT
from w365.http.refusal import Refusal


@dataclass(frozen=True, slots=True)
class _Reason:
    """A reason that has nothing to do with tables. ``words`` tell it where a 403 has none of its ``codes``."""

    what: str
    do: str
    codes: frozenset[str] = frozenset()
    words: re.Pattern[str] = re.compile(r"(?!)")
    error: type[AccessError | SignInRefused] = AccessError


# The codes are those of Microsoft's list of web service errors, and of what people report. Administration mode has
# none: it is known by its words.
_REASONS = (
    _Reason(
        "does not know the application",
        "In the environment's settings make it an application user with a security role; check the tenant.",
        frozenset({"0x80072560"}),
        re.compile(r"not a member of the organi[sz]ation", re.IGNORECASE),
        SignInRefused,
    ),
    _Reason(
        "lets no call from this machine's address through its IP firewall",
        "In the Power Platform admin center add the public address of this machine to the environment's IP firewall.",
        frozenset({"0x80095ffe"}),
        re.compile(r"\bip\b.*\bblocked|\bip firewall", re.IGNORECASE),
    ),
    _Reason(
        "has disabled the application user",
        "In the Power Platform admin center enable it under the environment's application users.",
        frozenset({"0x80040225"}),
        re.compile(r"\buser\b.*\bdisabled", re.IGNORECASE),
    ),
    _Reason(
        "is in administration mode, in which only system administrators get in",
        "Wait until it is over, or end it in the Power Platform admin center; then sync again.",
        words=re.compile(r"\badmin(istration|istrator)?[ -](only )?mode|only system administrators", re.IGNORECASE),
    ),
    _Reason(
        "finds no licence on the user that the application acts as",
        "Make the application an application user of the environment, which needs none, or give that user a licence.",
        frozenset({"0x8004d24b"}),
        re.compile(r"\blicen[cs]e", re.IGNORECASE),
    ),
)
_PRIVILEGE = re.compile(r"\bprv\w+")
_NO_PRIVILEGE = frozenset({"0x80040220", "0x80048306"})
# A version stamp that is too old, an address that is not understood, a paging cookie that is none.
_LINK_CODES = frozenset({"0x80044352", "0x80060888", "0x80041129", "0x80040203"})
_LINK_WORDS = re.compile(r"version stamp|delta ?token|paging ?cookie|data ?token", re.IGNORECASE)
_LINK_REFUSED = frozenset({400, 404, 410, 412})


def is_lasting(refusal: Refusal) -> bool:
    """Whether no repeat mends it, though its status may be one that passes, such as 500."""
    return (
        _find_reason(refusal) is not None
        or refusal.code.lower() in _NO_PRIVILEGE
        or refuses_link(refusal, by_code=True)
    )


def refuses_link(refusal: Refusal, *, by_code: bool = False) -> bool:
    """Whether a change link or the link to a page is no longer taken; by code or words alone where so asked."""
    is_known = refusal.code.lower() in _LINK_CODES or bool(_LINK_WORDS.search(refusal.message))
    return is_known or (not by_code and refusal.status in _LINK_REFUSED)


def explain_access(source: str, refusal: Refusal, act: str, role: str) -> AccessError | SignInRefused | None:
    """Say which right is missing or what else keeps the application out; None where it is neither.

    ``act`` says what was tried ("read accounts"), ``role`` what a security role must allow ("reads accounts").
    """
    if reason := _find_reason(refusal):
        return reason.error(
            f"{source} {reason.what} ({refusal.say()}).", kept=KEPT, do=reason.do, detail=refusal.detail
        )
    if refusal.status != 403 and refusal.code.lower() not in _NO_PRIVILEGE:
        return None
    privilege = _PRIVILEGE.search(refusal.message)
    lacking = f"the privilege {privilege[0]}: one that {role}" if privilege else f"what it lacks: one that {role}"
    return AccessError(
        f"{source} does not let the application {act} ({refusal.say()}).",
        kept=KEPT,
        do=f"Give its application user a security role with {lacking}.",
        detail=refusal.detail,
    )


def _find_reason(refusal: Refusal) -> _Reason | None:
    code = refusal.code.lower()
    by_code = next((reason for reason in _REASONS if code in reason.codes), None)
    if by_code or refusal.status not in {401, 403} or code in _NO_PRIVILEGE:
        return by_code
    if refusal.status == 401:
        return _REASONS[0]
    return next((reason for reason in _REASONS if reason.words.search(refusal.message)), None)
