"""The fictional world served when nobody brings data along: seeded, so that it is the same every time.

About 1,200 customers, 3,000 accounts and 7,500 contacts. Most customers find their one account by an exact domain; the
others do not, each for a reason met in real data. The rarest reasons are written out in ``fiction_cases``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from w365.demo.fiction_builder import SEED, Builder, Company, ascii_name
from w365.demo.fiction_cases import add_cases
from w365.demo.fiction_pax8 import pax8_companies
from w365.demo.fiction_resellers import resellers_of
from w365.demo.fiction_words import FREE_MAIL, SISTER_SUFFIXES, TRADES
from w365.demo.world import Account, Customer, Domain, World

CUSTOMERS = 1_165
"""Ordinary customers; the written-out cases come on top."""
ACCOUNTS = 3_000


@dataclass(frozen=True, slots=True)
class ManualRow:
    """A customer of the manual provider."""

    name: str
    specific_id: str
    domains: tuple[str, ...]
    country: str


def fictional_world(seed: int = SEED) -> World:
    """Make the fictional world; the same seed gives the same world."""
    builder = Builder(seed)
    add_cases(builder)
    kinds, weights = zip(*_STORIES.items(), strict=True)
    for tell in builder.random.choices(kinds, weights, k=CUSTOMERS):
        tell(builder)
    while len(builder.accounts) < ACCOUNTS:
        _account_without_customer(builder)
    _depart(builder)
    return World(
        "fiction",
        tuple(builder.customers),
        tuple(builder.accounts),
        tuple(builder.contacts),
        companies=pax8_companies(builder.customers, builder.accounts),
        resellers=resellers_of(builder.customers),
    )


def manual_rows() -> tuple[ManualRow, ...]:
    """Customers of the manual provider "Harbour Telecom"; ten of them are customers in Partner Center as well."""
    world = fictional_world()
    known = [found for found in world.customers if not found.domain.endswith("onmicrosoft.com")][60:260:20]
    rows = [ManualRow(found.name, f"HT-{1000 + n}", (found.domain,), found.country) for n, found in enumerate(known)]
    others = Builder(SEED + 1)
    for number in range(15):
        company = others.company()
        domains = (company.domain,) if number % 5 else ()
        rows.append(ManualRow(company.name, f"HT-{2000 + number}", domains, company.country.code))
    return tuple(rows)


def _customer_of(builder: Builder, company: Company) -> Customer:
    names = [company.domain]
    if builder.random.random() < 0.2:
        names.append(f"{company.label}-group.{company.country.suffix}")
    customer = builder.add_customer(company.name, *names, country=company.country.code)
    if builder.random.random() < 0.06:
        pending = Domain(f"{company.label}-new.{company.country.suffix}", is_verified=False)
        builder.customers[-1] = replace(customer, domains=(*customer.domains, pending))
    return customer


def _account_of(builder: Builder, company: Company, *emails: str, **fields: str) -> Account:
    place = {"city": company.city, "country": company.country.name}
    return builder.add_account(_crm_name(builder, company), *emails, **(place | fields))


def _crm_name(builder: Builder, company: Company) -> str:
    """Give the name as somebody typed it into the CRM."""
    trade = TRADES[company.country.language][company.trade]
    return builder.random.choices(
        (
            company.name,
            f"{company.stem} {trade}",
            f"{company.stem} {TRADES['en'][company.trade]} {company.form}",
            ascii_name(company.name).upper(),
            f"{company.stem[:4]}. {trade}",
            f"{company.name} ({company.city})",
        ),
        (50, 20, 10, 7, 5, 8),
    )[0]


def _messy(builder: Builder, email: str) -> str:
    """Write an address the way people write addresses."""
    return builder.random.choices(
        (email, email.upper(), f"  {email} ", f"mailto:{email}", f"Front Desk <{email}>", f"{email}."),
        (84, 5, 4, 3, 3, 1),
    )[0]


def _useless(builder: Builder) -> str:
    return builder.random.choice(("", "n/a", "unknown", "info@", "@", "two@@signs.com", builder.address("gmail.com")))


def _addresses(builder: Builder, domain: str) -> list[str]:
    emails = [_messy(builder, builder.address(domain)) for _ in range(builder.random.choice((1, 2, 2, 3, 4)))]
    return [*emails, _useless(builder)] if builder.random.random() < 0.15 else emails


def _found_by_contact(builder: Builder) -> None:
    company = builder.company()
    customer = _customer_of(builder, company)
    domain = builder.random.choice([found.name for found in customer.domains if not found.is_initial])
    website = f"www.{company.domain}" if builder.random.random() < 0.5 else ""
    _account_of(builder, company, *_addresses(builder, domain if website else company.domain), website=website)


def _found_by_account_email(builder: Builder) -> None:
    company = builder.company()
    _customer_of(builder, company)
    _account_of(builder, company, _useless(builder), email=f"info@{company.domain}")


def _found_by_website(builder: Builder) -> None:
    company = builder.company()
    _customer_of(builder, company)
    form = builder.random.choice(
        ("https://www.{}/", "{}", "http://{}:8080/start?x=1", "HTTPS://WWW.{}/about/us", "www.{}")
    )
    _account_of(builder, company, website=form.format(company.domain))


def _duplicate_accounts(builder: Builder) -> None:
    company = builder.company()
    _customer_of(builder, company)
    for _ in range(2):
        _account_of(builder, company, *_addresses(builder, company.domain))


def _shared_by_two_accounts(builder: Builder) -> None:
    company, sister = builder.company(), builder.company()
    _customer_of(builder, company)
    _account_of(builder, company, *_addresses(builder, company.domain))
    _account_of(builder, sister, builder.address(company.domain), website=f"www.{sister.domain}")


def _without_account(builder: Builder) -> None:
    _customer_of(builder, builder.company())


def _free_mail_only(builder: Builder) -> None:
    company = builder.company()
    _customer_of(builder, company)
    _account_of(builder, company, *(builder.address(builder.random.choice(FREE_MAIL)) for _ in range(2)))


def _without_own_domain(builder: Builder) -> None:
    company = builder.company()
    number = builder.random.randrange(10_000_000, 99_999_999)
    initial = f"NETORGFT{number}.onmicrosoft.com" if builder.random.random() < 0.5 else ""
    builder.add_customer(company.name, country=company.country.code, initial=initial)
    _account_of(builder, company, *_addresses(builder, company.domain))


def _sister_suffix(builder: Builder) -> None:
    company = builder.company()
    _customer_of(builder, company)
    suffix = SISTER_SUFFIXES.get(company.country.suffix, "com")
    _account_of(builder, company, *_addresses(builder, f"{company.label}.{suffix}"))


def _subdomain(builder: Builder) -> None:
    company = builder.company()
    _customer_of(builder, company)
    _account_of(builder, company, *_addresses(builder, f"mail.{company.domain}"))


def _inactive_account(builder: Builder) -> None:
    company = builder.company()
    _customer_of(builder, company)
    builder.accounts.append(
        replace(_account_of(builder, company, *_addresses(builder, company.domain)), is_active=False)
    )
    del builder.accounts[-2]


def _name_only(builder: Builder) -> None:
    company = builder.company()
    _customer_of(builder, company)
    _account_of(builder, company)


def _tenant_id_on_account(builder: Builder) -> None:
    company = builder.company()
    customer = _customer_of(builder, company)
    _account_of(builder, company, tenant_id=customer.id)


def _account_without_customer(builder: Builder) -> None:
    company = builder.company()
    emails = _addresses(builder, company.domain) if builder.random.random() < 0.93 else []
    website = f"https://{company.domain}" if builder.random.random() < 0.6 else ""
    _account_of(builder, company, *emails, _useless(builder), website=website)


def _depart(builder: Builder) -> None:
    """Let a few customers leave while the list still names them, and make a few no reseller relationship."""
    for position in builder.random.sample(range(100, len(builder.customers)), 10):
        customer = builder.customers[position]
        changed = replace(customer, departed=True) if position % 3 == 0 else replace(customer, relationship="advisor")
        builder.customers[position] = changed


_STORIES: dict[Callable[[Builder], None], float] = {
    _found_by_contact: 54,
    _found_by_account_email: 8,
    _found_by_website: 12,
    _duplicate_accounts: 2,
    _shared_by_two_accounts: 1.5,
    _without_account: 7,
    _free_mail_only: 3.5,
    _without_own_domain: 3,
    _sister_suffix: 4,
    _subdomain: 1.5,
    _inactive_account: 1,
    _name_only: 1.5,
    _tenant_id_on_account: 1,
}
