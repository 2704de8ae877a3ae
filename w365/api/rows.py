"""What the grid shows of a row and of an account, as JSON with the words made here."""

from __future__ import annotations

from w365.matching.messages import (
    DISPOSITION_WORDS,
    DRIFT_WORDS,
    ORIGIN_WORDS,
    REASON_WORDS,
    SAY_HELD,
    STATUS_WORDS,
    counted,
    say_drift,
    say_reason,
)
from w365.model import OPEN, Disposition, Origin, Reason, Status
from w365.store.reading.account_hits import Hit
from w365.store.reading.worklist import Row

Json = dict[str, object]

_LIKELY = 0.5
"""From this score the grid shows a candidate and the lookup has it chosen beforehand; the others have to be chosen."""


def row_json(row: Row) -> Json:
    """One line of the grid. `version` is what an edit sends back as `seen`."""
    return {
        "id": row.id,
        "name": row.name,
        "domain": row.domain,
        "more": row.more_domains,
        "account": row.account_id,
        "accountName": row.account_name,
        "accountNumber": row.account_number,
        "accountGone": row.account_gone,
        "hint": hint(row),
        "hintScore": hint_score(row),
        "mustChoose": row.status is Status.CONFLICT,
        "status": row.status.value,
        "statusWord": STATUS_WORDS[row.status],
        "why": why(row),
        "whyFull": why_full(row),
        "seats": row.seats,
        "clearing": clearing(row),
        "impact": impact(row),
        "impactFull": counted(row.subscriptions, "subscription"),
        "provider": row.provider,
        "specificId": row.specific_id,
        "changed": changed(row),
        "owner": row.owner,
        "version": row.version,
    }


def account_json(hit: Hit) -> Json:
    """One account to choose from."""
    return {
        "id": hit.account_id,
        "name": hit.name,
        "about": hit.about,
        "score": None if hit.score is None else f"{hit.score:.2f}",
        "isLikely": is_likely(hit.score),
        "isGuess": hit.is_guess,
        "reasons": "; ".join(hit.reasons),
        "warning": warning(hit),
    }


def hint(row: Row) -> str:
    """What an empty account cell says: the best candidate, or how many share the customer's domain."""
    if _is_shared(row):
        return f"Choose: {row.accounts} accounts share the domain"
    gone = " (inactive)" if row.candidate_gone else ""
    return f"Suggested: {row.candidate_name}{gone}" if _is_suggested(row) else ""


def hint_score(row: Row) -> str:
    return f"{row.candidate_score:.2f}" if _is_suggested(row) and not _is_shared(row) else ""


def why(row: Row) -> str:
    """Why the row has its status, in a few words: how a mapping drifted, else its origin, else the reason."""
    if row.status is Status.MAPPED and row.origin:
        return DRIFT_WORDS.get(row.drift, ORIGIN_WORDS[Origin(row.origin)])
    if row.status in (Status.EXCLUDED, Status.PARKED):
        return _set_aside(row)
    if row.disposition is Disposition.HELD:
        return DISPOSITION_WORDS[Disposition.HELD]
    return f"Back from park. {REASON_WORDS[row.reason]}" if row.is_back else REASON_WORDS[row.reason]


def why_full(row: Row) -> str:
    if row.status is Status.MAPPED:
        return f"{ORIGIN_WORDS[Origin(row.origin)]}. {say_drift(row.drift)}" if row.drift else ""
    if row.status in (Status.EXCLUDED, Status.PARKED):
        return _set_aside(row)
    return SAY_HELD if row.disposition is Disposition.HELD else say_reason(row.reason)


def _set_aside(row: Row) -> str:
    """The reason that a person gave, and until when."""
    return ": ".join(part for part in (f"Until {row.until}" if row.until else "", row.aside) if part)


def clearing(row: Row) -> str:
    """What clearing the mapping blocks, said before it is done; empty where there is nothing to block."""
    if row.account_id is None or not row.subscriptions:
        return ""
    return f"blocks {counted(row.subscriptions, 'live subscription')}, {counted(row.seats, 'seat')}"


def impact(row: Row) -> str:
    return counted(row.seats, "seat") if row.seats else ""


def changed(row: Row) -> str:
    flags = ("gone at the provider" if row.is_gone else "", "" if row.is_synced else "sync is off")
    return "; ".join(part for part in (*flags, row.change) if part)


def is_likely(score: float | None) -> bool:
    return score is not None and score >= _LIKELY


def is_offered(hit: Hit) -> bool:
    """Whether one key may accept it: it is likely, and nothing speaks against it."""
    return is_likely(hit.score) and not warning(hit)


def warning(hit: Hit) -> str:
    """What speaks against choosing this account, or nothing."""
    if not hit.is_active:
        return "inactive"
    return f"used by {hit.used_by}" if hit.used_by else ""


def _is_shared(row: Row) -> bool:
    return row.status is Status.CONFLICT and row.reason is Reason.SEVERAL_ACCOUNTS


def _is_suggested(row: Row) -> bool:
    is_open = row.status in OPEN
    return is_open and is_likely(row.candidate_score)
