"""A made-up market in a database, mixed as a partner's data is: what the match and its peers are measured on.

Of the customers 70 % are a CRM account's; they have 2.5 domains on average, one of them an onmicrosoft.com name. An
account has three contacts, 8 % of them write from a free-mail address, and half of the accounts name their web site.
2 % of the known customers' domains are also used by a contact of another account.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from bench.made_up import NOW, WORDS, tend
from w365.model import Guard, MatchPolicy, ProviderKind
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.db.bulk_insert import chunks, upsert
from w365.store.db.engine import Store
from w365.store.matching.account_domains import fold_all
from w365.store.matching.refresh_derived import refresh_with_rivals
from w365.store.reading.search_index import sort_key

FREE_MAIL = ("gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "gmx.de", "web.de", "icloud.com", "orange.fr")
CONTACTS = 3
_ENDINGS = ("com", "com", "com", "de", "co.uk", "fr", "nl", "net", "org", "io", "eu", "ch", "at", "it", "es", "se")
_MORE = ("group.com", "mail.net", "labs.io")
_CHUNK = 50_000

Row = tuple[Any, ...]


class Market:
    """As many customers as CRM accounts, the same ones for the same seed."""

    def __init__(self, customers: int, seed: int = 1) -> None:
        self.size, chance = customers, random.Random(seed)
        known = chance.sample(range(1, customers + 1), customers * 7 // 10)
        places = chance.sample(range(1, customers + 1), len(known))
        self.customer_of = dict(zip(places, known, strict=True))  # account -> customer
        strangers = chance.sample(range(1, customers + 1), max(len(known) // 50, 1))
        self.borrows = dict(zip(strangers, chance.sample(known, len(strangers)), strict=True))  # account -> customer
        self.seed = seed

    def customers(self) -> Iterator[Row]:
        for n in range(1, self.size + 1):
            name, own = name_of(n), domain_of(n)
            facts = (own, own, "list", guid(n), "DE", "reseller", "", NOW, None, "")
            yield (n, 1 + n % 2, guid(n), name, sort_key(name), *facts)

    def customer_domains(self) -> Iterator[Row]:
        """In no order of theirs, as the customers of a provider come in no order of domains."""
        chance = random.Random(self.seed + 1)
        for n in range(1, self.size + 1):
            more = chance.choices((0, 1, 2, 3, 4), (20, 35, 25, 15, 5))[0]
            yield n, domain_of(n), "own_name", True, True
            if more:
                yield n, f"{stem(n)}.onmicrosoft.com", "service", False, True
            for ending in _MORE[: max(more - 1, 0)]:
                yield n, f"{stem(n)}-{ending}", "own_name", False, True

    def accounts(self) -> Iterator[Row]:
        chance = random.Random(self.seed + 2)
        for n in range(1, self.size + 1):
            website = self.own_domain(n) if chance.random() < 0.5 else ""
            name = name_of(self.customer_of.get(n, self.size + n))
            is_active = chance.random() < 0.97
            yield n, guid(n), name, sort_key(name), f"A{n}", website, "", website, "Town", "DE", "", is_active, False

    def contacts(self) -> Iterator[Row]:
        chance = random.Random(self.seed + 3)
        for n in range(1, self.size + 1):
            for place in range(CONTACTS):
                domain = chance.choice(FREE_MAIL) if chance.random() < 0.08 else self.own_domain(n)
                yield contact_id(n, place), guid(n), (self.borrowed_domain(n) if place == 0 else None) or domain

    def own_domain(self, account: int) -> str:
        return domain_of(self.customer_of.get(account, self.size + account))

    def borrowed_domain(self, account: int) -> str | None:
        """The domain of a customer of somebody else's, from which one contact of the account writes."""
        return domain_of(self.borrows[account]) if account in self.borrows else None


def fill_market(store: Store, market: Market, policy: MatchPolicy) -> None:
    """Write the facts as syncs leave them, and settle them."""
    with store.write() as connection:
        kinds = ((1, "Partner Center", ProviderKind.PARTNER_CENTER), (2, "Elsewhere", ProviderKind.MANUAL))
        for number, name, kind in kinds:
            connection.execute(sa.insert(t.Provider).values(id=number, name=name, kind=kind))
        for domain in FREE_MAIL:
            connection.execute(sa.insert(t.ListedDomain).values(domain=domain, list="free_mail"))
    for table, columns, rows in (
        (t.ProviderAccount, _CUSTOMER, market.customers()),
        (t.ProviderAccountDomain, _DOMAIN, market.customer_domains()),
        (t.Account, _ACCOUNT, market.accounts()),
        (t.Contact, ("crm_id", "account_crm_id", "domain"), market.contacts()),
    ):
        for part in chunks(rows, _CHUNK):
            with store.write() as connection:
                upsert(connection, table, columns, part)
    with store.write() as connection:
        fold_all(connection)
    tend(store)
    with store.write() as connection:
        refresh_with_rivals(connection, policy, None)
    tend(store)


def keep_policy(store: Store, policy: MatchPolicy) -> None:
    """Set Auto-Match and the guards as in this policy; the rest stays as delivered."""
    values = {"auto_match": policy.auto_match} | {f"guard_{guard}": guard in policy.guards for guard in Guard}
    with store.write() as connection:
        rows = [(name, str(value).lower()) for name, value in values.items()]
        upsert(connection, t.Setting, ("name", "value"), rows)
        assert read_policy(connection) == policy


_CUSTOMER = ("id", "provider_id", "specific_id", "name", "name_key", "default_domain", "main_domain", "domain_source")
_CUSTOMER += ("tenant_guid", "country", "relationship", "note", "first_seen_at", "gone_at", "change")
_DOMAIN = ("provider_account_id", "domain", "kind", "is_default", "is_verified")
_ACCOUNT = ("id", "crm_id", "name", "name_key", "number", "website", "email_domain", "website_domain", "city")
_ACCOUNT += ("country", "tenant_guid", "is_active", "is_deleted")


def stem(n: int) -> str:
    first, second = WORDS[n % len(WORDS)], WORDS[(n // len(WORDS) * 31 + n * 17) % len(WORDS)]
    return f"{first}-{second}{n}"


def domain_of(n: int) -> str:
    return f"{stem(n)}.{_ENDINGS[n * 2654435761 % 2**32 % len(_ENDINGS)]}"


def name_of(n: int) -> str:
    return f"{stem(n).replace('-', ' ').title()} Ltd"


def guid(n: int) -> str:
    return f"{n * 2654435761 % 2**32:08x}-0000-4000-8000-{n:012x}"


def contact_id(account: int, place: int) -> str:
    return f"{guid(account)[:24]}{place}{account:011x}"
