"""Providers: where customers are synced from, their state, and the runs that sync them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.config import DATAVERSE, REACHES, Connection, required_parts
from w365.errors import ConfigurationError, InputError, NotFound
from w365.http.wait import never_stop
from w365.matching.domains import normalise_domain
from w365.model import (
    OPEN,
    Actor,
    Customer,
    CustomerDomain,
    CustomerPage,
    DomainKind,
    ProviderKind,
    Role,
    RunKind,
    RunState,
)
from w365.portals.connectors import CONNECTORS, Connector, connector_of
from w365.service import Service
from w365.service.access import require
from w365.service.connecting.connectors import Reaching, allot
from w365.service.connecting.sign_ins import say_sign_in
from w365.service.syncing.customers import MISSING, accept_gone, store_customers
from w365.service.syncing.manual_rows import SOURCE
from w365.store import tables as t
from w365.store.configuring.settings import seed_lists
from w365.store.reading.worklist import counts
from w365.store.runs import RunView, cancel_run, end_run, get_run, latest_run, problems_of, recent_runs, request_run
from w365.store.syncing.crm_size import size_of
from w365.store.syncing.providers import free_name, put_provider

PARTNER_CENTER = "Partner Center"
CRM_TARGET = "crm"
MATCH_TARGET = "all"


@dataclass(frozen=True, slots=True)
class ProviderView:
    """A card of the Providers page. `missing` names what keeps it from being connected; empty for manual ones."""

    id: int
    name: str
    kind: ProviderKind
    cardinality: str
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


def prepare(service: Service) -> None:
    """Make sure that a new database has its lists and the connected providers; changes nothing the second time.

    Partner Center is listed before it is connected too, so that the pages can say what is missing.
    """
    with service.store.write() as connection:
        rows = connection.execute(sa.select(t.Provider.kind, t.Provider.name)).all()
        kinds, names = {row.kind for row in rows}, {row.name for row in rows}
        if ProviderKind.PARTNER_CENTER not in kinds:
            seed_lists(connection)
            _list(connection, CONNECTORS[0], names)
        without = allot(connection, service.settings)
        for one in CONNECTORS:
            if one.setting in without:
                _list(connection, one, names)
        allot(connection, service.settings)


def _list(connection: sa.Connection, connector: Connector, taken: set[str]) -> None:
    """List a provider by the connector's name, or by another where somebody keeps a manual one of that name."""
    name = free_name(connector.name, taken)
    taken.add(name)
    put_provider(connection, name, connector.kind)


def list_providers(service: Service, actor: Actor) -> list[ProviderView]:
    """List all providers with their connection, counts and last syncs, in the order in which they were added."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        amounts = counts(connection)
        gone_by = {row[0]: row[1] for row in connection.execute(_GONE)}
        views = []
        for row in connection.execute(_PROVIDERS):
            mine = [one for one in amounts if one.provider_id == row.id]
            views.append(
                ProviderView(
                    row.id,
                    row.name,
                    ProviderKind(row.kind),
                    row.cardinality or "",
                    _missing(service, connection, row.id, row.kind),
                    row.verified_at,
                    row.verified_as,
                    sum(one.accounts for one in mine),
                    sum(one.accounts for one in mine if one.status in OPEN),
                    gone_by.get(row.id, 0),
                    latest_run(connection, RunKind.SYNC, row.name),
                    latest_run(connection, RunKind.SYNC, row.name, state=RunState.DONE),
                )
            )
    return views


_PROVIDERS = sa.select(t.Provider).order_by(t.Provider.id)
_GONE = (
    sa.select(t.ProviderAccount.provider_id, sa.func.count())
    .where(t.ProviderAccount.gone_at.is_not(None))
    .group_by(t.ProviderAccount.provider_id)
)


def get_crm(service: Service, actor: Actor) -> CrmView:
    """Read how the CRM is connected, how much it holds, and its last syncs."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        reach = Reaching(service.settings, service.store, service.clock)
        connected, missing = _reach(lambda: reach.to_crm(connection), DATAVERSE)
        return CrmView(
            missing,
            connected.url if connected else "",
            size_of(connection, "accounts"),
            size_of(connection, "contacts"),
            latest_run(connection, RunKind.CRM_SYNC, CRM_TARGET),
            latest_run(connection, RunKind.CRM_SYNC, CRM_TARGET, state=RunState.DONE),
        )


def find_provider(service: Service, actor: Actor, name: str) -> ProviderView:
    """Find a provider by its name, or by its kind where only one has it; NotFound lists the names."""
    providers = list_providers(service, actor)
    wanted = name.casefold()
    found = [one for one in providers if wanted == one.name.casefold()]
    found = found or [one for one in providers if wanted == one.kind.value]
    if len(found) != 1:
        names = ", ".join(one.name for one in providers)
        raise NotFound(f"There is no provider “{name}”.", do=f"Providers: {names}.")
    return found[0]


def verify_provider(service: Service, actor: Actor, name: str) -> tuple[str, ...]:
    """Make the least calls that prove the connection; return what works in sentences, or raise what is missing."""
    require(actor, Role.ADMIN)
    provider = find_provider(service, actor, name)
    _refuse_unconnected(provider.missing)
    with service.open_portal(provider.name, never_stop) as portal:
        told = portal.verify()
    told += say_sign_in(service, actor, str(provider.id))
    with service.store.write() as connection:
        values = {"verified_at": service.clock(), "verified_as": " ".join(told)}
        connection.execute(sa.update(t.Provider).where(t.Provider.id == provider.id).values(values))
    return told


def verify_crm(service: Service, actor: Actor) -> tuple[str, ...]:
    """Do for the CRM what `verify_provider` does for a provider."""
    require(actor, Role.ADMIN)
    _refuse_unconnected(get_crm(service, actor).missing)
    with service.open_crm(never_stop) as crm:
        return crm.verify()


def request_sync(service: Service, actor: Actor, name: str, *, full: bool = False) -> int:
    """Queue a sync of one provider and return the run's id; AlreadyRunning, ConfigurationError when not connected."""
    require(actor, Role.ANALYST)
    provider = find_provider(service, actor, name)
    if provider.kind is ProviderKind.MANUAL:
        raise InputError(f"{provider.name} is a manual provider; there is nothing to sync.", do="Add its rows by hand.")
    _refuse_unconnected(provider.missing)
    return _request(service, actor, RunKind.SYNC, provider.name, wants_full=full)


def request_crm_sync(service: Service, actor: Actor) -> int:
    """Queue a sync of the CRM, on the terms of `request_sync`."""
    require(actor, Role.ANALYST)
    _refuse_unconnected(get_crm(service, actor).missing)
    return _request(service, actor, RunKind.CRM_SYNC, CRM_TARGET)


def request_match(service: Service, actor: Actor, *, full: bool = False) -> int:
    """Queue a match and return the run's id; AlreadyRunning when one is under way.

    A full one makes evidence and proposals anew from what was read, not only for what changed.
    """
    require(actor, Role.ANALYST)
    return _request(service, actor, RunKind.MATCH, MATCH_TARGET, wants_full=full)


def cancel(service: Service, actor: Actor, run_id: int) -> None:
    """End a run that waits, and ask one under way to stop at its next page; one that ended stays as it is."""
    require(actor, Role.ANALYST)
    with service.store.write() as connection:
        cancel_run(connection, run_id, service.clock())


def read_run(service: Service, actor: Actor, run_id: int) -> tuple[RunView, list[tuple[str, str]]]:
    """Read a run and its first problems (record id, why); NotFound when there is none."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        problems = [(one.record_id, one.why) for one in problems_of(connection, run_id)]
        return get_run(connection, run_id), problems


def list_runs(service: Service, actor: Actor, limit: int = 50) -> list[RunView]:
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return recent_runs(connection, limit)


def confirm_gone(service: Service, actor: Actor, run_id: int) -> int:
    """Accept that the customers which a guarded run did not meet are gone; return how many."""
    require(actor, Role.ADMIN)
    with service.store.write() as connection:
        run = get_run(connection, run_id)
        provider_id = connection.scalar(sa.select(t.Provider.id).where(t.Provider.name == run.target))
        latest = latest_run(connection, RunKind.SYNC, run.target)
        if provider_id is None or latest is None or latest.id != run_id or not missing_of(run):
            raise InputError(
                "Only the latest sync that stopped for this can be confirmed.", kept="Nothing was changed."
            )
        gone = accept_gone(service, connection, provider_id, run_id)
        result = {word: count for word, count in run.result.items() if word != MISSING} | {"gone": gone}
        end_run(connection, run_id, RunState.DONE, service.clock(), was=RunState.FAILED, error="", result=result)
    return gone


def missing_of(run: RunView) -> int:
    """How many customers a run did not meet that stopped at the guard and waits for `confirm_gone`; else 0."""
    return int(run.result.get(MISSING, 0)) if run.state is RunState.FAILED else 0


def add_manual_provider(service: Service, actor: Actor, name: str) -> int:
    """Add a provider whose rows are entered by hand and return its id; InputError for a name that is there already."""
    require(actor, Role.ADMIN)
    with service.store.write() as connection:
        return put_provider(connection, name, ProviderKind.MANUAL)


def add_manual_accounts(service: Service, actor: Actor, provider_id: int, rows: Sequence[ManualAccount]) -> int:
    """Add or change rows of a manual provider, all or none; return how many differ from before."""
    require(actor, Role.ANALYST)
    customers = tuple(_manual_customer(row) for row in rows)
    with service.store.write() as connection:
        kind = connection.scalar(sa.select(t.Provider.kind).where(t.Provider.id == provider_id))
        if kind != ProviderKind.MANUAL:
            raise InputError("Rows can be added to manual providers only.", kept="Nothing was changed.")
        return store_customers(connection, provider_id, CustomerPage(customers), service.clock())


def _manual_customer(row: ManualAccount) -> Customer:
    name, specific_id = " ".join(row.name.split()), row.specific_id.strip()
    if not name or not specific_id:
        raise InputError("A provider account needs a name and an id.", kept="Nothing was added.")
    domains = [normalise_domain(one) for one in row.domains if one.strip()]
    wrong = [domain.name for domain in domains if domain.kind in (DomainKind.INVALID, DomainKind.ADDRESS)]
    if wrong:
        raise InputError(f"{name}: “{wrong[0]}” is not a domain name.", kept="Nothing was added.", do="Correct it.")
    names = tuple(CustomerDomain(domain.name, is_default=index == 0) for index, domain in enumerate(domains))
    default = names[0].name if names else ""
    return Customer(specific_id, name, default, names, SOURCE, (), country=row.country.strip().upper())


def _request(service: Service, actor: Actor, kind: RunKind, target: str, *, wants_full: bool = False) -> int:
    with service.store.write() as connection:
        return request_run(connection, kind, target, actor.name, service.clock(), wants_full=wants_full)


def _missing(service: Service, database: sa.Connection, provider_id: int, kind: str) -> str:
    connector = connector_of(kind)
    if connector is None:
        return ""
    reach = Reaching(service.settings, service.store, service.clock)
    return _reach(lambda: reach.to_provider(database, provider_id), connector.setting)[1]


def _reach(find: Callable[[], Connection | None], setting: str) -> tuple[Connection | None, str]:
    """The connection, and what keeps it from being used."""
    try:
        found = find()
    except ConfigurationError as error:
        return None, str(error)
    if found is not None:
        return found, ""
    parts = [part for part in required_parts(setting) if part != "URL" or not REACHES[setting].url]
    names = ", ".join(f"W365_{setting}_{part}" for part in parts)
    return None, f"Not connected. An admin connects it on the Providers page, or sets {names} in the environment."


def _refuse_unconnected(missing: str) -> None:
    if missing:
        raise ConfigurationError(missing, kept="Nothing was started.", do="Then start it again.")
