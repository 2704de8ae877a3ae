"""The fictional world served when nobody brings data along: seeded, so that it is the same every time.

About 1,200 customers, 3,000 accounts and 7,500 contacts. Most customers find their one account by an exact domain; the
others do not, each for a reason met in real data. The rarest reasons are written out in ``fiction_cases``.
"""

from __future__ import annotations

import random
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

from w365.demo.fiction_words import (
    COUNTRIES,
    FIRST_NAMES,
    FREE_MAIL,
    LAST_NAMES,
    OFFERS,
    SISTER_SUFFIXES,
    STEM_BEGINNINGS,
    STEM_ENDINGS,
    TRADES,
    Country,
)
from w365.demo.world import FIRST_DAY, Account, Contact, Customer, Domain, Subscription, World

SEED = 365
CUSTOMERS = 1_165
"""Ordinary customers; the written-out cases come on top."""
ACCOUNTS = 3_000
_SPACE = uuid.UUID("9a1d1b76-23cf-4c0e-8f0a-6a0b6d1f4e10")


@dataclass(frozen=True, slots=True)
class Company:
    """A fictional company, known at the provider, in the CRM, or both."""

    stem: str
    trade: str
    form: str
    country: Country
    city: str
    label: str

    @property
    def name(self) -> str:
        return f"{self.stem} {TRADES[self.country.language][self.trade]} {self.form}"

    @property
    def domain(self) -> str:
        return f"{self.label}.{self.country.suffix}"


@dataclass(frozen=True, slots=True)
class ManualRow:
    """A customer of the manual provider."""

    name: str
    specific_id: str
    domains: tuple[str, ...]
    country: str


class Builder:
    """Collects the world's rows; every id follows from the order in which things are added."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same every time is the point
        self.customers: list[Customer] = []
        self.accounts: list[Account] = []
        self.contacts: list[Contact] = []
        self._companies = self._shuffled_companies()

    def company(self) -> Company:
        return next(self._companies)

    def add_customer(self, name: str, *names: str, country: str = "US", initial: str = "") -> Customer:
        """Add a customer with these domains, the first being its default, and its onmicrosoft.com name."""
        number = len(self.customers) + 1
        initial = initial or f"{_ascii(name)[:20] or 'tenant'}{number}.onmicrosoft.com"
        domains = [Domain(found, is_default=found == names[0]) for found in names]
        domains.append(Domain(initial, is_initial=True, is_default=not names))
        customer = Customer(
            id=_guid("customer", number),
            name=name,
            domain=names[0] if names else initial,
            domains=tuple(domains),
            country=country,
            subscriptions=tuple(self._subscriptions(number)),
        )
        self.customers.append(customer)
        return customer

    def add_account(self, name: str, *emails: str, **fields: str) -> Account:
        """Add an account and one contact for each address. ``fields`` are the account's own."""
        number = len(self.accounts) + 1
        account = Account(
            id=_guid("account", number),
            name=name[:160],
            number=f"AC-{number:05}",
            created=FIRST_DAY + timedelta(hours=number),
            **fields,  # type: ignore[arg-type]  # only text fields are passed
        )
        self.accounts.append(account)
        for email in emails:
            self.add_contact(account.id, email)
        return account

    def add_contact(self, parent_id: str, email: str, *, kind: str = "account") -> Contact:
        number = len(self.contacts) + 1
        contact = Contact(
            id=_guid("contact", number),
            first_name=self.random.choice(FIRST_NAMES),
            last_name=self.random.choice(LAST_NAMES),
            email=email,
            parent_id=parent_id,
            parent_kind=kind,
            created=FIRST_DAY + timedelta(minutes=7 * number),
        )
        self.contacts.append(contact)
        return contact

    def address(self, domain: str) -> str:
        first, last = self.random.choice(FIRST_NAMES), self.random.choice(LAST_NAMES)
        return f"{_ascii(first)}.{_ascii(last)}@{domain}"

    def _shuffled_companies(self) -> Iterator[Company]:
        stems = [begin + end for begin, end in product(STEM_BEGINNINGS, STEM_ENDINGS)]
        pairs = list(product(stems, TRADES["en"]))
        self.random.shuffle(pairs)
        for stem, trade in pairs:
            country = self.random.choices(COUNTRIES, [found.weight for found in COUNTRIES])[0]
            word = _ascii(TRADES[country.language][trade])
            label = f"{stem.lower()}{self.random.choice(('-', ''))}{word}"
            yield Company(
                stem, trade, self.random.choice(country.forms), country, self.random.choice(country.cities), label
            )

    def _subscriptions(self, number: int) -> Iterator[Subscription]:
        for position in range(self.random.choices((0, 1, 2, 3, 5), (12, 36, 30, 15, 7))[0]):
            offer, offer_id = self.random.choice(OFFERS)
            is_trial = self.random.random() < 0.05
            yield Subscription(
                id=_guid("subscription", 10 * number + position),
                offer_name=offer,
                offer_id=offer_id,
                quantity=25 if is_trial else max(1, round(900 ** self.random.random())),
                status=self.random.choices(("active", "suspended", "deleted", "expired", "disabled"), (84, 6, 3, 5, 2))[
                    0
                ],
                term="P1M" if is_trial else self.random.choice(("P1M", "P1Y", "P1Y", "P3Y")),
                is_trial=is_trial,
                created=FIRST_DAY + timedelta(days=self.random.randrange(600)),
            )


def fictional_world(seed: int = SEED) -> World:
    """Make the fictional world; the same seed gives the same world."""
    from w365.demo.fiction_cases import add_cases
    from w365.demo.fiction_pax8 import pax8_companies
    from w365.demo.fiction_resellers import resellers_of

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
            _ascii_name(company.name).upper(),
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


def _guid(kind: str, number: int) -> str:
    return str(uuid.uuid5(_SPACE, f"{kind}:{number}"))


def _ascii_name(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _ascii(text: str) -> str:
    return "".join(letter for letter in _ascii_name(text).lower() if letter.isalnum())
