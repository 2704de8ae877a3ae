"""What in the data keeps the match from working: accounts without contacts, with free mail only, and duplicates."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.model import DomainList
from w365.store import tables as t
from w365.store.matching.relations import is_listed, is_live

MOST_ROWS = 1_000
_NAMED = 5


class Flaw(enum.StrEnum):
    """Of the CRM's data; what is wrong with customers is a reason in the worklist."""

    NO_CONTACT = "no_contact"
    FREE_MAIL_ONLY = "free_mail_only"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class FlawedAccount:
    """An active account; `contacts` are those with free mail."""

    name: str
    number: str
    city: str
    country: str
    contacts: int
    provider_accounts: int


@dataclass(frozen=True, slots=True)
class SharedByAccounts:
    """A domain that several active accounts have; `names` are the first of them."""

    domain: str
    accounts: int
    names: tuple[str, ...]


def count_flawed(connection: sa.Connection, flaw: Flaw) -> int:
    """Count accounts, or domains where accounts are duplicates by one."""
    keys = _duplicates() if flaw is Flaw.DUPLICATE else _flawed(flaw)
    if flaw is Flaw.NO_CONTACT:  # true of all, and leads SQLite to the index that is in the order of the contacts
        keys = keys.where(t.Account.crm_id >= "")
    return connection.scalar(sa.select(sa.func.count()).select_from(keys.order_by(None).subquery())) or 0


def list_flawed(connection: sa.Connection, flaw: Flaw, *, start: int, limit: int) -> list[FlawedAccount]:
    """List the accounts by name."""
    account, mapping = t.Account, t.Mapping
    flawed = _flawed(flaw).order_by(account.name_key, account.id).offset(start).limit(min(limit, MOST_ROWS)).subquery()
    mapped = sa.select(sa.func.count()).where(mapping.account_id == account.id).scalar_subquery()
    query = (
        sa.select(account.name, account.number, account.city, account.country, flawed.c.contacts, mapped)
        .join(flawed, flawed.c.id == account.id)
        .order_by(account.name_key, account.id)
    )
    return [FlawedAccount(*row) for row in connection.execute(query)]


def list_duplicates(connection: sa.Connection, *, start: int, limit: int) -> list[SharedByAccounts]:
    """List the domains, those of the most accounts first."""
    ad, account = t.AccountDomain, t.Account
    number = sa.func.count(sa.distinct(ad.account_id))
    query = _duplicates().order_by(number.desc(), ad.domain).offset(start).limit(min(limit, MOST_ROWS))
    counts = {row[0]: row[1] for row in connection.execute(query)}
    named = sa.select(ad.domain, account.name).join(account, account.id == ad.account_id)
    named = named.where(ad.domain.in_(counts), is_live()).distinct()
    names: dict[str, list[str]] = {}
    for domain, name in connection.execute(named.order_by(ad.domain, account.name)):
        names.setdefault(domain, []).append(name)
    return [SharedByAccounts(domain, count, tuple(names[domain][:_NAMED])) for domain, count in counts.items()]


def _flawed(flaw: Flaw) -> sa.Select[*tuple[Any, ...]]:
    account, contact = t.Account, t.Contact
    if flaw is Flaw.NO_CONTACT:
        has_one = sa.exists().where(contact.account_crm_id == account.crm_id)
        return sa.select(account.id, sa.literal(0).label("contacts")).where(~has_one, sa.text(t.HERE))
    listed = t.ListedDomain
    is_free = (listed.domain == contact.domain) & (listed.list == DomainList.FREE_MAIL)
    # An address that is no evidence at all stands beside free mail; a domain of worth ends it.
    free = (
        sa.select(contact.account_crm_id.label("crm_id"), sa.func.count(listed.domain).label("contacts"))
        .outerjoin(listed, is_free)
        .group_by(contact.account_crm_id)
        .having(
            sa.func.count(listed.domain) > 0,
            sa.func.count(sa.case((sa.and_(contact.domain != "", listed.domain.is_(None)), 1))) == 0,
        )
        .subquery()
    )
    return sa.select(account.id, free.c.contacts).join(free, free.c.crm_id == account.crm_id).where(is_live())


def _duplicates() -> sa.Select[*tuple[Any, ...]]:
    """Domains of several active accounts; listed ones are known to be nobody's own."""
    ad, account = t.AccountDomain, t.Account
    # Few domains have two accounts at all; the index of the domains says which, without a look at the accounts.
    several = sa.select(ad.domain).group_by(ad.domain).having(sa.func.min(ad.account_id) < sa.func.max(ad.account_id))
    return (
        sa.select(ad.domain, sa.func.count(sa.distinct(ad.account_id)))
        .join(account, account.id == ad.account_id)
        .where(ad.domain.in_(several), is_live(), ~is_listed(ad.domain))
        .group_by(ad.domain)
        .having(sa.func.count(sa.distinct(ad.account_id)) > 1)
    )
