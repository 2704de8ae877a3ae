"""Providers and the CRM: where records are synced from, how each is connected, and rows entered by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from w365 import connection as reach
from w365.connection import DATAVERSE, REACHES, required_parts
from w365.errors import ConfigurationError, InputError, NotFound
from w365.http.wait import never_stop
from w365.matching.domains import normalise_domain
from w365.model import OPEN, Actor, DomainKind, ProviderKind, Role, RunKind, RunState
from w365.portals.connectors import CONNECTORS, Connector, connector_of
from w365.service import Service
from w365.service.access import needs
from w365.service.connecting.finder import allot_environment, finder_of
from w365.service.connecting.sign_ins import say_sign_in
from w365.service.syncing.manual_rows import SOURCE
from w365.source_records import Customer, CustomerDomain
from w365.store.configuring.setting_changes import note_change
from w365.store.configuring.settings import seed_lists
from w365.store.db.engine import Connection
from w365.store.reading.row_counts import StatusCount, count_statuses
from w365.store.runs import CRM, RunView, latest_run
from w365.store.syncing.crm_size import size_of
from w365.store.syncing.customers import store_customers
from w365.store.syncing.providers import (
    ProviderRow,
    count_gone,
    free_name,
    get_manual_provider,
    note_verified,
    put_provider,
    read_provider_names,
)
from w365.store.syncing.providers import list_providers as list_provider_rows

PARTNER_CENTER = "Partner Center"
MATCH_TARGET = "all"


@dataclass(frozen=True, slots=True)
class ProviderView:
    """A card of the Providers page. `missing` names what keeps it from being connected; empty for manual ones."""

    id: int
    name: str
    kind: ProviderKind
    cardinality: str
    is_text_proof: bool
    missing: str
    verified_at: dt.datetime | None
    verified_as: str
    accounts: int
    open: int
    gone: int
    last: RunView | None
    last_done: RunView | None


@dataclass(frozen=True, slots=True)
class CrmView:
    missing: str
    url: str
    accounts: int
    contacts: int
    last: RunView | None
    last_done: RunView | None


@dataclass(frozen=True, slots=True)
class ManualAccount:
    """A provider account of a manual provider, as entered."""

    specific_id: str
    name: str
    domains: tuple[str, ...] = ()
    country: str = ""


def prepare_providers(service: Service) -> None:
    """Make sure that a new database has its lists and the connected providers; changes nothing the second time.

    Partner Center is listed before it is connected too, so that the pages can say what is missing.
    """
    with service.store.write() as connection:
        providers = list_provider_rows(connection)
        names = {provider.name for provider in providers}
        if all(provider.kind is not ProviderKind.PARTNER_CENTER for provider in providers):
            seed_lists(connection)
            _add_connected(connection, CONNECTORS[0], names)
        without = allot_environment(connection, service.settings)
        for connector in CONNECTORS:
            if connector.setting in without:
                _add_connected(connection, connector, names)
        allot_environment(connection, service.settings)


def _add_connected(connection: Connection, connector: Connector, taken: set[str]) -> None:
    """Add a provider by the connector's name, or by another where somebody keeps a manual one of that name."""
    name = free_name(connector.name, taken)
    taken.add(name)
    put_provider(connection, name, connector.kind)


@needs(Role.VIEWER)
def list_providers(service: Service, actor: Actor) -> list[ProviderView]:
    """List all providers with their connection, counts and last syncs, in the order in which they were added."""
    with service.store.read() as connection:
        amounts, gone = count_statuses(connection), count_gone(connection)
        return [
            _view(service, connection, provider, amounts, gone.get(provider.id, 0))
            for provider in list_provider_rows(connection)
        ]


def _view(
    service: Service, connection: Connection, provider: ProviderRow, amounts: Sequence[StatusCount], gone: int
) -> ProviderView:
    mine = [amount for amount in amounts if amount.provider_id == provider.id]
    return ProviderView(
        provider.id,
        provider.name,
        provider.kind,
        provider.cardinality or "",
        provider.is_text_proof,
        _missing(service, connection, provider),
        provider.verified_at,
        provider.verified_as,
        sum(amount.accounts for amount in mine),
        sum(amount.accounts for amount in mine if amount.status in OPEN),
        gone,
        latest_run(connection, RunKind.SYNC, provider.name),
        latest_run(connection, RunKind.SYNC, provider.name, state=RunState.DONE),
    )


@needs(Role.VIEWER)
def get_crm(service: Service, actor: Actor) -> CrmView:
    """Read how the CRM is connected, how much it holds, and its last syncs."""
    with service.store.read() as connection:
        crm, missing = _try_to_find(lambda: finder_of(service).find_for_crm(connection), DATAVERSE)
        return CrmView(
            missing,
            crm.url if crm else "",
            size_of(connection, "accounts"),
            size_of(connection, "contacts"),
            latest_run(connection, RunKind.CRM_SYNC, CRM),
            latest_run(connection, RunKind.CRM_SYNC, CRM, state=RunState.DONE),
        )


@needs(Role.VIEWER)
def find_provider(service: Service, actor: Actor, name: str) -> ProviderView:
    """Find a provider by its name, or by its kind where only one has it; NotFound lists the names."""
    providers = list_providers(service, actor)
    folded = name.casefold()
    matching = [provider for provider in providers if provider.name.casefold() == folded]
    matching = matching or [provider for provider in providers if provider.kind.value == folded]
    if len(matching) != 1:
        names = ", ".join(provider.name for provider in providers)
        raise NotFound(f"There is no provider “{name}”.", do=f"Providers: {names}.")
    return matching[0]


@needs(Role.VIEWER)
def get_provider_name(service: Service, actor: Actor, provider_id: int) -> str:
    """The name of a provider by its id; NotFound without one."""
    with service.store.read() as connection:
        name = read_provider_names(connection).get(provider_id)
    if name is None:
        raise NotFound(f"There is no provider {provider_id}.", kept="Nothing was started.")
    return name


@needs(Role.ADMIN)
def verify_provider(service: Service, actor: Actor, name: str) -> tuple[str, ...]:
    """Make the least calls that prove the connection; return what works in sentences, or raise what is missing."""
    provider = find_provider(service, actor, name)
    refuse_unconnected(provider.missing)
    with service.open_portal(provider.name, never_stop) as portal:
        sentences = portal.verify()
    sentences += say_sign_in(service, actor, str(provider.id))
    with service.store.write() as connection:
        note_verified(connection, provider.id, service.clock(), sentences)
    return sentences


@needs(Role.ADMIN)
def verify_crm(service: Service, actor: Actor) -> tuple[str, ...]:
    """Do for the CRM what `verify_provider` does for a provider."""
    refuse_unconnected(get_crm(service, actor).missing)
    with service.open_crm(never_stop) as crm:
        return crm.verify()


@needs(Role.ADMIN)
def add_manual_provider(service: Service, actor: Actor, name: str) -> int:
    """Add a provider whose rows are entered by hand and return its id; InputError for a name that is there already."""
    with service.store.write() as connection:
        provider_id = put_provider(connection, name, ProviderKind.MANUAL)
        note_change(connection, actor.name, service.clock(), f"manual provider: {' '.join(name.split())}", "", "added")
    return provider_id


@needs(Role.ANALYST)
def add_manual_accounts(service: Service, actor: Actor, provider_id: int, rows: Sequence[ManualAccount]) -> int:
    """Add or change rows of a manual provider, all or none; return how many differ from before."""
    customers = [_manual_customer(row) for row in rows]
    with service.store.write() as connection:
        get_manual_provider(connection, provider_id)
        return store_customers(connection, provider_id, customers, service.clock())


def _manual_customer(row: ManualAccount) -> Customer:
    name, specific_id = " ".join(row.name.split()), row.specific_id.strip()
    if not name or not specific_id:
        raise InputError("A provider account needs a name and an id.", kept="Nothing was added.")
    domains = [normalise_domain(text) for text in row.domains if text.strip()]
    wrong = [domain.name for domain in domains if domain.kind in (DomainKind.INVALID, DomainKind.ADDRESS)]
    if wrong:
        raise InputError(f"{name}: “{wrong[0]}” is not a domain name.", kept="Nothing was added.", do="Correct it.")
    names = tuple(CustomerDomain(domain.name, is_default=index == 0) for index, domain in enumerate(domains))
    default = names[0].name if names else ""
    return Customer(specific_id, name, default, names, SOURCE, (), country=row.country.strip().upper())


def _missing(service: Service, connection: Connection, provider: ProviderRow) -> str:
    """What keeps a provider from being connected, in a sentence; empty for a manual one."""
    connector = connector_of(provider.kind)
    if connector is None:
        return ""
    return _try_to_find(lambda: finder_of(service).find_for_provider(connection, provider), connector.setting)[1]


def _try_to_find(find: Callable[[], reach.Connection | None], setting: str) -> tuple[reach.Connection | None, str]:
    """The connection, and what keeps it from being used."""
    try:
        connection = find()
    except ConfigurationError as error:
        return None, str(error)
    if connection is not None:
        return connection, ""
    parts = [part for part in required_parts(setting) if part != "URL" or not REACHES[setting].url]
    names = ", ".join(f"W365_{setting}_{part}" for part in parts)
    return None, f"Not connected. An admin connects it on the Providers page, or sets {names} in the environment."


def refuse_unconnected(missing: str) -> None:
    """Raise ConfigurationError where something keeps a provider or the CRM from being connected."""
    if missing:
        raise ConfigurationError(missing, kept="Nothing was started.", do="Then start it again.")
