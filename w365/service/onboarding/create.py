"""Onboard a customer: created at the provider from a CRM account, stored and mapped to it at once.

The request id is stored before the provider is asked, so that whatever breaks, a repeat makes no second customer. The
admin's first password is handed to whoever asked and is kept nowhere.
"""

from __future__ import annotations

import dataclasses
import logging
import uuid

from w365.errors import (
    AccessError,
    AddressRefused,
    Cancelled,
    FormRefused,
    InputError,
    SourceError,
    SourceRefused,
    W365Error,
)
from w365.model import Actor, Role
from w365.portals.onboarding import Created, NewCustomer, OnboardingPortal
from w365.service import Service
from w365.service.access import needs
from w365.service.onboarding.complete import Onboarded, complete_onboarding, map_created, note_problem
from w365.service.onboarding.form import ADDRESS, PREFIX, Texts, domain_of, read_form, say_prefix
from w365.service.onboarding.provider import open_provider
from w365.source_records import Customer
from w365.store.onboarding.accounts import AccountToOnboard, check_can_be_mapped, find_customer, read_account_to_onboard
from w365.store.onboarding.created_customers import (
    OnboardingView,
    State,
    change_onboarding,
    count_unfinished,
    get_onboarding,
    list_unfinished,
    put_onboarding,
)

_log = logging.getLogger(__name__)

PER_PAGE = 50
_INVALID = 400


@needs(Role.VIEWER)
def read_account(service: Service, actor: Actor, crm_id: str) -> AccountToOnboard:
    """Read an account by its CRM id; NotFound when there is none."""
    with service.store.read() as connection:
        return read_account_to_onboard(connection, crm_id)


@needs(Role.ANALYST)
def check_domain(service: Service, actor: Actor, provider_id: int, prefix: str) -> str:
    """Say why a domain cannot be used, as it is typed; empty where it is free."""
    if problem := say_prefix(prefix):
        return problem
    with open_provider(service, provider_id) as portal:
        return _say_taken(portal, domain_of(prefix.strip().lower()))


@needs(Role.ANALYST)
def onboard_customer(service: Service, actor: Actor, provider_id: int, account_id: int, texts: Texts) -> Onboarded:
    """Create a customer for an account and map it.

    Raises FormRefused for what was entered, PolicyBreach, and whatever the provider refuses; nothing was created then.
    Where it stays open whether it was, the error says so and the onboarding can be finished.
    """
    new = read_form(texts)
    with service.store.read() as connection:
        check_can_be_mapped(connection, provider_id, account_id)
    with open_provider(service, provider_id) as portal:
        _check_at_provider(portal, new)
        onboarding = _note_request(service, actor, provider_id, account_id, new)
        created = _ask(service, portal, onboarding, new)
    return complete_onboarding(service, actor, onboarding, created)


@needs(Role.ANALYST)
def finish_onboarding(service: Service, actor: Actor, onboarding_id: int) -> Onboarded:
    """Bring an onboarding that broke off to its end; no customer is created twice."""
    with service.store.read() as connection:
        onboarding = get_onboarding(connection, onboarding_id)
    if onboarding.state is State.CREATED:
        return map_created(service, actor, onboarding, None)
    if onboarding.state is not State.ASKED:
        raise InputError("This onboarding is finished already.", kept="Nothing was changed.", do="Reload the page.")
    with open_provider(service, onboarding.provider_id) as portal:
        created = _ask_again(service, portal, onboarding, NewCustomer(**onboarding.detail))
    return complete_onboarding(service, actor, onboarding, created)


@needs(Role.ANALYST)
def give_up(service: Service, actor: Actor, onboarding_id: int) -> None:
    """End an onboarding after a look that its customer does not exist; one that exists stays and is not mapped."""
    with service.store.read() as connection:
        onboarding = get_onboarding(connection, onboarding_id)
    if onboarding.state is State.ASKED:
        _check_does_not_exist(service, onboarding)
    _end(service, onboarding, State.GIVEN_UP, f"given up by {actor.name}")


@needs(Role.VIEWER)
def list_open(service: Service, actor: Actor) -> list[OnboardingView]:
    """The unfinished onboardings, the oldest first."""
    with service.store.read() as connection:
        return list_unfinished(connection, PER_PAGE)


@needs(Role.VIEWER)
def count_open(service: Service, actor: Actor) -> int:
    with service.store.read() as connection:
        return count_unfinished(connection)


def _check_at_provider(portal: OnboardingPortal, new: NewCustomer) -> None:
    if problem := _say_taken(portal, new.domain):
        raise FormRefused({PREFIX: problem})
    try:
        portal.check_address(new)
    except AddressRefused as error:
        raise FormRefused({ADDRESS: error.what}) from None


def _say_taken(portal: OnboardingPortal, domain: str) -> str:
    return "" if portal.is_free(domain) else f"{domain} is taken. Choose another one."


def _note_request(
    service: Service, actor: Actor, provider_id: int, account_id: int, new: NewCustomer
) -> OnboardingView:
    """Store what is about to be asked for, with the id by which a repeat is the same request."""
    values = {
        "request_id": str(uuid.uuid4()),
        "provider_id": provider_id,
        "account_id": account_id,
        "domain": new.domain,
        "name": new.name,
        "detail": dataclasses.asdict(new),
        "actor": actor.name,
        "at": service.clock(),
    }
    with service.store.write() as connection:
        onboarding = get_onboarding(connection, put_onboarding(connection, values))
    _log.info("onboarding %d: %s is asked for, request id %s", onboarding.id, new.domain, onboarding.request_id)
    return onboarding


def _check_does_not_exist(service: Service, onboarding: OnboardingView) -> None:
    with open_provider(service, onboarding.provider_id) as portal:
        if _find_customer(service, portal, onboarding):
            raise InputError(
                f"{onboarding.name} exists at {onboarding.provider} by now.",
                kept="Nothing was changed.",
                do="Finish it instead.",
            )


def _ask(service: Service, portal: OnboardingPortal, onboarding: OnboardingView, new: NewCustomer) -> Created:
    """Ask for the first time: a refusal means that nothing was created. After silence, look and ask once more."""
    try:
        return portal.create(new, onboarding.request_id)
    except (SourceRefused, AccessError) as error:
        _end_refused(service, onboarding, error)
        raise
    except (SourceError, Cancelled) as error:
        note_problem(service, onboarding, error)
    return _ask_again(service, portal, onboarding, new)


def _ask_again(service: Service, portal: OnboardingPortal, onboarding: OnboardingView, new: NewCustomer) -> Created:
    """Look whether the customer exists by now, else ask with the same request id.

    The first request may still have been carried out: only what could never have succeeded counts as refused.
    """
    try:
        customer = _find_customer(service, portal, onboarding)
        return Created(customer, None) if customer else portal.create(new, onboarding.request_id)
    except (SourceError, AccessError, Cancelled) as error:
        if isinstance(error, SourceRefused) and error.status == _INVALID:
            _end_refused(service, onboarding, error)
            raise
        note_problem(service, onboarding, error)
        raise _left_open(onboarding, error) from error


def _find_customer(service: Service, portal: OnboardingPortal, onboarding: OnboardingView) -> Customer | None:
    """Find the customer in what was synced, else at the provider. One of another name is somebody else's."""
    with service.store.read() as connection:
        synced = find_customer(connection, onboarding.provider_id, onboarding.domain)
    customer = synced or portal.find(onboarding.domain)
    if customer and customer.name.casefold() != onboarding.name.casefold():
        raise InputError(
            f"{onboarding.domain} belongs to another customer of yours by now: {customer.name}.",
            kept="Nothing was created for this onboarding.",
            do="Give it up and choose another domain, or map that customer by hand.",
        )
    return customer


def _end_refused(service: Service, onboarding: OnboardingView, error: W365Error) -> None:
    _log.warning("onboarding %d: refused: %s %s", onboarding.id, error.what, error.detail)
    _end(service, onboarding, State.REFUSED, error.what)


def _end(service: Service, onboarding: OnboardingView, state: State, why: str) -> None:
    """End it without a customer: what was to be sent is forgotten."""
    ended = {"state": state, "ended_at": service.clock(), "remark": why, "detail": {}}
    with service.store.write() as connection:
        change_onboarding(connection, onboarding.id, onboarding.state, **ended)


def _left_open(onboarding: OnboardingView, error: W365Error) -> SourceError:
    return SourceError(
        f"Whether {onboarding.name} was created at {onboarding.provider} is not known: {error.what}",
        kept="The request is kept; repeating it makes no second customer.",
        do="Finish it below in some minutes.",
        detail=error.detail,
    )
