"""The two sides of a match: a provider account and a CRM account, and all that one is compared by with the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from w365.matching.domains import chosen_label, country_of, label, normalise_domain, registrable
from w365.matching.names import NameForms, capitals, name_forms, written_together
from w365.model import DomainKind, Rule

SHORTEST_LABEL = 6
"""Letters; what is shorter is met by chance."""
_PIECE = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class ComparedCustomer:
    """What is known of a provider account when accounts are suggested for it. Domains are normalised.

    ``hosted`` are names below a cloud's own domain, such as contoso.onmicrosoft.com: never evidence, but somebody chose
    them, mostly after a name.
    """

    name: str
    domains: tuple[str, ...] = ()
    country: str = ""
    tenant_guid: str = ""
    hosted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProspectDomain:
    """A normalised domain of an account, the rule that would read it, and on how many contacts it stands."""

    name: str
    rule: Rule
    contacts: int = 0


@dataclass(frozen=True, slots=True)
class Prospect:
    """A CRM account as far as suggestions need it."""

    account_id: int
    name: str
    domains: tuple[ProspectDomain, ...] = ()
    country: str = ""
    city: str = ""
    number: str = ""
    tenant_guid: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class OwnDomain:
    """A domain of a provider account, what is registrable of it, the label chosen, and the name that may spell."""

    name: str
    registrable: str
    label: str
    spelled: str


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """A provider account as it is compared with many accounts.

    ``domains`` are those that are not ignored; ``by_registrable`` and ``by_label`` lead from them to a domain's name.
    ``spellings`` are what a domain that belongs to the name may be. ``labels`` lead from what a domain's label spells
    beyond the name to the domain; a hosted one is mostly cut off somewhere.
    """

    subject: ComparedCustomer
    plain: str
    forms: NameForms
    words: frozenset[str]
    capitals: frozenset[str]
    spellings: frozenset[str]
    domains: tuple[OwnDomain, ...]
    hosted: tuple[OwnDomain, ...]
    labels: Mapping[str, str]
    by_registrable: Mapping[str, str]
    by_label: Mapping[str, str]
    home: str
    ignored: frozenset[str]


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """A CRM account as it is compared with a provider account; ``domains`` each with what is registrable of it."""

    name: str
    forms: NameForms
    domains: tuple[tuple[str, str], ...]
    country: str
    city: str
    tenant_guid: str
    is_active: bool


def look_for(subject: ComparedCustomer, ignored: frozenset[str] = frozenset()) -> CustomerRecord:
    """Work out once what a provider account is compared by. ``ignored`` are domains that are never evidence."""
    forms = name_forms(subject.name)
    words = frozenset(forms.words)
    domains = tuple([own_domain(name) for name in subject.domains if name not in ignored])
    hosted = tuple({own.label: own for own in map(own_domain, subject.hosted)}.values())
    by_registrable = {domain.registrable: domain.name for domain in domains if domain.registrable}
    return CustomerRecord(
        subject,
        plain_name(subject.name),
        forms,
        words,
        capitals(subject.name),
        words | forms.squashed | forms.initials | forms.acronyms,
        domains,
        hosted,
        _telling_labels((*domains, *hosted), subject.name, forms),
        by_registrable,
        # A name below a cloud's own domain is shortened until it is free; two shortened names meet by chance.
        {label(name): name for name in by_registrable.values() if normalise_domain(name).kind is DomainKind.OWN_NAME},
        home_of(subject),
        ignored,
    )


def known(account: Prospect) -> AccountRecord:
    """Work out what an account is compared by."""
    return AccountRecord(
        account.name,
        name_forms(account.name),
        tuple((domain.name, registrable(domain.name)) for domain in account.domains),
        account.country,
        account.city,
        account.tenant_guid,
        account.is_active,
    )


def plain_name(name: str) -> str:
    """Give a name without case and blanks around: what is equal then is the same name to anybody."""
    return name.strip().casefold()


def country_code(country: str) -> str:
    """Give a country as two capitals, or "" for a name: "United Kingdom" and GB cannot be said to differ."""
    return country.upper() if len(country) == 2 and country.isalpha() else ""


def home_of(subject: ComparedCustomer) -> str:
    """Give the country of a customer: what the provider says, or else what the endings of its domains agree on."""
    if subject.country:
        return subject.country.upper()
    endings = {ending for name in subject.domains if (ending := country_of(name))}
    return endings.pop() if len(endings) == 1 else ""


def own_domain(name: str) -> OwnDomain:
    """Take a normalised domain apart."""
    own = registrable(name)
    chosen = chosen_label(own)
    return OwnDomain(name, own, chosen, spelled(chosen))


def _telling_labels(domains: tuple[OwnDomain, ...], name: str, forms: NameForms) -> dict[str, str]:
    """Give the labels that say more than the name: a longer one that the name begins with does not."""
    own = written_together(name) | forms.squashed
    labels = {"".join(letters_of(domain.label)): domain.name for domain in reversed(domains)}
    return {
        label: domain
        for label, domain in labels.items()
        if len(label) >= SHORTEST_LABEL and not any(text.startswith(label) for text in own)
    }


def pieces_of(chosen: str) -> str:
    """Give the pieces of a label as words: mueller-bau24 is mueller bau."""
    return " ".join(letters_of(chosen))


def letters_of(chosen: str) -> list[str]:
    return _PIECE.findall(chosen)


def spelled(chosen: str) -> str:
    """Give the name that a label may spell."""
    return chosen.replace("-", "")
