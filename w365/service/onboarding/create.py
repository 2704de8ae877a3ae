"""Onboard a customer: created at the provider from a CRM account, stored and mapped to it at once.

The request id is stored before the provider is asked, so that whatever breaks, a repeat makes no second customer. The
admin's first password is handed to whoever asked and is kept nowhere.
"""

from __future__ import annotations

import dataclasses
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from w365.errors import AccessError, Cancelled, InputError, NotFound, SourceError, SourceRefused, W365Error
from w365.model import Actor, Customer, Role, RunKind, RunState
from w365.portals.connectors import connector_of
from w365.portals.onboarding import AddressRefused, Created, Credentials, NewCustomer, Onboarding, onboarding_of
from w365.service import Service
from w365.service.access import require
from w365.service.deciding.mapping import map_provisioned
from w365.service.onboarding.form import (
    ADDRESS,
    PREFIX,
    FormRefused,
    Texts,
    domain_of,
    fill_form,
    read_form,
    say_prefix,
)
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.deciding.decisions import check_room
from w365.store.onboarding.created_customers import (
    OnboardingView,
    State,
    change_onboarding,
    count_unfinished,
    get_onboarding,
    list_unfinished,
    put_onboarding,
)
from w365.store.runs import latest_run, see
from w365.store.syncing.customers import SUBJECT, store_customers

_log = logging.getLogger(__name__)

PER_PAGE = 50
_PATIENCE_SECONDS = 45.0
_INVALID = 400


@dataclass(frozen=True, slots=True)
class Subject:
    """The CRM account to onboard, the form filled for it, and the provider accounts it has already."""

    account_id: int
    crm_id: str
    name: str
    tenant_guid: str
    domain: str
    texts: Texts
    mapped: tuple[str, ...]


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


def list_providers_to_onboard_at(service: Service, actor: Actor) -> dict[int, str]:
    """Name the providers at which customers can be created, by id."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        rows = connection.execute(sa.select(t.Provider.id, t.Provider.name, t.Provider.kind).order_by(t.Provider.id))
        return {row.id: row.name for row in rows if (one := connector_of(row.kind)) and one.onboards}


def read_subject(service: Service, actor: Actor, account: str) -> Subject:
    """Read an account by its CRM id; NotFound when there is none."""
    require(actor, Role.VIEWER)
    table, pa, mapping = t.Account, t.ProviderAccount, t.Mapping
    with service.store.read() as connection:
        row = connection.execute(sa.select(table).where(table.crm_id == account[:64], ~table.is_deleted)).one_or_none()
        if row is None:
            raise NotFound("There is no such CRM account.", do="Look for it by its name.")
        query = sa.select(pa.name, t.Provider.name).join(mapping, mapping.provider_account_id == pa.id)
        query = query.join(t.Provider, t.Provider.id == pa.provider_id).where(mapping.account_id == row.id)
        mapped = tuple(f"{name} at {at}" for name, at in connection.execute(query.order_by(pa.name_key).limit(5)))
        texts = fill_form(row.name, row.website, row.city, row.country)
        domain = row.website_domain or row.email_domain
        return Subject(row.id, row.crm_id, row.name, row.tenant_guid, domain, texts, mapped)


def check_domain(service: Service, actor: Actor, provider_id: int, prefix: str) -> str:
    """Say why a domain cannot be used, as it is typed; empty where it is free."""
    require(actor, Role.ANALYST)
    if said := say_prefix(prefix):
        return said
    with reached(service, provider_id) as portal:
        return _say_taken(portal, domain_of(prefix.strip().lower()))


def onboard(service: Service, actor: Actor, provider_id: int, account_id: int, texts: Texts) -> Onboarded:
    """Create a customer for an account and map it.

    Raises FormRefused for what was entered, PolicyBreach, and whatever the provider refuses; nothing was created then.
    Where it stays open whether it was, the error says so and the onboarding can be finished.
    """
    require(actor, Role.ANALYST)
    new = read_form(texts)
    with service.store.read() as connection:
        check_account(connection, provider_id, account_id)
    with reached(service, provider_id) as portal:
        _check_at_provider(portal, new)
        with service.store.write() as connection:
            asked = _note(service, connection, actor, provider_id, account_id, new)
        _log.info("onboarding %d: %s is asked for, request id %s", asked.id, new.domain, asked.request_id)
        created = _ask(service, portal, asked, new)
    return _complete(service, actor, asked, created)


def finish(service: Service, actor: Actor, onboarding_id: int) -> Onboarded:
    """Bring an onboarding that broke off to its end; no customer is created twice."""
    require(actor, Role.ANALYST)
    with service.store.read() as connection:
        one = get_onboarding(connection, onboarding_id)
    if one.state is State.CREATED:
        return _map(service, actor, one, None)
    if one.state is not State.ASKED:
        raise InputError("This onboarding is finished already.", kept="Nothing was changed.", do="Reload the page.")
    with reached(service, one.provider_id) as portal:
        created = _ask_again(service, portal, one, NewCustomer(**one.detail))
    return _complete(service, actor, one, created)


def give_up(service: Service, actor: Actor, onboarding_id: int) -> None:
    """End an onboarding after a look that its customer does not exist; one that exists stays and is not mapped."""
    require(actor, Role.ANALYST)
    with service.store.read() as connection:
        one = get_onboarding(connection, onboarding_id)
    if one.state is State.ASKED:
        with reached(service, one.provider_id) as portal:
            if _find(service, portal, one):
                raise InputError(
                    f"{one.name} exists at {one.provider} by now.", kept="Nothing was changed.", do="Finish it instead."
                )
    with service.store.write() as connection:
        said = f"given up by {actor.name}"
        change_onboarding(
            connection, one.id, one.state, state=State.GIVEN_UP, ended_at=service.clock(), said=said, detail={}
        )


def list_open(service: Service, actor: Actor, *, start: int = 0, limit: int = PER_PAGE) -> list[OnboardingView]:
    """The unfinished onboardings, the oldest first."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return list_unfinished(connection, start=start, limit=limit)


def count_open(service: Service, actor: Actor) -> int:
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return count_unfinished(connection)


@contextmanager
def reached(service: Service, provider_id: int) -> Iterator[Onboarding]:
    """Open the provider; a person waits for it, so it may not keep us waiting for long."""
    with service.store.read() as connection:
        name = connection.scalar(sa.select(t.Provider.name).where(t.Provider.id == provider_id))
    if name is None:
        raise NotFound("There is no such provider.", do="Reload the page.")
    with service.open_portal(name, _until(time.monotonic() + _PATIENCE_SECONDS, name)) as portal:
        yield onboarding_of(portal, name)


def _until(end: float, name: str) -> Callable[[], None]:
    def check() -> None:
        if time.monotonic() > end:
            raise Cancelled(f"{name} keeps us waiting.", do="Try again in some minutes.")

    return check


def check_account(connection: sa.Connection, provider_id: int, account_id: int) -> None:
    """Look before a customer is created whether it could be mapped afterwards."""
    account = t.Account
    if not connection.scalar(sa.select(~account.is_deleted).where(account.id == account_id)):
        raise NotFound("This CRM account does not exist (any more).", kept="Nothing was created.")
    if connection.scalar(sa.select(t.Provider.id).where(t.Provider.id == provider_id)) is None:
        raise NotFound("There is no such provider.", kept="Nothing was created.", do="Reload the page.")
    check_room(connection, read_policy(connection), provider_id, account_id)


def _check_at_provider(portal: Onboarding, new: NewCustomer) -> None:
    if said := _say_taken(portal, new.domain):
        raise FormRefused({PREFIX: said})
    try:
        portal.check_address(new)
    except AddressRefused as error:
        raise FormRefused({ADDRESS: error.what}) from None


def _say_taken(portal: Onboarding, domain: str) -> str:
    return "" if portal.is_free(domain) else f"{domain} is taken. Choose another one."


def _note(
    service: Service, connection: sa.Connection, actor: Actor, provider_id: int, account_id: int, new: NewCustomer
) -> OnboardingView:
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
    return get_onboarding(connection, put_onboarding(connection, values))


def _ask(service: Service, portal: Onboarding, one: OnboardingView, new: NewCustomer) -> Created:
    """Ask for the first time: a refusal means that nothing was created. After silence, look and ask once more."""
    try:
        return portal.create(new, one.request_id)
    except (SourceRefused, AccessError) as error:
        _end_refused(service, one, error)
        raise
    except (SourceError, Cancelled) as error:
        _say(service, one, error)
    return _ask_again(service, portal, one, new)


def _ask_again(service: Service, portal: Onboarding, one: OnboardingView, new: NewCustomer) -> Created:
    """Look whether the customer exists by now, else ask with the same request id.

    The first request may still have been carried out: only what could never have succeeded counts as refused.
    """
    try:
        found = _find(service, portal, one)
        return Created(found, None) if found else portal.create(new, one.request_id)
    except (SourceError, AccessError, Cancelled) as error:
        if isinstance(error, SourceRefused) and error.status == _INVALID:
            _end_refused(service, one, error)
            raise
        _say(service, one, error)
        raise _left_open(one, error) from error


def _find(service: Service, portal: Onboarding, one: OnboardingView) -> Customer | None:
    """Find the customer in what was synced, else at the provider. One of another name is somebody else's."""
    found = _find_synced(service, one) or portal.find(one.domain)
    if found and found.name.casefold() != one.name.casefold():
        raise InputError(
            f"{one.domain} belongs to another customer of yours by now: {found.name}.",
            kept="Nothing was created for this onboarding.",
            do="Give it up and choose another domain, or map that customer by hand.",
        )
    return found


def _find_synced(service: Service, one: OnboardingView) -> Customer | None:
    pa, pad = t.ProviderAccount, t.ProviderAccountDomain
    query = sa.select(pa.specific_id, pa.name, pa.default_domain, pa.tenant_guid, pa.country, pa.relationship)
    query = query.join(pad, pad.provider_account_id == pa.id).where(
        pa.provider_id == one.provider_id, pad.domain == one.domain, pa.gone_at.is_(None)
    )
    with service.store.read() as connection:
        row = connection.execute(query.limit(1)).mappings().one_or_none()
    return Customer(**row, domains=None, domain_source="") if row else None


def _complete(service: Service, actor: Actor, one: OnboardingView, created: Created) -> Onboarded:
    """The customer exists: from here on nothing may lose the password, so problems are told and not raised."""
    try:
        with service.store.write() as connection:
            _keep(service, connection, one, created.customer)
            one = get_onboarding(connection, one.id)
    except W365Error as error:
        _log.warning("onboarding %d: created but not stored: %s", one.id, error)
        said = f"The customer was created, but could not be stored here: {error.what}"
        return Onboarded(one.name, one.domain, None, said, created.credentials)
    return _map(service, actor, one, created.credentials)


def _keep(service: Service, connection: sa.Connection, one: OnboardingView, customer: Customer) -> None:
    pa = t.ProviderAccount
    known = sa.select(pa.id).where(pa.provider_id == one.provider_id, pa.specific_id == customer.specific_id)
    if connection.scalar(known) is None:
        store_customers(connection, one.provider_id, [customer], service.clock())
    _spare(connection, one.provider, customer.specific_id)
    change_onboarding(
        connection,
        one.id,
        State.ASKED,
        state=State.CREATED,
        detail={},
        specific_id=customer.specific_id,
        provider_account_id=connection.scalar(known),
    )
    _log.info("onboarding %d: created as %s", one.id, customer.specific_id)


def _spare(connection: sa.Connection, provider: str, specific_id: str) -> None:
    """A sync that read its place in the list before the customer existed must not take it for gone."""
    run = latest_run(connection, RunKind.SYNC, provider)
    if run and run.state is not RunState.DONE:
        see(connection, run.id, SUBJECT, [specific_id])


def _map(service: Service, actor: Actor, one: OnboardingView, credentials: Credentials | None) -> Onboarded:
    row, problem, ended = one.provider_account_id, "", ""
    try:
        if row is not None:
            reason = f"Created at {one.provider} for this account by {one.actor}, request id {one.request_id}."
            mapped = map_provisioned(service, actor, row, one.account_id, reason=reason)
            ended = "mapped" if mapped else "somebody decided the provider account before; their decision was kept"
        with service.store.write() as connection:
            values = {"state": State.MAPPED, "ended_at": service.clock(), "said": ended}
            change_onboarding(connection, one.id, State.CREATED, **values)
        problem = "" if ended == "mapped" else f"It was not mapped: {ended}."
    except W365Error as error:
        problem = f"It was created, but not mapped: {error.what} {error.do}".rstrip()
        _say(service, one, error)
    return Onboarded(one.name, one.domain, row, problem, credentials)


def _say(service: Service, one: OnboardingView, error: W365Error) -> None:
    _log.warning("onboarding %d: %s %s", one.id, error.what, error.detail)
    with service.store.write() as connection:
        change_onboarding(connection, one.id, one.state, said=error.what)


def _end_refused(service: Service, one: OnboardingView, error: W365Error) -> None:
    _log.warning("onboarding %d: refused: %s %s", one.id, error.what, error.detail)
    with service.store.write() as connection:
        ended = {"state": State.REFUSED, "ended_at": service.clock(), "said": error.what, "detail": {}}
        change_onboarding(connection, one.id, State.ASKED, **ended)


def _left_open(one: OnboardingView, error: W365Error) -> SourceError:
    return SourceError(
        f"Whether {one.name} was created at {one.provider} is not known: {error.what}",
        kept="The request is kept; repeating it makes no second customer.",
        do="Finish it below in some minutes.",
        detail=error.detail,
    )
