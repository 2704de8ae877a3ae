"""Decide: map, clear, reject, exclude, park. The only way by which a person changes a mapping."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from w365.errors import InputError, StaleEdit, W365Error
from w365.http.wait import never_stop
from w365.model import OPEN, Actor, DecisionKind, Disposition, Origin, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.deciding.reasons import check_day, check_reason
from w365.source_records import NewAccount
from w365.store.configuring.settings import read_policy
from w365.store.deciding.decisions import (
    ROW,
    Change,
    Standing,
    Who,
    carry_out,
    read_standing,
    refuse_mapping,
    row_values,
)
from w365.store.reading.worklist import Row, read_rows
from w365.store.syncing.crm_accounts import store_account

_log = logging.getLogger(__name__)

_WITH_REASON = (DecisionKind.EXCLUDE, DecisionKind.PARK)


@dataclass(frozen=True, slots=True)
class Decided:
    """A saved decision: its id, which is the row's new version, and the row as it is now."""

    decision_id: int
    row: Row
    kind: DecisionKind | None = None

    @property
    def blocked(self) -> int:
        """How many live subscriptions wait now for the row to be mapped."""
        return self.row.subscriptions if self.row.status in OPEN else 0


@needs(Role.ANALYST)
def assign_account(service: Service, actor: Actor, provider_account_id: int, account_id: int, *, seen: int) -> Decided:
    """Map a provider account to a CRM account by hand.

    `seen` is the version of the row that the person looked at. Raises StaleEdit when somebody decided since,
    PolicyBreach when a unique policy forbids the link, NotFound when the account is no more; nothing changes then.
    """
    return _decide(service, actor, provider_account_id, seen, Change(DecisionKind.MAP, Origin.MANUAL), account_id)


@needs(Role.ANALYST)
def map_provisioned(
    service: Service, actor: Actor, provider_account_id: int, account_id: int, *, reason: str
) -> Decided | None:
    """Map a customer that was created for an account. None, and nothing changed, where anybody decided the row before.

    Raises PolicyBreach and NotFound as `assign_account` does.
    """
    change = Change(DecisionKind.MAP, Origin.PROVISIONED, reason)
    try:
        return _decide(service, actor, provider_account_id, 0, change, account_id)
    except StaleEdit:
        return None


@needs(Role.ANALYST)
def clear_mapping(service: Service, actor: Actor, provider_account_id: int, *, seen: int, reason: str = "") -> Decided:
    """Unmap. Clearing an automatic mapping also rejects the pair, so that it does not come back."""
    return _decide(service, actor, provider_account_id, seen, Change(DecisionKind.UNMAP, reason=reason))


@needs(Role.ANALYST)
def reject_candidate(
    service: Service, actor: Actor, provider_account_id: int, account_id: int, *, seen: int, reason: str = ""
) -> Decided:
    """Say that this account is not this customer's: not suggested and never mapped automatically until taken back."""
    return _decide(service, actor, provider_account_id, seen, Change(DecisionKind.REJECT, reason=reason), account_id)


@needs(Role.ANALYST)
def take_back_rejection(
    service: Service, actor: Actor, provider_account_id: int, account_id: int, *, seen: int
) -> Decided:
    """Let this account be suggested and mapped again. InputError when it is not rejected."""
    return _decide(service, actor, provider_account_id, seen, Change(DecisionKind.UNREJECT), account_id)


@needs(Role.ANALYST)
def exclude_row(service: Service, actor: Actor, provider_account_id: int, *, seen: int, reason: str) -> Decided:
    """Take a row out of the backlog for good, with a reason."""
    return _decide(service, actor, provider_account_id, seen, Change(DecisionKind.EXCLUDE, reason=reason))


@needs(Role.ANALYST)
def park_row(
    service: Service, actor: Actor, provider_account_id: int, *, seen: int, reason: str, until: dt.date | None = None
) -> Decided:
    """Take a row out of the backlog for a time, with a reason; on the date (UTC) it is open again by itself."""
    check_day(until, service.clock().date())
    change = Change(DecisionKind.PARK, reason=reason, until=until)
    return _decide(service, actor, provider_account_id, seen, change)


@needs(Role.ANALYST)
def reopen_row(service: Service, actor: Actor, provider_account_id: int, *, seen: int) -> Decided:
    """Put an excluded or parked row back into the backlog."""
    return _decide(service, actor, provider_account_id, seen, Change(DecisionKind.REOPEN))


@needs(Role.ANALYST)
def switch_sync(
    service: Service, actor: Actor, provider_account_id: int, *, on: bool, seen: int, reason: str = ""
) -> Decided:
    """Let syncs keep this row up to date, or leave it alone: neither changed nor taken for gone."""
    change = Change(DecisionKind.SYNC_ON if on else DecisionKind.SYNC_OFF, reason=reason)
    return _decide(service, actor, provider_account_id, seen, change)


@needs(Role.ANALYST)
def create_account(service: Service, actor: Actor, provider_account_id: int, new: NewAccount, *, seen: int) -> Decided:
    """Create an account in the CRM and map to it.

    The CRM looks for duplicates first (InputError). When the account was created but could not be mapped, the error
    says so: the account exists, and mapping again doubles nothing.
    """
    if not new.name.strip():
        raise InputError("An account needs a name.", kept="Nothing was created.")
    with service.store.read() as connection:
        read_standing(connection, read_policy(connection), provider_account_id, seen=seen)
    with service.open_crm(never_stop) as crm:
        account = crm.create_account(new)
    _log.info("account %s created in the CRM", account.crm_id)
    try:
        with service.store.write() as connection:
            account_id = store_account(connection, account)
        return assign_account(service, actor, provider_account_id, account_id, seen=seen)
    except W365Error as error:
        raise _half_done(new.name, error) from error


def _half_done(name: str, error: W365Error) -> InputError:
    return InputError(
        f"The account “{name}” was created in the CRM, but not mapped: {error.what}",
        kept="The account exists; do not create it again.",
        do="Reload the row and choose the account in the lookup.",
    )


def _decide(
    service: Service, actor: Actor, provider_account_id: int, seen: int, change: Change, account_id: int | None = None
) -> Decided:
    """Decide about one row; all of it is committed when this returns."""
    reason = check_reason(change.reason, is_needed=change.kind in _WITH_REASON)
    with service.store.write() as connection:
        policy = read_policy(connection)
        now = read_standing(connection, policy, provider_account_id, account_id, seen=seen)
        _refuse_senseless(now, change.kind)
        refuse_mapping(connection, policy, now, change.kind)
        who, values = Who(actor.name, service.clock()), row_values(provider_account_id, account_id)
        carry_out(connection, policy, who, replace(change, reason=reason), ROW, values)
        row = read_rows(connection, [provider_account_id])[0]
    _log.info("%s", json.dumps({"decision": row.version, "actor": actor.name, "provider_account": provider_account_id}))
    return Decided(row.version, row, change.kind)


def _refuse_senseless(now: Standing, kind: DecisionKind) -> None:
    """Raise InputError for a decision that makes no sense as the row stands."""
    is_mapped = now.account_id is not None
    cases: Mapping[DecisionKind, tuple[bool, str, str]] = {
        DecisionKind.UNMAP: (not is_mapped, "This provider account is not mapped.", ""),
        DecisionKind.REJECT: (
            is_mapped and now.account_id == now.asked_id,
            "This account is the mapped one.",
            "Clear the mapping instead.",
        ),
        DecisionKind.UNREJECT: (not now.is_rejected, "This account is not rejected (any more).", "Reload the row."),
        DecisionKind.EXCLUDE: (is_mapped, "This provider account is mapped.", "Clear the mapping first."),
        DecisionKind.PARK: (is_mapped, "This provider account is mapped.", "Clear the mapping first."),
        DecisionKind.REOPEN: (now.disposition is Disposition.OPEN, "This provider account is open already.", ""),
        DecisionKind.SYNC_ON: (now.is_synced, "The sync of this row is on already.", ""),
        DecisionKind.SYNC_OFF: (not now.is_synced, "The sync of this row is off already.", ""),
    }
    is_senseless, what, do = cases.get(kind, (False, "", ""))
    if is_senseless:
        raise InputError(what, kept="Nothing was changed.", do=do)
