"""What the description shows: one value for each part of a question, one answer of each kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from w365.api.programs import customers, figures, sources
from w365.model import DecisionKind, Disposition, Drift, Origin, ProviderKind, Reason, RunKind, RunState, Status
from w365.store.reading.subscriptions import SubscriptionState

_AT = dt.datetime(2026, 12, 1, 8, 30, tzinfo=dt.UTC)
_CRM_ID = "7d9f1c52-3a1b-ee11-8179-000d3a1f7c44"
_SPECIFIC_ID = "b9d4c1f0-5a0e-4a53-9d21-5c1f8a3f2e11"

VALUES: Mapping[str, Any] = {
    "id": 17,
    "seen": 4711,
    "account": _CRM_ID,
    "crm_id": _CRM_ID,
    "text": "linnet",
    "since": 4700,
}
"""By name."""

_MAPPED = customers.ProviderAccount(
    id=17,
    provider="Pax8",
    provider_id=2,
    specific_id=_SPECIFIC_ID,
    name="Linnet Aviation GmbH",
    domain="linnet.example",
    status=Status.MAPPED,
    reason=Reason.RULE,
    why="By hand",
    account=customers.MappedAccount(_CRM_ID, "Linnet Aviation", "A-1042", is_gone=False),
    origin=Origin.MANUAL,
    drift=Drift.NONE,
    disposition=Disposition.OPEN,
    set_aside_because="",
    parked_until=None,
    seats=42,
    subscriptions=3,
    owner="Ann Lee",
    is_gone=False,
    is_synced=True,
    version=4712,
)
_MAPPING = customers.Mapping(17, 2, _SPECIFIC_ID, _CRM_ID, Origin.MANUAL, 4712)
_PROVIDER = sources.Provider(2, "Pax8", ProviderKind.PAX8, True, 138, 12, _AT)
_DECISION = figures.Decision(
    4712, _AT, "service:billing", DecisionKind.MAP, 17, None, _CRM_ID, "manual", "", None, None, ()
)
_COUNTS = figures.StatusCounts(120, 4, 8, 2, 4, 0.896)
_RUN = sources.Run(
    id=88,
    kind=RunKind.SYNC,
    target="Pax8",
    state=RunState.DONE,
    actor="service:billing",
    requested_at=_AT,
    started_at=_AT,
    ended_at=_AT + dt.timedelta(seconds=9),
    done=138,
    total=138,
    message="",
    error="",
    result={"new": 2, "unchanged": 136},
    is_being_cancelled=False,
)
_SUBSCRIPTION = customers.Subscription(
    17,
    "5e1c-0042",
    SubscriptionState.READY,
    "Pax8",
    "Linnet Aviation GmbH",
    _CRM_ID,
    "Microsoft 365 Business Premium",
    42,
    "Active",
    "Annual",
    _AT,
    _AT,
)
_CANDIDATE = customers.Candidate(
    _CRM_ID,
    "Linnet Aviation",
    "A-1042",
    0.93,
    ("The names are nearly the same",),
    ("2 contacts have an address at linnet.example",),
    is_active=True,
    used_by="",
)

ANSWERS: Mapping[type, Any] = {
    type(answer): answer
    for answer in (
        sources.ServiceAccount("service:billing", "analyst", _AT + dt.timedelta(days=90)),
        sources.Providers((_PROVIDER,)),
        _MAPPED,
        customers.ProviderAccounts((_MAPPED,), 17),
        customers.ProviderAccountRecord(
            replace(_MAPPED, status=Status.UNMAPPED, account=None, origin=None, why="No account", version=0),
            "DE",
            "",
            "reseller",
            _AT,
            None,
            (customers.Domain("linnet.example", is_default=True, is_verified=True, listed="", accounts=1),),
            (),
        ),
        customers.Candidates((_CANDIDATE,), 4711),
        _MAPPING,
        customers.Mappings((_MAPPING,), None),
        sources.AccountHits(
            (
                sources.AccountHit(
                    _CRM_ID,
                    "Linnet Aviation",
                    "A-1042",
                    "Bonn",
                    "DE",
                    "linnet.example",
                    is_active=True,
                    is_guess=False,
                ),
            )
        ),
        sources.Account(
            _CRM_ID,
            "Linnet Aviation",
            "A-1042",
            "Bonn",
            "DE",
            is_active=True,
            is_deleted=False,
            domains=("linnet.example",),
            mapped=1,
        ),
        customers.Subscriptions((_SUBSCRIPTION,), None),
        figures.StatisticsNow(
            at=_AT,
            provider_accounts=_COUNTS,
            by_provider=(figures.ProviderCounts("Pax8", _COUNTS),),
            by_reason=(figures.Count(Reason.NO_ACCOUNT, 8),),
            by_source=(figures.Count("By hand", 14),),
            blocked_seats=77,
            blocked_subscriptions=15,
            oldest_open_at=_AT,
            drifted=1,
            gone=0,
            by_hand=0.12,
            median_seconds_to_map=86_400.0,
        ),
        figures.Decisions((_DECISION,), 4712, has_more=False),
        sources.Runs((_RUN,)),
        sources.RunRecord(_RUN, ()),
        _RUN,
    )
}
