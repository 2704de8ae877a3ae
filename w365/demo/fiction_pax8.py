"""The fictional customers at Pax8, the partner's second provider: some are customers in Partner Center as well."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from w365.demo.fiction_builder import SEED, Builder
from w365.demo.world import FIRST_DAY, Account, Company, Customer, Subscription

COMPANIES = 140
CUSTOMERS_TOO = 40
"""So many are customers in Partner Center too, and so many more are known to the CRM only; the rest to nobody."""
ACCOUNTS_ONLY = 60
_NO_WEBSITE = ("n/a", "", "none", "www", "tbd")
_FORMS: tuple[Callable[[str], str], ...] = (
    str,
    "www.{}".format,
    "https://www.{}/".format,
    "https://{}/en/contact?source=pax8".format,
    lambda domain: f"HTTPS://WWW.{domain.upper()}",
    " {} ".format,
)
_PRODUCTS = (
    "Microsoft 365 Business Standard [New Commerce Experience]",
    "Microsoft 365 Business Premium [New Commerce Experience]",
    "Exchange Online (Plan 1) [New Commerce Experience]",
    "Harbour Backup for Microsoft 365",
    "Mail Filter Essentials",
)
_SPACE = uuid.UUID("b3d3f1d5-6a51-4b1d-a7a5-2a4f0d1c9e66")


def pax8_companies(customers: list[Customer], accounts: list[Account]) -> tuple[Company, ...]:
    """Make the companies. The same customers and accounts give the same companies."""
    # A generator of its own: what the other provider has does not depend on it.
    chance = random.Random(SEED + 8)  # noqa: S311 - the same every time is the point
    domains = {found.name for customer in customers for found in customer.domains}
    both = [each for each in customers if not each.domain.endswith("onmicrosoft.com") and each.domain.isascii()]
    crm = [(each.name, domain, "US") for each in accounts if (domain := _bare(each.website)) and domain not in domains]
    known = [(each.name, each.domain, each.country) for each in chance.sample(both, CUSTOMERS_TOO)]
    known += chance.sample(crm, ACCOUNTS_ONLY)
    others = _unknown(domains | {domain for _, domain, _ in crm})
    while len(known) < COMPANIES:
        known.append(next(others))
    made = [_company(chance, number, *each) for number, each in enumerate(known)]
    return tuple(_odd(made))


def _bare(website: str) -> str:
    """Give the domain of a website written as those accounts write it that no customer belongs to."""
    domain = website.removeprefix("https://")
    return domain if domain != website and "/" not in domain and not domain.startswith("www.") else ""


def _unknown(taken: set[str]) -> Iterator[tuple[str, str, str]]:
    builder = Builder(SEED + 9)
    while True:
        company = builder.company()
        if company.domain not in taken:
            yield company.name, company.domain, company.country.code


def _company(chance: random.Random, number: int, name: str, domain: str, country: str) -> Company:
    return Company(
        id=_guid("company", number),
        name=name,
        website=chance.choice(_FORMS)(domain),
        country=country,
        city="Harbourlight",
        external_id=f"HL-{number:03}" if chance.random() < 0.5 else "",
        subscriptions=tuple(_subscriptions(chance, number)),
        updated=FIRST_DAY + timedelta(hours=11 * number, milliseconds=314),
    )


def _subscriptions(chance: random.Random, number: int) -> Iterator[Subscription]:
    for position, product in enumerate(chance.sample(_PRODUCTS, chance.choice((0, 1, 1, 2, 3)))):
        yield Subscription(
            id=_guid("subscription", 10 * number + position),
            offer_name=product,
            quantity=chance.randint(1, 60),
            status=chance.choice(("Active", "Active", "Active", "Cancelled", "Trial", "PendingManual")),
            term=chance.choice(("Monthly", "Annual", "3-Year")),
            created=FIRST_DAY + timedelta(days=chance.randrange(600)),
        )


def _odd(companies: list[Company]) -> Iterator[Company]:
    """Let some of those nobody else knows have no usable website, and a few be inactive or deleted."""
    last = len(companies) - 1
    for number, company in enumerate(companies):
        if last - number < len(_NO_WEBSITE):
            yield replace(company, website=_NO_WEBSITE[last - number])
        elif number % 28 == 7:
            yield replace(company, status="Inactive")
        elif number % 47 == 46:
            yield replace(company, status="Deleted")
        else:
            yield company


def _guid(kind: str, number: int) -> str:
    return str(uuid.uuid5(_SPACE, f"{kind}:{number}"))
