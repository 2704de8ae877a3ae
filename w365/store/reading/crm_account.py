"""One CRM account as it is kept: its fields, its domains, and which open rows have it as a candidate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.model import Evidence, Rule
from w365.store import tables as t
from w365.store.db.bound_ids import NAMES
from w365.store.reading.worklist import MOST_ROWS


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The account's fields, how many contacts it has, and how many seats are mapped to it."""

    account_id: int
    crm_id: str
    name: str
    number: str
    website: str
    city: str
    country: str
    tenant_guid: str
    is_active: bool
    is_deleted: bool
    contacts: int
    seats: int


@dataclass(frozen=True, slots=True)
class RankedRow:
    """An open row that has an account as a candidate, and at which place."""

    provider_account_id: int
    rank: int
    score: float


def read_account_facts(connection: sa.Connection, crm_id: str) -> AccountFacts | None:
    """Read an account, a deleted one too; None when there is none."""
    row = connection.execute(_FACTS, {"of_crm_id": crm_id[:64]}).one_or_none()
    return None if row is None else AccountFacts(*row)


def read_crm_id(connection: sa.Connection, account_id: int) -> str | None:
    return connection.scalar(sa.select(t.Account.crm_id).where(t.Account.id == account_id))


def read_account_domains(connection: sa.Connection, account_id: int) -> dict[str, list[Evidence]]:
    """Read by which domains an account can be reached, and how, in the order of the domains."""
    facts: dict[str, list[Evidence]] = {}
    for domain, rule, contacts, example in connection.execute(_DOMAINS, {"account": account_id}):
        facts.setdefault(domain, []).append(Evidence(Rule(rule), domain, contacts, example))
    return facts


def count_customers(connection: sa.Connection, domains: Iterable[str]) -> dict[str, int]:
    """Count the provider accounts with each of these domains; those that nobody has are left out."""
    return {row[0]: row[1] for row in connection.execute(_CUSTOMERS, {"names": list(domains)})}


def list_ranked(connection: sa.Connection, account_id: int, limit: int) -> list[RankedRow]:
    """List the open rows that have an account as a candidate, the likeliest first."""
    rows = connection.execute(_RANKED.limit(limit), {"account": account_id})
    return [RankedRow(*row) for row in rows]


_ACCOUNT = sa.bindparam("account", type_=t.Id)
_CONTACTS = sa.select(sa.func.count()).select_from(t.Contact).where(t.Contact.account_crm_id == t.Account.crm_id)
_SEATS = (
    sa.select(sa.func.coalesce(sa.func.sum(t.Worklist.seats), 0))
    .join_from(t.Mapping, t.Worklist, t.Worklist.provider_account_id == t.Mapping.provider_account_id)
    .where(t.Mapping.account_id == t.Account.id)
)
_FACTS: sa.Select[*tuple[Any, ...]] = sa.select(
    t.Account.id,
    t.Account.crm_id,
    t.Account.name,
    t.Account.number,
    t.Account.website,
    t.Account.city,
    t.Account.country,
    t.Account.tenant_guid,
    t.Account.is_active,
    t.Account.is_deleted,
    _CONTACTS.scalar_subquery(),
    _SEATS.scalar_subquery(),
).where(t.Account.crm_id == sa.bindparam("of_crm_id"))
_DOMAINS = (
    sa.select(t.AccountDomain.domain, t.AccountDomain.rule, t.AccountDomain.contacts, t.AccountDomain.example)
    .where(t.AccountDomain.account_id == _ACCOUNT)
    .order_by(t.AccountDomain.domain, t.AccountDomain.rule)
    .limit(MOST_ROWS)
)
_CUSTOMERS = (
    sa.select(t.ProviderAccountDomain.domain, sa.func.count())
    .where(t.ProviderAccountDomain.domain.in_(NAMES))
    .group_by(t.ProviderAccountDomain.domain)
)
_RANKED = (
    sa.select(t.CurrentCandidate.provider_account_id, t.CurrentCandidate.rank, t.CurrentCandidate.score)
    .join(t.Worklist, t.Worklist.provider_account_id == t.CurrentCandidate.provider_account_id)
    .where(t.CurrentCandidate.account_id == _ACCOUNT, t.Worklist.account_id.is_(None))
    .order_by(t.CurrentCandidate.score.desc(), t.CurrentCandidate.provider_account_id)
)
