"""The account view: all provider accounts of one CRM account, across providers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from w365.errors import NotFound
from w365.matching.messages import say_evidence
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.db.engine import Connection
from w365.store.reading.crm_account import (
    AccountFacts,
    count_customers,
    list_ranked,
    read_account_domains,
    read_account_facts,
    read_crm_id,
)
from w365.store.reading.row_counts import count_rows
from w365.store.reading.worklist import Filter, Row, Sort, list_ids, read_rows

PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class AccountDomainView:
    """A domain by which the account can be reached, how, and how many provider accounts have it."""

    name: str
    facts: tuple[str, ...]
    customers: int


@dataclass(frozen=True, slots=True)
class Suggested:
    """An open row that has the account as a candidate."""

    row: Row
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class CrmAccountView(AccountFacts):
    """An account with what is mapped to it, a page of it from `start`, and what might be."""

    domains: tuple[AccountDomainView, ...]
    mapped: tuple[Row, ...]
    mapped_total: int
    suggested: tuple[Suggested, ...]


@needs(Role.VIEWER)
def read_account(service: Service, actor: Actor, crm_id: str, *, start: int = 0) -> CrmAccountView:
    """Read an account by its CRM id; NotFound when there is none. Deleted ones are shown: mappings may point there."""
    with service.store.read() as connection:
        facts = read_account_facts(connection, crm_id)
        if facts is None:
            raise NotFound("There is no such CRM account.", do="Look for it on the Provider accounts page.")
        mapped = Filter(account_id=facts.account_id)
        ids = list_ids(connection, mapped, Sort.SEATS, descending=True, start=start, limit=PER_PAGE)
        return CrmAccountView(
            **dataclasses.asdict(facts),
            domains=_read_domains(connection, facts.account_id),
            mapped=tuple(read_rows(connection, ids)),
            mapped_total=count_rows(connection, mapped),
            suggested=_list_suggested(connection, facts.account_id),
        )


@needs(Role.VIEWER)
def find_account(service: Service, actor: Actor, crm_id: str) -> int:
    """Find an account by its CRM id, whatever its state, and return the id; NotFound when there is none."""
    with service.store.read() as connection:
        facts = read_account_facts(connection, crm_id)
    if facts is None:
        raise NotFound(f"There is no CRM account {crm_id[:64]}.", kept="Nothing was changed.", do="Sync the CRM first.")
    return facts.account_id


@needs(Role.VIEWER)
def crm_id_of(service: Service, actor: Actor, account_id: int) -> str:
    """Return the CRM id, which addresses name an account by; NotFound when there is none."""
    with service.store.read() as connection:
        crm_id = read_crm_id(connection, account_id)
    if crm_id is None:
        raise NotFound("There is no such CRM account.")
    return crm_id


def _read_domains(connection: Connection, account_id: int) -> tuple[AccountDomainView, ...]:
    domains = read_account_domains(connection, account_id)
    customers = count_customers(connection, domains)
    return tuple(
        AccountDomainView(domain, tuple(map(say_evidence, facts)), customers.get(domain, 0))
        for domain, facts in domains.items()
    )


def _list_suggested(connection: Connection, account_id: int) -> tuple[Suggested, ...]:
    ranked = {row.provider_account_id: row for row in list_ranked(connection, account_id, PER_PAGE)}
    rows = read_rows(connection, list(ranked))
    return tuple(Suggested(row, ranked[row.id].rank, ranked[row.id].score) for row in rows)
