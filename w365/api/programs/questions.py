"""What programs ask for. Where each part stands follows from its name and the route, as `Operation` says."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

from w365.api.programs.shapes import Bounds
from w365.model import ListPart, Reason, Status
from w365.service.deciding.reasons import LONGEST_REASON
from w365.store.reading.subscriptions import SubscriptionState

NO_NUL = r"[^\x00]*"
"""PostgreSQL knows no NUL in text."""
_ID = Bounds(1)

Id = Annotated[int, "The provider account's id.", _ID]
Limit = Annotated[int, "How many at most.", Bounds(1, 500)]
Cursor = Annotated[int, "`next` of the page before; 0 begins.", Bounds(0)]
ProviderIds = Annotated[tuple[int, ...], "Ids of providers; several are any of them.", Bounds(1)]
Text = Annotated[str, "Words that all must be found, as in the search above the grid.", Bounds(0, 200, NO_NUL)]
Seen = Annotated[int, "The version that was looked at.", Bounds(0)]
Because = Annotated[str, "Why, for those who read the history.", Bounds(0, LONGEST_REASON, NO_NUL)]
CrmId = Annotated[str, "The account's id in the CRM.", Bounds(1, 64, r"[!-.0-~]+")]
RunId = Annotated[int, "The run's number.", _ID]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing more."""


@dataclass(frozen=True, slots=True)
class ListedAccounts:
    """Which provider accounts, in any number."""

    status: Annotated[tuple[Status, ...], "Any of these."] = ()
    provider: ProviderIds = ()
    reason: Annotated[tuple[Reason, ...], "Any of these."] = ()
    part: Annotated[Part | None, "A part of the list that is no status."] = None
    text: Text = ""
    cursor: Cursor = 0
    limit: Limit = 100


class Part(enum.StrEnum):
    """Parts of the list of provider accounts that do not depend on who asks."""

    DRIFTED = ListPart.DRIFTED.value
    UNSYNCED = ListPart.UNSYNCED.value
    HELD = ListPart.HELD.value
    GONE = ListPart.GONE.value
    BACK = ListPart.BACK.value


@dataclass(frozen=True, slots=True)
class OneAccount:
    """A provider account."""

    id: Id


@dataclass(frozen=True, slots=True)
class ListedMappings:
    """Which mappings."""

    provider: ProviderIds = ()
    cursor: Cursor = 0
    limit: Limit = 100


@dataclass(frozen=True, slots=True)
class ToMap:
    """What to map to what."""

    id: Id
    seen: Seen
    account: CrmId


@dataclass(frozen=True, slots=True)
class ToUnmap:
    """What to unmap."""

    id: Id
    seen: Seen


@dataclass(frozen=True, slots=True)
class ToReject:
    """Which account is not which customer's."""

    id: Id
    seen: Seen
    account: CrmId
    reason: Because = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Which rejection to take back."""

    id: Id
    account: CrmId
    seen: Seen


@dataclass(frozen=True, slots=True)
class SoughtAccounts:
    """What is sought."""

    text: Annotated[str, "Beginnings of words, a domain or a number.", Bounds(1, 200, NO_NUL)]
    limit: Annotated[int, "How many at most.", Bounds(1, 50)] = 20


@dataclass(frozen=True, slots=True)
class OneCrmAccount:
    """A CRM account."""

    crm_id: CrmId


@dataclass(frozen=True, slots=True)
class ListedSubscriptions:
    """Which subscriptions."""

    state: Annotated[tuple[SubscriptionState, ...], "Any of these."] = ()
    provider: ProviderIds = ()
    text: Text = ""
    cursor: Annotated[
        str,
        "`next` of the page before.",
        Bounds(0, 900, rf"(?:(?:{'|'.join(SubscriptionState)})~[0-9]{{1,9}}~[0-9]{{1,15}}~[A-Za-z0-9_.~%-]{{1,800}})?"),
    ] = ""
    limit: Limit = 100


@dataclass(frozen=True, slots=True)
class FollowedDecisions:
    """Which decisions."""

    since: Annotated[int, "The id of the decision after which to begin; 0 is the very first.", Bounds(0)] = 0
    limit: Limit = 100


@dataclass(frozen=True, slots=True)
class ListedRuns:
    """Which runs."""

    limit: Annotated[int, "How many at most.", Bounds(1, 200)] = 50


@dataclass(frozen=True, slots=True)
class OneRun:
    """A run."""

    id: RunId


@dataclass(frozen=True, slots=True)
class ToSync:
    """Which provider to sync, and how."""

    id: Annotated[int, "The provider's id.", Bounds(1)]
    full: Annotated[bool, "Read every customer, not only what changed."] = False


@dataclass(frozen=True, slots=True)
class ToMatch:
    """How to match."""

    full: Annotated[bool, "Make evidence and proposals anew first."] = False
