"""Decide: map, clear, reject, exclude, park. The only way by which a person changes a mapping."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import InputError, NotFound, StaleEdit, W365Error
from w365.http.wait import never_stop
from w365.model import OPEN, Actor, DecisionKind, Disposition, NewAccount, Origin, Role
from w365.service import Service
from w365.service.access import require
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.deciding import decisions
from w365.store.deciding.decisions import Standing, Who
from w365.store.matching import refresh_derived
from w365.store.matching.candidates import drop_candidate, order_decided
from w365.store.reading import worklist
from w365.store.syncing.crm_accounts import store_account

_log = logging.getLogger(__name__)

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """A saved decision: its id, which is the row's new version, and the row as it is now."""

    decision_id: int
    row: worklist.Row
    kind: DecisionKind | None = None

    @property
    def blocked(self) -> int:
        """How many live subscriptions wait now for the row to be mapped."""
        return self.row.subscriptions if self.row.status in OPEN else 0


def assign_account(service: Service, actor: Actor, provider_account_id: int, account_id: int, *, seen: int) -> Decided:
    """Map a provider account to a CRM account by hand.

    `seen` is the version of the row that the person looked at. Raises StaleEdit when somebody decided since,
    PolicyBreach when a unique policy forbids the link, NotFound when the account is no more; nothing changes then.
    """
    return _map(service, actor, provider_account_id, account_id, seen, Origin.MANUAL)


def map_provisioned(
    service: Service, actor: Actor, provider_account_id: int, account_id: int, *, reason: str
) -> Decided | None:
    """Map a customer that was created for an account. None, and nothing changed, where anybody decided the row before.

    Raises PolicyBreach and NotFound as `assign_account` does.
    """
    try:
        return _map(service, actor, provider_account_id, account_id, 0, Origin.PROVISIONED, reason)
    except StaleEdit:
        return None


def _map(
    service: Service,
    actor: Actor,
    provider_account_id: int,
    account_id: int,
    seen: int,
    origin: Origin,
    reason: str = "",
) -> Decided:
    require(actor, Role.ANALYST)

    def work(connection: sa.Connection, who: Who, now: Standing) -> tuple[int, int | None]:
        _check_account(connection, account_id)
        policy = read_policy(connection)
        decision = decisions.map_account(
            connection, policy, who, provider_account_id, account_id, now=now, origin=origin, reason=reason
        )
        return decision, account_id

    return _decide(service, actor, provider_account_id, seen, work)


def clear_mapping(service: Service, actor: Actor, provider_account_id: int, *, seen: int, reason: str = "") -> Decided:
    """Unmap. Clearing an automatic mapping also rejects the pair, so that it does not come back."""
    require(actor, Role.ANALYST)

    def work(connection: sa.Connection, who: Who, now: Standing) -> tuple[int, int | None]:
        if now.account_id is None:
            raise InputError("This provider account is not mapped.", kept="Nothing was changed.")
        decision = decisions.unmap(connection, who, provider_account_id, now=now, reason=_checked(reason))
        if now.origin == Origin.AUTO:
            drop_candidate(connection, provider_account_id, now.account_id)
        return decision, now.account_id

    return _decide(service, actor, provider_account_id, seen, work)


def reject_candidate(
    service: Service, actor: Actor, provider_account_id: int, account_id: int, *, seen: int, reason: str = ""
) -> Decided:
    """Say that this account is not this customer's: not suggested and never mapped automatically until taken back."""
    require(actor, Role.ANALYST)

    def work(connection: sa.Connection, who: Who, now: Standing) -> tuple[int, int | None]:
        if now.account_id == account_id:
            raise InputError(
                "This account is the mapped one.", kept="Nothing was changed.", do="Clear the mapping instead."
            )
        _check_account(connection, account_id)
        decision = decisions.reject(connection, who, provider_account_id, account_id, reason=_checked(reason))
        drop_candidate(connection, provider_account_id, account_id)
        return decision, account_id

    return _decide(service, actor, provider_account_id, seen, work)


def take_back_rejection(
    service: Service, actor: Actor, provider_account_id: int, account_id: int, *, seen: int
) -> Decided:
    """Let this account be suggested and mapped again. InputError when it is not rejected."""
    require(actor, Role.ANALYST)

    def work(connection: sa.Connection, who: Who, _now: Standing) -> tuple[int, int | None]:
        return decisions.take_back_rejection(connection, who, provider_account_id, account_id), account_id

    return _decide(service, actor, provider_account_id, seen, work)


def exclude(service: Service, actor: Actor, provider_account_id: int, *, seen: int, reason: str) -> Decided:
    """Take a row out of the backlog for good, with a reason."""
    return _set_aside(service, actor, provider_account_id, seen, Disposition.EXCLUDED, reason)


def park(
    service: Service, actor: Actor, provider_account_id: int, *, seen: int, reason: str, until: dt.date | None = None
) -> Decided:
    """Take a row out of the backlog for a time, with a reason; on the date (UTC) it is open again by itself."""
    if until is not None and until <= service.clock().date():
        raise InputError("The date is not in the future.", kept="Nothing was changed.", do="Choose a later one.")
    return _set_aside(service, actor, provider_account_id, seen, Disposition.PARKED, reason, until)


def reopen(service: Service, actor: Actor, provider_account_id: int, *, seen: int) -> Decided:
    """Put an excluded or parked row back into the backlog."""
    require(actor, Role.ANALYST)

    def work(connection: sa.Connection, who: Who, now: Standing) -> tuple[int, int | None]:
        if now.disposition is Disposition.OPEN:
            raise InputError("This provider account is open already.", kept="Nothing was changed.")
        return decisions.reopen(connection, who, provider_account_id), None

    return _decide(service, actor, provider_account_id, seen, work)


def switch_sync(
    service: Service, actor: Actor, provider_account_id: int, *, on: bool, seen: int, reason: str = ""
) -> Decided:
    """Let syncs keep this row up to date, or leave it alone: neither changed nor taken for gone."""
    require(actor, Role.ANALYST)

    def work(connection: sa.Connection, who: Who, _now: Standing) -> tuple[int, int | None]:
        is_synced = sa.select(t.ProviderAccount.is_synced).where(t.ProviderAccount.id == provider_account_id)
        if connection.scalar(is_synced) == on:
            state = "on" if on else "off"
            raise InputError(f"The sync of this row is {state} already.", kept="Nothing was changed.")
        return decisions.switch_sync(connection, who, provider_account_id, on=on, reason=_checked(reason)), None

    return _decide(service, actor, provider_account_id, seen, work)


def create_account(service: Service, actor: Actor, provider_account_id: int, new: NewAccount, *, seen: int) -> Decided:
    """Create an account in the CRM and map to it.

    The CRM looks for duplicates first (InputError). When the account was created but could not be mapped, the error
    says so: the account exists, and mapping again doubles nothing.
    """
    require(actor, Role.ANALYST)
    if not new.name.strip():
        raise InputError("An account needs a name.", kept="Nothing was created.")
    with service.store.read() as connection:
        decisions.standing(connection, provider_account_id, seen=seen)
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


def _set_aside(
    service: Service,
    actor: Actor,
    provider_account_id: int,
    seen: int,
    kind: Disposition,
    reason: str,
    until: dt.date | None = None,
) -> Decided:
    require(actor, Role.ANALYST)
    if not reason.strip():
        raise InputError("A reason is needed.", kept="Nothing was changed.", do="Say why in a few words.")

    def work(connection: sa.Connection, who: Who, now: Standing) -> tuple[int, int | None]:
        if now.account_id is not None:
            raise InputError(
                "This provider account is mapped.", kept="Nothing was changed.", do="Clear the mapping first."
            )
        text = _checked(reason)
        return decisions.set_aside(connection, who, provider_account_id, kind, reason=text, until=until), None

    return _decide(service, actor, provider_account_id, seen, work)


def _decide(
    service: Service,
    actor: Actor,
    provider_account_id: int,
    seen: int,
    work: Callable[[sa.Connection, Who, Standing], tuple[int, int | None]],
) -> Decided:
    """Do `work` under the row's lock and make grid rows agree; all of it is committed when this returns."""
    with service.store.write() as connection:
        now = decisions.standing(connection, provider_account_id, seen=seen)
        decision, account_id = work(connection, Who(actor.name, service.clock()), now)
        which, values = decisions.affected(provider_account_id, now.account_id, account_id)
        refresh_derived.settle(connection, read_policy(connection), which, values)
        order_decided(connection, which, values)
        row = worklist.read_rows(connection, [provider_account_id])[0]
        kind = connection.execute(_KIND, {"one": decision}).scalar_one()
    _log.info("%s", json.dumps({"decision": decision, "actor": actor.name, "provider_account": provider_account_id}))
    return Decided(decision, row, DecisionKind(kind))


_KIND = sa.select(t.Decision.kind).where(t.Decision.id == sa.bindparam("one"))


def _check_account(connection: sa.Connection, account_id: int) -> None:
    row = connection.execute(
        sa.select(t.Account.name, t.Account.is_deleted).where(t.Account.id == account_id)
    ).one_or_none()
    if row is None or row.is_deleted:
        raise NotFound(
            "This CRM account does not exist (any more).", kept="Nothing was changed.", do="Choose another one."
        )


def _checked(reason: str) -> str:
    text = " ".join(reason.split())
    if len(text) > _LONGEST_REASON:
        raise InputError(
            f"A reason may have {_LONGEST_REASON} characters.", kept="Nothing was changed.", do="Shorten it."
        )
    return text
