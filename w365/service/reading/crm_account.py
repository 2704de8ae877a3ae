"""The account view: all provider accounts of one CRM account, across providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import NotFound
from w365.matching.messages import say_evidence
from w365.model import Actor, Evidence, Role, Rule
from w365.service import Service
from w365.service.access import require
from w365.store import tables as t
from w365.store.reading.worklist import MOST_ROWS, Filter, Row, Sort, count_rows, list_ids, read_rows

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
class CrmAccountView:
    """An account with what is mapped to it, a page of it from `start`, and what might be."""

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
    domains: tuple[AccountDomainView, ...]
    mapped: tuple[Row, ...]
    mapped_total: int
    seats: int
    suggested: tuple[Suggested, ...]


def read_account(service: Service, actor: Actor, account: str, *, start: int = 0) -> CrmAccountView:
    """Read an account by its CRM id; NotFound when there is none. Deleted ones are shown: mappings may point there."""
    require(actor, Role.VIEWER)
    table = t.Account
    with service.store.read() as connection:
        row = connection.execute(sa.select(table).where(table.crm_id == account[:64])).one_or_none()
        if row is None:
            raise NotFound("There is no such CRM account.", do="Look for it on the Provider accounts page.")
        mapped = Filter(account_id=row.id)
        ids = list_ids(connection, mapped, Sort.SEATS, descending=True, start=start, limit=PER_PAGE)
        contact, work = t.Contact, t.Worklist
        contacts = sa.select(sa.func.count()).select_from(contact).where(contact.account_crm_id == row.crm_id)
        seats = sa.select(sa.func.coalesce(sa.func.sum(work.seats), 0)).where(work.account_id == row.id)
        return CrmAccountView(
            account_id=row.id,
            crm_id=row.crm_id,
            name=row.name,
            number=row.number,
            website=row.website,
            city=row.city,
            country=row.country,
            tenant_guid=row.tenant_guid,
            is_active=row.is_active,
            is_deleted=row.is_deleted,
            contacts=connection.scalar(contacts) or 0,
            domains=_domains(connection, row.id),
            mapped=tuple(read_rows(connection, ids)),
            mapped_total=count_rows(connection, mapped),
            seats=int(connection.scalar(seats) or 0),
            suggested=_suggested(connection, row.id),
        )


def crm_id_of(service: Service, actor: Actor, account_id: int) -> str:
    """Return the CRM id, which addresses name an account by; NotFound when there is none."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        found = connection.scalar(sa.select(t.Account.crm_id).where(t.Account.id == account_id))
    if found is None:
        raise NotFound("There is no such CRM account.")
    return str(found)


def _domains(connection: sa.Connection, account_id: int) -> tuple[AccountDomainView, ...]:
    ad, pad = t.AccountDomain, t.ProviderAccountDomain
    query = sa.select(ad.domain, ad.rule, ad.contacts, ad.example).where(ad.account_id == account_id)
    facts: dict[str, list[str]] = {}
    for row in connection.execute(query.order_by(ad.domain, ad.rule).limit(MOST_ROWS)):
        said = say_evidence(Evidence(Rule(row.rule), row.domain, row.contacts, row.example))
        facts.setdefault(row.domain, []).append(said)
    counted = sa.select(pad.domain, sa.func.count()).where(pad.domain.in_(facts)).group_by(pad.domain)
    customers: Mapping[str, int] = {row[0]: row[1] for row in connection.execute(counted)}
    return tuple(AccountDomainView(name, tuple(said), customers.get(name, 0)) for name, said in facts.items())


def _suggested(connection: sa.Connection, account_id: int) -> tuple[Suggested, ...]:
    candidate, work = t.CurrentCandidate, t.Worklist
    query = (
        sa.select(candidate.provider_account_id, candidate.rank, candidate.score)
        .join(work, work.provider_account_id == candidate.provider_account_id)
        .where(candidate.account_id == account_id, work.account_id.is_(None))
        .order_by(candidate.score.desc(), candidate.provider_account_id)
        .limit(PER_PAGE)
    )
    found = {row[0]: (row[1], row[2]) for row in connection.execute(query)}
    return tuple(Suggested(row, *found[row.id]) for row in read_rows(connection, list(found)))
