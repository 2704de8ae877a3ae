"""The form of a customer to create: what it is filled with, and what is wrong with it, each said at its field. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from w365.errors import FormRefused
from w365.matching.domains import country_of, registrable, website_domain
from w365.portals.onboarding import NewCustomer

SUFFIX = ".onmicrosoft.com"
NAME, PREFIX, CULTURE = "name", "prefix", "culture"
FIRST_NAME, LAST_NAME, EMAIL, PHONE = "first_name", "last_name", "email", "phone"
ADDRESS, CITY, STATE, POSTAL_CODE, COUNTRY = "address_line", "city", "state", "postal_code", "country"
CULTURES = ("en-US", "en-GB", "de-DE", "fr-FR", "nl-NL", "es-ES", "it-IT", "pt-PT", "pl-PL", "da-DK", "sv-SE", "fi-FI")

_LONGEST_PREFIX = 27
_PREFIX = re.compile(r"[a-z][a-z0-9]{0,26}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_WITH_STATE = frozenset({"US", "CA", "AU"})
_OF_COUNTRY = {culture.partition("-")[2]: culture for culture in CULTURES} | {
    "AT": "de-DE",
    "CH": "de-DE",
    "IE": "en-GB",
}


@dataclass(frozen=True, slots=True)
class FormField:
    name: str
    label: str
    longest: int
    is_needed: bool = True


FIELDS = (
    FormField(NAME, "Company name", 100),
    FormField(PREFIX, "Domain", _LONGEST_PREFIX),
    FormField(FIRST_NAME, "First name", 50),
    FormField(LAST_NAME, "Last name", 50),
    FormField(EMAIL, "E-mail", 100),
    FormField(PHONE, "Phone", 30, is_needed=False),
    FormField(ADDRESS, "Street and number", 200),
    FormField(CITY, "City", 80),
    FormField(STATE, "State", 3, is_needed=False),
    FormField(POSTAL_CODE, "Postal code", 20),
    FormField(COUNTRY, "Country", 2),
    FormField(CULTURE, "Language", 5),
)

_CODES = {
    "australia": "AU",
    "austria": "AT",
    "belgium": "BE",
    "canada": "CA",
    "czech republic": "CZ",
    "czechia": "CZ",
    "denmark": "DK",
    "finland": "FI",
    "france": "FR",
    "germany": "DE",
    "deutschland": "DE",
    "great britain": "GB",
    "ireland": "IE",
    "italy": "IT",
    "luxembourg": "LU",
    "netherlands": "NL",
    "the netherlands": "NL",
    "new zealand": "NZ",
    "norway": "NO",
    "poland": "PL",
    "portugal": "PT",
    "spain": "ES",
    "sweden": "SE",
    "switzerland": "CH",
    "uk": "GB",
    "united kingdom": "GB",
    "united states": "US",
    "united states of america": "US",
    "usa": "US",
}
"""Names that a CRM's free text often holds; of any other country the person enters the letters."""

Texts = Mapping[str, str]


def domain_of(prefix: str) -> str:
    return prefix + SUFFIX


def read_form(texts: Texts) -> NewCustomer:
    """Make a customer of what was entered. Raises FormRefused naming every field that cannot be sent."""
    clean = {field.name: " ".join(texts.get(field.name, "").split()) for field in FIELDS}
    clean[COUNTRY], clean[STATE] = clean[COUNTRY].upper(), clean[STATE].upper()
    clean[PREFIX] = clean[PREFIX].lower().removesuffix(SUFFIX)
    if wrong := _what_is_wrong(clean):
        raise FormRefused(wrong)
    facts = {name: text for name, text in clean.items() if name != PREFIX}
    return NewCustomer(domain=domain_of(clean[PREFIX]), **facts)


def say_prefix(prefix: str) -> str:
    """Say why this cannot begin a domain; empty where it can."""
    if _PREFIX.fullmatch(prefix.strip().lower().removesuffix(SUFFIX)):
        return ""
    return f"Letters and digits only, a letter first, {_LONGEST_PREFIX} at most."


def _what_is_wrong(texts: Texts) -> dict[str, str]:
    wrong = {}
    for field in FIELDS:
        if field.is_needed and not texts[field.name]:
            wrong[field.name] = f"{field.label} is missing."
        elif len(texts[field.name]) > field.longest:
            wrong[field.name] = f"{field.label} may have {field.longest} characters."
    return _what_has_no_form(texts) | wrong


def _what_has_no_form(texts: Texts) -> dict[str, str]:
    has_state = texts[COUNTRY] not in _WITH_STATE or texts[STATE]
    checks = {
        PREFIX: say_prefix(texts[PREFIX]),
        EMAIL: "" if _EMAIL.fullmatch(texts[EMAIL]) else "This is no e-mail address.",
        COUNTRY: "" if _COUNTRY.fullmatch(texts[COUNTRY]) else "Two letters, such as GB or US.",
        STATE: "" if has_state else f"An address in {texts[COUNTRY]} needs a state.",
        CULTURE: "" if texts[CULTURE] in CULTURES else "Choose one of the list.",
    }
    return {name: problem for name, problem in checks.items() if problem}


def fill_form(name: str, website: str, city: str, country: str) -> dict[str, str]:
    """Fill what the CRM knows of an account; nobody knows the contact yet."""
    code = _code_of(country, website)
    known = {NAME: name[:100], PREFIX: suggest_prefix(name, website), CITY: city[:80], COUNTRY: code}
    return {field.name: "" for field in FIELDS} | known | {CULTURE: _OF_COUNTRY.get(code, CULTURES[0])}


def _code_of(country: str, website: str) -> str:
    """The two letters of a country written as such or by its name, else of the website's ending."""
    text = country.strip()
    known = _CODES.get(text.casefold(), "")  # "UK" has two letters and is no code
    if known or _COUNTRY.fullmatch(text.upper()):
        return known or text.upper()
    return country_of(website_domain(website))


def suggest_prefix(name: str, website: str) -> str:
    """What the website is registered as, else the name; only what a prefix may have."""
    label = registrable(website_domain(website)).partition(".")[0]
    return _plain(label if label and not label.startswith("xn--") else name)


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", letters).lstrip("0123456789")[:_LONGEST_PREFIX]
