"""How well a CRM account fits a provider account: the sum of named signals, each of which can be said in words.

A weight is the logarithm of how many times likelier the two are the same customer for knowing the signal: 0.7 doubles
the odds, 2.3 makes them ten times as good, a negative weight lowers them. The weights are judgements about customers
and accounts in general, rounded to what an analyst can argue about.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from w365.matching.domains import country_of, label, normalise_domain, registrable
from w365.matching.names import name_forms, name_tokens, without_brackets
from w365.matching.words import say_evidence
from w365.model import DomainKind, Evidence, Rule, Signal

_START = -4.0  # an account about which nothing is known but that it was looked at: about one in fifty

_LEAST_LIKENESS = 0.4  # names of different customers reach this by common words alone
_LIKENESS_SLOPE = 10.0

_EVIDENCE = {
    Rule.TENANT_GUID: 9.0,
    Rule.CONTACT_DOMAIN: 4.5,
    Rule.ACCOUNT_EMAIL: 4.5,
    Rule.ACCOUNT_WEBSITE: 4.5,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a provider account when accounts are suggested for it. Domains are normalised."""

    name: str
    domains: tuple[str, ...] = ()
    country: str = ""
    tenant_guid: str = ""


def country_code(country: str) -> str:
    """Give a country as two capitals, or "" for a name: "United Kingdom" and GB cannot be said to differ."""
    return country.upper() if len(country) == 2 and country.isalpha() else ""


def home_of(subject: Subject) -> str:
    """Give the country of a customer: what the provider says, or else what the endings of its domains agree on."""
    if subject.country:
        return subject.country.upper()
    endings = {ending for name in subject.domains if (ending := country_of(name))}
    return endings.pop() if len(endings) == 1 else ""


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
class Facts:
    """What is known about a pair beyond its two sides.

    ``owners`` counts the accounts on each registrable domain and label: what many share says little. ``ignored`` are
    domains that are never evidence. ``mapped_elsewhere`` names the provider at which the same customer is mapped here.
    """

    evidence: tuple[Evidence, ...] = ()
    likeness: float = 0.0
    owners: Mapping[str, int] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    mapped_elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """A score between 0 and 1 and the signals whose weights make it, strongest first."""

    score: float
    signals: tuple[Signal, ...]


def score(subject: Subject, account: Prospect, facts: Facts) -> Scored:
    """Judge one account on its own; the score is the chance that it is the subject's, were there no other."""
    found = [
        *_evidence_signals(facts),
        *_tenant_signals(subject, account),
        *_domain_signals(subject, account, facts),
        *_name_signals(subject, account, facts),
        *_place_signals(subject, account),
        *_state_signals(account, facts),
    ]
    signals = tuple(sorted(found, key=lambda signal: (-abs(signal.weight), signal.name)))
    return Scored(chance(log_odds(signals)), signals)


def log_odds(signals: tuple[Signal, ...]) -> float:
    """Give the sum behind a score."""
    return _START + math.fsum(signal.weight for signal in signals)


def chance(odds: float) -> float:
    """Turn log odds into a number between 0 and 1."""
    return 1.0 / (1.0 + math.exp(-odds))


def _evidence_signals(facts: Facts) -> Iterator[Signal]:
    for at, fact in enumerate(sorted(facts.evidence, key=lambda fact: -_EVIDENCE[fact.rule])):
        # The second rule that sees the same domain adds little that is new.
        yield Signal(f"rule_{fact.rule}", _EVIDENCE[fact.rule] if at == 0 else 0.7, say_evidence(fact))
    contacts = max((fact.contacts for fact in facts.evidence), default=0)
    if contacts > 1:
        yield Signal("several_contacts", 0.5, f"{contacts} contacts use it, not one alone")


def _tenant_signals(subject: Subject, account: Prospect) -> Iterator[Signal]:
    if not subject.tenant_guid or not account.tenant_guid:
        return
    if subject.tenant_guid != account.tenant_guid:
        yield Signal("other_tenant", -5.0, "the account carries the id of a different tenant")


def _domain_signals(subject: Subject, account: Prospect, facts: Facts) -> Iterator[Signal]:
    if facts.evidence:
        return  # equal domains are said already
    ours, labels = _own_names(subject.domains, facts.ignored)
    theirs = {registrable(one.name): one.name for one in account.domains if one.name not in facts.ignored}
    shared = sorted((ours.keys() & theirs.keys()) - {""}, key=lambda name: (facts.owners.get(name, 1), name))
    if shared:
        weight = _rarely(3.0, facts.owners.get(shared[0], 1))
        yield Signal("same_registrable", weight, _both_under(ours[shared[0]], theirs[shared[0]], shared[0]))
        return
    for name in theirs.values():
        if len(label(name)) >= 3 and label(name) in labels:
            weight = _rarely(2.5, facts.owners.get(label(name), 1))
            text = f"{labels[label(name)]} and {name} share the name {label(name)}"
            yield Signal("same_label", weight, text)
            return


@functools.lru_cache(maxsize=64)
def _own_names(domains: tuple[str, ...], ignored: frozenset[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Give a customer's usable domains by what is registrable of them, and by their labels."""
    names = {registrable(name): name for name in domains if name not in ignored}
    # A name below a cloud's own domain is shortened until it is free; two shortened names meet by chance.
    labels = {label(name): name for name in names.values() if normalise_domain(name).kind is DomainKind.OWN_NAME}
    return names, labels


def _both_under(ours: str, theirs: str, shared: str) -> str:
    return f"{ours} is used on both sides" if ours == theirs else f"{ours} and {theirs} both belong to {shared}"


def _rarely(weight: float, owners: int) -> float:
    return round(max(0.3, weight - math.log(max(1, owners))), 2)


def _name_signals(subject: Subject, account: Prospect, facts: Facts) -> Iterator[Signal]:
    same = _same_name(subject.name, account.name)
    if same:
        yield same
        return  # a domain that spells the name says nothing more then
    spelled = _label_is_name(subject, account, facts)
    named = [signal for signal in (_acronym(subject, account), spelled) if signal]
    likeness = round(_LIKENESS_SLOPE * (facts.likeness - _LEAST_LIKENESS), 2)
    if likeness > 0:
        yield Signal("similar_name", likeness, f"similar name ({facts.likeness:.2f})")
    elif not named:
        yield Signal("other_name", max(-1.0, likeness), "the names have little in common")
    # The initials, spelled by name and domain, are one fact seen twice.
    yield from sorted(named, key=_weight)[-1:]


def _same_name(ours: str, theirs: str) -> Signal | None:
    if ours.strip().casefold() == theirs.strip().casefold():
        return Signal("same_name", 6.5, "same name")
    one, other = name_forms(ours), name_forms(theirs)
    if one.folded == other.folded:
        return Signal("same_name", 6.2, "same name apart from legal form, accents or punctuation")
    bare, other_bare = without_brackets(ours), without_brackets(theirs)
    is_bracketed = bare is not ours or other_bare is not theirs
    if is_bracketed and name_forms(bare).folded == name_forms(other_bare).folded:
        return Signal("same_name", 5.8, "same name apart from what stands in brackets")
    if one.words == other.words:
        return Signal("same_words", 5.6, "same words in another order, abbreviation or language")
    return None


def _acronym(subject: Subject, account: Prospect) -> Signal | None:
    ours, theirs = name_forms(subject.name), name_forms(account.name)
    short = (ours.acronyms & theirs.initials) | (theirs.acronyms & ours.initials) | (ours.acronyms & theirs.acronyms)
    if not short:
        return None
    acronym = max(short, key=lambda one: (len(one), one))
    weight = 1.5 + 0.8 * min(len(acronym) - 2, 3)
    return Signal("acronym", weight, f"{acronym.upper()} stands for the same words in both names")


def _label_is_name(subject: Subject, account: Prospect, facts: Facts) -> Signal | None:
    pairs = [(account.name, name) for name in subject.domains if name not in facts.ignored]
    pairs += [(subject.name, one.name) for one in account.domains if one.name not in facts.ignored]
    return max((signal for name, domain in pairs if (signal := _label_signal(name, domain))), key=_weight, default=None)


def _weight(signal: Signal) -> float:
    return signal.weight


def _label_signal(name: str, domain: str) -> Signal | None:
    part = label(domain).replace("-", "")
    forms = name_forms(name)
    if len(part) < 3:
        return None
    if part in forms.squashed:
        return Signal("label_is_name", 3.0, f"{domain} spells the name {name}")
    if part in forms.initials or part in forms.acronyms:
        return Signal("label_is_acronym", 1.0 + 0.4 * min(len(part) - 3, 2), f"{domain} spells the initials of {name}")
    if len(part) >= 5 and part in forms.words:
        return Signal("label_in_name", 1.0, f"{domain} spells a word of {name}")
    return None


def _place_signals(subject: Subject, account: Prospect) -> Iterator[Signal]:
    theirs = country_code(account.country)
    if subject.country and account.country:
        if subject.country.casefold() == account.country.casefold():
            yield Signal("same_country", 0.5, f"both in {account.country}")
        elif theirs and country_code(subject.country):
            yield Signal("other_country", -3.0, f"country differs: {subject.country}, {account.country}")
    elif theirs and (ending := home_of(subject)) and ending != theirs:
        yield Signal("other_country", -1.5, f"its domains belong to {ending}, the account is in {account.country}")
    # A city in both names is part of the name's likeness already.
    city = _city_words(account.city)
    if city and city.issubset(name_forms(subject.name).words) and not city.issubset(name_forms(account.name).words):
        yield Signal("city_in_name", 0.7, f"{account.city} is part of the customer's name")


@functools.lru_cache(maxsize=4_096)
def _city_words(city: str) -> frozenset[str]:
    """There are many more names than cities, which they would push out of the memory for names."""
    return frozenset(name_tokens(city))


def _state_signals(account: Prospect, facts: Facts) -> Iterator[Signal]:
    if facts.mapped_elsewhere:
        yield Signal("mapped_elsewhere", 4.0, f"the same customer is mapped to it at {facts.mapped_elsewhere}")
    if not account.is_active:
        yield Signal("inactive", -1.5, "the account is inactive")
