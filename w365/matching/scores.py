"""How well a CRM account fits a provider account: the sum of named signals, each of which can be said in words.

A weight is the logarithm of how many times likelier the two are the same customer for knowing the signal: 0.7 doubles
the odds, 2.3 makes them ten times as good, a negative weight lowers them. The weights are judgements about customers
and accounts in general, rounded to what an analyst can argue about.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from w365.matching.comparison_records import AccountRecord, CustomerRecord, country_code, plain_name, spelled
from w365.matching.domains import chosen_label
from w365.matching.messages import say_evidence
from w365.matching.names import NameForms, name_tokens
from w365.model import Evidence, Rule, Signal

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
class Facts:
    """What is known about a pair beyond its two sides.

    ``owners`` counts the accounts on each registrable domain and label: what many share says little.
    ``mapped_elsewhere`` names the provider at which the same customer is mapped here.
    """

    evidence: tuple[Evidence, ...] = ()
    likeness: float = 0.0
    owners: Mapping[str, int] = field(default_factory=dict)
    mapped_elsewhere: str = ""


def collect_signals(customer: CustomerRecord, account: AccountRecord, facts: Facts) -> tuple[Signal, ...]:
    """Judge one account: give the signals that speak for and against it, strongest first."""
    signals = [
        *_evidence_signals(facts),
        *_domain_signals(customer, account, facts),
        *_name_signals(customer, account, facts),
        *_place_signals(customer, account),
        *_state_signals(customer, account, facts),
    ]
    signals.sort(key=_by_strength)
    return tuple(signals)


def log_odds(signals: Iterable[Signal]) -> float:
    """Give the sum of what signals say: the logarithm of the odds that the two are one, were there no other."""
    return _START + math.fsum([signal.weight for signal in signals])


def _by_strength(signal: Signal) -> tuple[float, str]:
    return -abs(signal.weight), signal.name


def _evidence_signals(facts: Facts) -> Iterator[Signal]:
    if not facts.evidence:
        return
    for at, fact in enumerate(sorted(facts.evidence, key=lambda fact: -_EVIDENCE[fact.rule])):
        # The second rule that sees the same domain adds little that is new.
        yield Signal(f"rule_{fact.rule}", _EVIDENCE[fact.rule] if at == 0 else 0.7, say_evidence(fact))
    contacts = max(fact.contacts for fact in facts.evidence)
    if contacts > 1:
        yield Signal("several_contacts", 0.5, f"{contacts} contacts use it, not one alone")


def _domain_signals(customer: CustomerRecord, account: AccountRecord, facts: Facts) -> Iterator[Signal]:
    if facts.evidence:
        return  # equal domains are said already
    ours, ignored = customer.by_registrable, customer.ignored
    if not ours:
        return
    theirs = {own: name for name, own in account.domains if name not in ignored}
    shared = [own for own in ours if own in theirs]
    if shared:
        rarest = min(shared, key=lambda own: (facts.owners.get(own, 1), own))
        weight = _rarely(3.0, facts.owners.get(rarest, 1))
        yield Signal("same_registrable", weight, _both_under(ours[rarest], theirs[rarest], rarest))
    elif customer.by_label:
        yield from _label_signals(customer.by_label, theirs, facts)


def _label_signals(ours: Mapping[str, str], theirs: Mapping[str, str], facts: Facts) -> Iterator[Signal]:
    for own, name in theirs.items():
        chosen = chosen_label(own)
        if len(chosen) >= 3 and chosen in ours:
            weight = _rarely(2.5, facts.owners.get(chosen, 1))
            yield Signal("same_label", weight, f"{ours[chosen]} and {name} share the name {chosen}")
            return


def _both_under(ours: str, theirs: str, shared: str) -> str:
    return f"{ours} is used on both sides" if ours == theirs else f"{ours} and {theirs} both belong to {shared}"


def _rarely(weight: float, owners: int) -> float:
    return round(max(0.3, weight - math.log(max(1, owners))), 2)


def _name_signals(customer: CustomerRecord, account: AccountRecord, facts: Facts) -> Iterator[Signal]:
    same = _same_name(customer, account)
    if same:
        yield same
        return  # a domain that spells the name says nothing more then
    named = _acronym(customer.forms, account.forms) + _spelled(customer, account)
    likeness = round(_LIKENESS_SLOPE * (facts.likeness - _LEAST_LIKENESS), 2)
    if likeness > 0:
        yield Signal("similar_name", likeness, f"similar name ({facts.likeness:.2f})")
    elif not named:
        yield Signal("other_name", max(-1.0, likeness), "the names have little in common")
    if named:  # the initials, spelled by name and domain, are one fact seen twice
        yield max(reversed(named), key=_weight)


def _same_name(customer: CustomerRecord, account: AccountRecord) -> Signal | None:
    ours, theirs = customer.forms, account.forms
    if customer.plain == plain_name(account.name):
        return Signal("same_name", 6.5, "same name")
    if ours.folded == theirs.folded:
        return Signal("same_name", 6.2, "same name apart from legal form, accents or punctuation")
    if ours.bare == theirs.bare:
        return Signal("same_name", 5.8, "same name apart from what stands in brackets")
    if ours.words == theirs.words:
        return Signal("same_words", 5.6, "same words in another order, abbreviation or language")
    return None


def _acronym(ours: NameForms, theirs: NameForms) -> list[Signal]:
    if not ours.acronyms and not theirs.acronyms:
        return []  # as with most names
    short = (ours.acronyms & theirs.initials) | (theirs.acronyms & ours.initials) | (ours.acronyms & theirs.acronyms)
    if not short:
        return []
    acronym = max(short, key=lambda acronym: (len(acronym), acronym))
    weight = 1.5 + 0.8 * min(len(acronym) - 2, 3)
    return [Signal("acronym", weight, f"{acronym.upper()} stands for the same words in both names")]


def _spelled(customer: CustomerRecord, account: AccountRecord) -> list[Signal]:
    """Give the strongest signal of a domain that spells the name of the other side, if any does."""
    spellings = [_label_signal(account.name, account.forms, domain.name, domain.spelled) for domain in customer.domains]
    spellings += [
        _label_signal(customer.subject.name, customer.forms, name, part)
        for name, own in account.domains
        if (part := spelled(chosen_label(own))) in customer.spellings and name not in customer.ignored
    ]
    signals = [signal for signal in spellings if signal]
    return [max(signals, key=_weight)] if signals else []


def _weight(signal: Signal) -> float:
    return signal.weight


def _label_signal(name: str, forms: NameForms, domain: str, part: str) -> Signal | None:
    if len(part) < 3:
        return None
    if part in forms.squashed:
        return Signal("label_is_name", 3.0, f"{domain} spells the name {name}")
    if part in forms.initials or part in forms.acronyms:
        return Signal("label_is_acronym", 1.0 + 0.4 * min(len(part) - 3, 2), f"{domain} spells the initials of {name}")
    if len(part) >= 5 and part in forms.words:
        return Signal("label_in_name", 1.0, f"{domain} spells a word of {name}")
    return None


def _place_signals(customer: CustomerRecord, account: AccountRecord) -> Iterator[Signal]:
    ours, theirs = customer.subject.country, account.country
    if ours and theirs:
        if ours.casefold() == theirs.casefold():
            yield Signal("same_country", 0.5, f"both in {theirs}")
        elif country_code(theirs) and country_code(ours):
            yield Signal("other_country", -3.0, f"country differs: {ours}, {theirs}")
    elif customer.home and (code := country_code(theirs)) and code != customer.home:
        yield Signal("other_country", -1.5, f"its domains belong to {customer.home}, the account is in {theirs}")
    # A city in both names is part of the name's likeness already.
    city = _city_words(account.city)
    if city and city <= customer.words and not city.issubset(account.forms.words):
        yield Signal("city_in_name", 0.7, f"{account.city} is part of the customer's name")


@functools.lru_cache(maxsize=4_096)
def _city_words(city: str) -> frozenset[str]:
    """There are many more names than cities, which they would push out of the memory for names."""
    return frozenset(name_tokens(city))


def _state_signals(customer: CustomerRecord, account: AccountRecord, facts: Facts) -> Iterator[Signal]:
    tenant = customer.subject.tenant_guid
    if tenant and account.tenant_guid and tenant != account.tenant_guid:
        yield Signal("other_tenant", -5.0, "the account carries the id of a different tenant")
    if facts.mapped_elsewhere:
        yield Signal("mapped_elsewhere", 4.0, f"the same customer is mapped to it at {facts.mapped_elsewhere}")
    if not account.is_active:
        yield Signal("inactive", -1.5, "the account is inactive")
