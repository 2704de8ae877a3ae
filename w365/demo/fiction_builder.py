"""The companies of the fictional world, and what collects its customers, accounts and contacts."""

from __future__ import annotations

import random
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from w365.demo.fiction_words import (
    COUNTRIES,
    FIRST_NAMES,
    LAST_NAMES,
    OFFERS,
    STEM_BEGINNINGS,
    STEM_ENDINGS,
    TRADES,
    Country,
)
from w365.demo.world import FIRST_DAY, Account, Contact, Customer, Domain, Subscription

SEED = 365
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


def _guid(kind: str, number: int) -> str:
    return str(uuid.uuid5(_SPACE, f"{kind}:{number}"))


def ascii_name(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _ascii(text: str) -> str:
    return "".join(letter for letter in ascii_name(text).lower() if letter.isalnum())
