"""What follows once the provider has created a customer: it is stored here and mapped to its account."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from w365.errors import W365Error
from w365.model import Actor, Role, RunKind, RunState
from w365.portals.onboarding import Created, Credentials
from w365.service import Service
from w365.service.access import needs
from w365.service.deciding.mapping import map_provisioned
from w365.source_records import Customer
from w365.store.db.engine import Connection
from w365.store.onboarding.accounts import find_provider_account
from w365.store.onboarding.created_customers import OnboardingView, State, change_onboarding, get_onboarding
from w365.store.runs import latest_run, see
from w365.store.syncing.customers import SUBJECT, store_customers

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Onboarded:
    """A customer that exists at the provider.

    ``problem`` says why it is not mapped to the account. ``credentials`` is None where no answer with them arrived.
    """

    name: str
    domain: str
    provider_account_id: int | None
    problem: str
    credentials: Credentials | None = field(repr=False, default=None)


@needs(Role.ANALYST)
def complete_onboarding(service: Service, actor: Actor, onboarding: OnboardingView, created: Created) -> Onboarded:
    """Store the customer and map it.

    It exists: from here on nothing may lose the password, so problems are told and not raised.
    """
    try:
        with service.store.write() as connection:
            store_created(service, connection, onboarding, created.customer)
            onboarding = get_onboarding(connection, onboarding.id)
    except W365Error as error:
        _log.warning("onboarding %d: created but not stored: %s", onboarding.id, error)
        problem = f"The customer was created, but could not be stored here: {error.what}"
        return Onboarded(onboarding.name, onboarding.domain, None, problem, created.credentials)
    return map_created(service, actor, onboarding, created.credentials)


def store_created(service: Service, connection: Connection, onboarding: OnboardingView, customer: Customer) -> None:
    """Store the customer, unless a sync did, and note with the onboarding that it exists."""
    provider_id, specific_id = onboarding.provider_id, customer.specific_id
    if find_provider_account(connection, provider_id, specific_id) is None:
        store_customers(connection, provider_id, [customer], service.clock())
    _spare(connection, onboarding.provider, specific_id)
    values = {"specific_id": specific_id, "detail": {}, "state": State.CREATED}
    row = find_provider_account(connection, provider_id, specific_id)
    change_onboarding(connection, onboarding.id, State.ASKED, **values, provider_account_id=row)
    _log.info("onboarding %d: created as %s", onboarding.id, specific_id)


def _spare(connection: Connection, provider: str, specific_id: str) -> None:
    """A sync that read its place in the list before the customer existed must not take it for gone."""
    run = latest_run(connection, RunKind.SYNC, provider)
    if run and run.state is not RunState.DONE:
        see(connection, run.id, SUBJECT, [specific_id])


@needs(Role.ANALYST)
def map_created(
    service: Service, actor: Actor, onboarding: OnboardingView, credentials: Credentials | None
) -> Onboarded:
    """Map the customer to its account, unless a person decided it before; what keeps it from that is told."""
    row, problem = onboarding.provider_account_id, ""
    try:
        ending = _map(service, actor, onboarding)
        with service.store.write() as connection:
            values = {"state": State.MAPPED, "ended_at": service.clock(), "remark": ending}
            change_onboarding(connection, onboarding.id, State.CREATED, **values)
        problem = "" if ending == "mapped" else f"It was not mapped: {ending}."
    except W365Error as error:
        problem = f"It was created, but not mapped: {error.what} {error.do}".rstrip()
        note_problem(service, onboarding, error)
    return Onboarded(onboarding.name, onboarding.domain, row, problem, credentials)


def _map(service: Service, actor: Actor, onboarding: OnboardingView) -> str:
    """Return how it ended, in words; empty where the customer is not stored here."""
    row = onboarding.provider_account_id
    if row is None:
        return ""
    asked_by, request_id = onboarding.actor, onboarding.request_id
    reason = f"Created at {onboarding.provider} for this account by {asked_by}, request id {request_id}."
    mapped = map_provisioned(service, actor, row, onboarding.account_id, reason=reason)
    return "mapped" if mapped else "somebody decided the provider account before; their decision was kept"


def note_problem(service: Service, onboarding: OnboardingView, error: W365Error) -> None:
    """Keep with an onboarding that goes on what went wrong last."""
    _log.warning("onboarding %d: %s %s", onboarding.id, error.what, error.detail)
    with service.store.write() as connection:
        change_onboarding(connection, onboarding.id, onboarding.state, remark=error.what)
