"""Who asks, providers, CRM accounts and runs as programs get them. A released name stays."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

from w365.model import ProviderKind, RunKind, RunState
from w365.service.reading.crm_account import CrmAccountView
from w365.service.syncing.providers import ProviderView
from w365.store.people.service_tokens import TokenRow
from w365.store.reading.account_hits import Hit
from w365.store.run_counts import as_words
from w365.store.runs import RunView


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The token that asks."""

    name: Annotated[str, "By which decisions and runs name it."]
    role: Annotated[str, "`viewer` or `analyst`."]
    expires_at: dt.datetime


def service_account(name: str, row: TokenRow) -> ServiceAccount:
    return ServiceAccount(name, row.role.name.lower(), row.expires_at)


@dataclass(frozen=True, slots=True)
class Provider:
    """Where customers come from."""

    id: Annotated[int, "Stays as long as the provider is known."]
    name: str
    kind: ProviderKind
    is_connected: Annotated[bool, "Whether it can be synced; a manual provider cannot."]
    provider_accounts: Annotated[int, "How many it has, without gone ones that are not mapped."]
    backlog: Annotated[int, "How many of them are unmapped or in conflict."]
    last_synced_at: Annotated[dt.datetime | None, "When the latest sync that went well ended."]


@dataclass(frozen=True, slots=True)
class Providers:
    """All providers, in the order in which they were added."""

    items: tuple[Provider, ...]


def provider(view: ProviderView) -> Provider:
    is_connected = view.kind is not ProviderKind.MANUAL and not view.missing
    ended_at = view.last_done.ended_at if view.last_done else None
    return Provider(view.id, view.name, view.kind, is_connected, view.accounts, view.open, ended_at)


@dataclass(frozen=True, slots=True)
class Account:
    """A CRM account."""

    crm_id: Annotated[str, "Its id in the CRM."]
    name: str
    number: str
    city: str
    country: str
    is_active: bool
    is_deleted: bool
    domains: tuple[str, ...]
    mapped: Annotated[int, "How many provider accounts are mapped to it."]


def account(view: CrmAccountView) -> Account:
    return Account(
        crm_id=view.crm_id,
        name=view.name,
        number=view.number,
        city=view.city,
        country=view.country,
        is_active=view.is_active,
        is_deleted=view.is_deleted,
        domains=tuple(each.name for each in view.domains),
        mapped=view.mapped_total,
    )


@dataclass(frozen=True, slots=True)
class AccountHit:
    """A CRM account that was found."""

    crm_id: Annotated[str, "Its id in the CRM."]
    name: str
    number: str
    city: str
    country: str
    domain: str
    is_active: bool
    is_guess: Annotated[bool, "Whether what was asked for was taken for a typing error."]


@dataclass(frozen=True, slots=True)
class AccountHits:
    """The best hit first."""

    items: tuple[AccountHit, ...]


def account_hit(hit: Hit) -> AccountHit:
    return AccountHit(
        hit.crm_id,
        hit.name,
        hit.number,
        hit.city,
        hit.country,
        hit.domain,
        is_active=hit.is_active,
        is_guess=hit.is_guess,
    )


@dataclass(frozen=True, slots=True)
class RunProblem:
    """A record that a run could not use."""

    record_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Run:
    """Work that was asked for, such as a sync, and how it goes."""

    id: Annotated[int, "Stays as long as the run is known."]
    kind: RunKind
    target: Annotated[str, "The provider's name; of the CRM `crm`, of a match `all`."]
    state: RunState
    actor: str
    requested_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    done: Annotated[int, "Records so far."]
    total: Annotated[int | None, "Of so many; null while nobody knows."]
    message: Annotated[str, "Why it waits, while it does."]
    error: Annotated[str, "How it failed; empty: it did not."]
    result: Annotated[dict[str, int], "What it counted, by word."]
    is_being_cancelled: bool


@dataclass(frozen=True, slots=True)
class Runs:
    """The latest first."""

    items: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run with the first records that it could not use."""

    run: Run
    problems: tuple[RunProblem, ...]


def run(view: RunView) -> Run:
    return Run(
        id=view.id,
        kind=view.kind,
        target=view.target,
        state=view.state,
        actor=view.actor,
        requested_at=view.requested_at,
        started_at=view.started_at,
        ended_at=view.ended_at,
        done=view.done,
        total=view.total,
        message=view.message,
        error=view.error,
        result=as_words(view.result),
        is_being_cancelled=view.is_active and view.cancel_requested,
    )
