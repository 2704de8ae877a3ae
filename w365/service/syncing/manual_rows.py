"""A row of a manual provider as people write it, made a customer, or told what is wrong with it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from w365.matching.domains import Domain, normalise_domain, website_domain
from w365.model import GUID, GUID_LENGTHS, DomainKind, fold_guid
from w365.sheets import Field
from w365.source_records import Customer, CustomerDomain, Subscription

SPECIFIC_ID, NAME, DOMAINS, COUNTRY = "specific_id", "name", "domains", "country"
TENANT, SUBSCRIPTIONS, SEATS = "tenant_guid", "subscriptions", "seats"

_LONGEST_COUNTRY = 60
_MOST_SEATS = 10_000_000
_MOST_SUBSCRIPTIONS = 500

FIELDS = (
    Field(
        SPECIFIC_ID,
        "Provider specific account id",
        "The customer's id at this provider; it must be there and stand once",
        ("provider specific id", "customer id", "customer number", "customer no", "kundennummer", "id", "account id"),
        is_needed=True,
        examples=("HT-1001", "00042"),
    ),
    Field(
        NAME,
        "Provider name",
        "The customer's name at this provider; it must be there",
        ("customer name", "company name", "customer", "company", "name", "firma", "account name"),
        is_needed=True,
        examples=("Harbour Telecom Customer", "Ant & Sons"),
    ),
    Field(
        DOMAINS,
        "Domains",
        "The customer's domains, separated by commas, semicolons or blanks; the first is the default one",
        ("domain", "domain names", "domain name", "primary domain", "default domain", "website"),
        bounds=(0, 32_767),
        examples=("contoso.com, contoso.de", "ant-and-sons.example"),
    ),
    Field(
        COUNTRY,
        "Country",
        "Two letters, or the country's name",
        ("country code", "country region", "land", "region"),
        bounds=(2, _LONGEST_COUNTRY),
        examples=("DE", "Austria"),
    ),
    Field(
        TENANT,
        "Tenant id",
        "The customer's Microsoft tenant, a GUID",
        ("microsoft tenant id", "tenant guid", "tenant", "microsoft id", "azure tenant id"),
        bounds=GUID_LENGTHS,
        examples=("0d4b545b-3c2b-5c6e-b10b-badcd8b87a45", ""),
    ),
    Field(
        SUBSCRIPTIONS,
        "Subscriptions",
        "How many active subscriptions the customer has",
        ("subscription count", "number of subscriptions", "active subscriptions"),
        is_amount=True,
        bounds=(0, _MOST_SUBSCRIPTIONS),
        examples=("2", ""),
    ),
    Field(
        SEATS,
        "Seats",
        "How many seats they have in all",
        ("quantity", "licences", "licenses", "users", "seat count"),
        is_amount=True,
        bounds=(0, _MOST_SEATS),
        examples=("25", ""),
    ),
)

SOURCE = "entered by hand"
_LONGEST = 400
_JOINERS = re.compile("[\u200c\u200d]")
"""Invisible, and part of how words are written in Persian and the scripts of India."""

_BETWEEN = re.compile(r"[\s,;|]+")
_AMOUNT = re.compile(r"(\d+|\d{1,3}(?:[ ,.'\u00a0\u202f]\d{3})+)(?:[.,]0{1,2})?")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of a row."""

    field: str
    why: str


_NO_DOUBTS: Mapping[str, str] = {}


class _Wrong(ValueError):
    """Why a text cannot be used."""


def read_row(
    texts: Mapping[str, str], doubts: Mapping[str, str] = _NO_DOUBTS
) -> tuple[Customer | None, tuple[Problem, ...]]:
    """Make a customer of the texts by field name, or say of every field that is wrong what is.

    A field that is not among the texts is left as it is stored where the customer can say so: domains and
    subscriptions. An empty text empties it. `doubts` say of fields why their text is not to be taken.
    """
    problems: list[Problem] = []

    def read(field: str, how: Callable[[str], str]) -> str:
        text = texts.get(field, "").strip()
        try:
            return how(_without_doubt(text, doubts.get(field, "")))
        except _Wrong as wrong:
            problems.append(Problem(field, str(wrong)))
            return ""

    facts = {name: read(name, how) for name, how in _READERS.items()}
    if problems:
        return None, tuple(problems)
    return _customer(texts, facts), ()


def _customer(texts: Mapping[str, str], facts: Mapping[str, str]) -> Customer:
    names = facts[DOMAINS].split()
    domains = tuple(CustomerDomain(name, is_default=place == 0) for place, name in enumerate(names))
    has_amounts = SUBSCRIPTIONS in texts or SEATS in texts
    return Customer(
        facts[SPECIFIC_ID],
        facts[NAME],
        names[0] if names else "",
        domains if DOMAINS in texts else None,
        SOURCE,
        make_subscriptions(facts[SUBSCRIPTIONS], facts[SEATS]) if has_amounts else None,
        tenant_guid=facts[TENANT],
        country=facts[COUNTRY],
    )


def _without_doubt(text: str, doubt: str) -> str:
    if doubt:
        raise _Wrong(doubt)
    return text


def make_subscriptions(count: str, seats: str) -> tuple[Subscription, ...]:
    """As many subscriptions as are counted, with the seats spread over them; seats without a count are one."""
    amount = int(count) if count else int(bool(seats and int(seats)))
    if not amount:
        return ()
    each, rest = divmod(int(seats or 0), amount)
    return tuple(
        Subscription(f"{place:03}", "Subscription " + SOURCE, each + (place <= rest), "active")
        for place in range(1, amount + 1)
    )


def _read_id(text: str) -> str:
    if not text:
        raise _Wrong("is missing; every provider account needs its id")
    return fold_guid(_bounded(text))


def _read_name(text: str) -> str:
    if not text:
        raise _Wrong("is missing; every provider account needs a name")
    name = " ".join(text.split())
    _bounded(_JOINERS.sub("", name))
    return name


def _bounded(text: str) -> str:
    if len(text) > _LONGEST:
        raise _Wrong(f"has more than {_LONGEST} characters")
    if not text.isprintable():
        raise _Wrong("holds a line break or an invisible character")
    return text


def _read_domains(text: str) -> str:
    domains = [_read_domain(word) for word in _BETWEEN.split(text) if word]
    for domain in domains:
        if domain.kind in (DomainKind.INVALID, DomainKind.ADDRESS):
            raise _Wrong(f"“{domain.name}” is not a domain name")
    return " ".join(dict.fromkeys(domain.name for domain in domains))


def _read_domain(text: str) -> Domain:
    is_address = text[:4].lower() == "www." or "/" in text or "@" in text
    return normalise_domain(website_domain(text) or text if is_address else text)


def _read_country(text: str) -> str:
    if len(text) > _LONGEST_COUNTRY:
        raise _Wrong("is too long for a country")
    return text.upper() if len(text) == 2 else " ".join(text.split())


def _read_tenant(text: str) -> str:
    if text and not GUID.fullmatch(text):
        raise _Wrong("is not a GUID")
    return fold_guid(text)


def _read_seats(text: str) -> str:
    return _read_amount(text, _MOST_SEATS)


def _read_subscriptions(text: str) -> str:
    return _read_amount(text, _MOST_SUBSCRIPTIONS)


def _read_amount(text: str, most: int) -> str:
    if not text:
        return ""
    amount = _AMOUNT.fullmatch(text)
    if not amount:
        raise _Wrong("is not a whole number")
    digits = re.sub(r"\D", "", amount[1])
    if int(digits) > most:
        raise _Wrong(f"is more than {most:,}")
    return digits


_READERS: Mapping[str, Callable[[str], str]] = {
    SPECIFIC_ID: _read_id,
    NAME: _read_name,
    DOMAINS: _read_domains,
    COUNTRY: _read_country,
    TENANT: _read_tenant,
    SUBSCRIPTIONS: _read_subscriptions,
    SEATS: _read_seats,
}
