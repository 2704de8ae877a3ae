"""How well a CRM account fits a provider account: the sum of named signals, each of which can be said in words.

A weight is the logarithm of how many times likelier the two are the same customer for knowing the signal: 0.7 doubles
the odds, 2.3 makes them ten times as good, a negative weight lowers them. The weights are judgements about customers
and accounts in general, rounded to what an analyst can argue about.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rapidfuzz import fuzz

from w365.matching.comparison_records import (
    SHORTEST_LABEL,
    AccountRecord,
    CustomerRecord,
    country_code,
    letters_of,
    plain_name,
    spelled,
)
from w365.matching.domains import chosen_label
from w365.matching.messages import say_evidence
from w365.matching.names import (
    NameForms,
    are_different_forms,
    capitals,
    content_words,
    legal_form,
    name_tokens,
    numbers_in,
    run_together,
    without_brackets,
    written_together,
)
from w365.matching.typos import is_one_slip
from w365.matching.unit_words import are_units
from w365.model import Evidence, Rule, Signal

_START = -5.4  # an account about which nothing is known but that it was looked at: about one in 220

_LEAST_LIKENESS = 0.47  # names of different customers reach this by common words alone
_LIKENESS_SLOPE = 10.0

_MOST_ALIKE, _ALIKE = 8.0, 0.7
_TELLING = 5.0  # of the logarithm of names to names with the word: one in 150
_SHORTEST_SLIP, _SHORTEST_CUT, _SHORT_WORD = 6, 12, 3  # letters

BEGINNINGS = (8, 14)
"""So many letters of a name are a key under which it is looked for by a label that may be cut off."""
_FITTING = 85.0

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
    ``mapped_elsewhere`` names the provider at which the same customer is mapped here, ``units`` are the unit words.
    ``rarity`` says of the customer's words how telling they are.
    """

    evidence: tuple[Evidence, ...] = ()
    likeness: float = 0.0
    owners: Mapping[str, int] = field(default_factory=dict)
    mapped_elsewhere: str = ""
    units: frozenset[str] = frozenset()
    rarity: Mapping[str, float] = field(default_factory=dict)


def collect_signals(customer: CustomerRecord, account: AccountRecord, facts: Facts) -> tuple[Signal, ...]:
    """Judge one account: give the signals that speak for and against it, strongest first."""
    signals = [
        *_evidence_signals(facts),
        *_domain_signals(customer, account, facts),
        *_name_signals(customer, account, facts),
        *_difference_signals(customer, account, facts),
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
        weight = _rarely(4.0, facts.owners.get(rarest, 1))
        yield Signal("same_registrable", weight, _both_under(ours[rarest], theirs[rarest], rarest))
    elif customer.by_label:
        yield from _label_signals(customer.by_label, theirs, facts)


def _label_signals(ours: Mapping[str, str], theirs: Mapping[str, str], facts: Facts) -> Iterator[Signal]:
    for own, name in theirs.items():
        chosen = chosen_label(own)
        if len(chosen) >= 3 and chosen in ours:
            weight = _rarely(1.0, facts.owners.get(chosen, 1))
            yield Signal("same_label", weight, f"{ours[chosen]} and {name} share the name {chosen}")
            return


def _both_under(ours: str, theirs: str, shared: str) -> str:
    return f"{ours} is used on both sides" if ours == theirs else f"{ours} and {theirs} both belong to {shared}"


def _rarely(weight: float, owners: int) -> float:
    return round(max(0.3, weight - math.log(max(1, owners))), 2)


def _name_signals(customer: CustomerRecord, account: AccountRecord, facts: Facts) -> Iterator[Signal]:
    begun = _begun(customer, account, facts)
    same = _same_name(customer, account)
    if same:
        yield same
        if customer.labels:
            yield from _label_beside_name(customer, account, begun)
        return  # a domain that spells the name says nothing more then
    named = [*_acronym(customer, account), *_spelled(customer, account), *begun]
    likeness = round(_LIKENESS_SLOPE * (facts.likeness - _LEAST_LIKENESS), 2)
    alike = _nearly_same(customer.forms, account.forms)
    if likeness > 0 and (alike is None or likeness > alike.weight):
        alike = Signal("similar_name", likeness, f"similar name ({facts.likeness:.2f})")
    shared = max(
        (facts.rarity.get(word, 0.0) for word in customer.words.intersection(account.forms.words)), default=0.0
    )
    if shared > _TELLING:
        yield Signal("shared_word", round(0.25 * (shared - _TELLING), 2), "the names share a rare word")
    if alike:
        yield alike
    elif not named:
        yield Signal("other_name", max(-1.0, likeness), "the names have little in common")
    if named:  # the initials, spelled by name and domain, are one fact seen twice
        strongest = max(reversed(named), key=_weight)
        # However much a name and a label have in common, it is less than the same name.
        room = _MOST_ALIKE - (alike.weight if alike else 0.0)
        yield replace(strongest, weight=round(max(0.3, min(strongest.weight, room)), 2))


def _label_beside_name(customer: CustomerRecord, account: AccountRecord, begun: Sequence[Signal]) -> Iterator[Signal]:
    """Where the names are the same, a label that says more than the name may still tell namesakes apart."""
    texts = written_together(account.name)
    whole = next((domain for label, domain in customer.labels.items() if label in texts), "")
    if whole:
        yield Signal("label_in_full", 1.5, f"{whole} spells {account.name} with its legal form")
    elif not begun and not _own_labels(account) & customer.labels.keys():
        domain = next(iter(customer.labels.values()))
        yield Signal("other_label", -1.5, f"{domain} spells another name")


def _own_labels(account: AccountRecord) -> set[str]:
    return {"".join(letters_of(chosen_label(own))) for _, own in account.domains}


def _nearly_same(ours: NameForms, theirs: NameForms) -> Signal | None:
    """Tell names apart by one slip of the typing hand, or of which one is cut off, from merely similar ones."""
    mine, other = ours.folded.replace(" ", ""), theirs.folded.replace(" ", "")
    if min(len(mine), len(other)) >= _SHORTEST_SLIP and is_one_slip(mine, other) and not _is_short_word(ours, theirs):
        return Signal("one_slip", 8.0, "the same name but for one slip of typing")
    if min(len(ours.folded), len(theirs.folded)) >= _SHORTEST_CUT and (
        ours.folded.startswith(theirs.folded) or theirs.folded.startswith(ours.folded)
    ):
        return Signal("cut_off", 5.0, "one name is the beginning of the other")
    return None


def _is_short_word(ours: NameForms, theirs: NameForms) -> bool:
    """Whether the names differ in a short word: TAG and TLG are two names, not a slip."""
    return any(len(word) <= _SHORT_WORD for word in set(ours.folded.split()) ^ set(theirs.folded.split()))


def _same_name(customer: CustomerRecord, account: AccountRecord) -> Signal | None:
    ours, theirs = customer.forms, account.forms
    if customer.plain == plain_name(account.name):
        return Signal("same_name", 9.5, "same name")
    if ours.folded == theirs.folded:
        has_brackets = any(without_brackets(name) != name for name in (account.name, customer.subject.name))
        apart = "what stands in brackets" if has_brackets else "legal form, accents or punctuation"
        return Signal("same_name", 9.2, f"same name apart from {apart}")
    if ours.bare == theirs.bare:
        return Signal("same_name", 8.7, "same name apart from what stands in brackets")
    if ours.words == theirs.words:
        return Signal("same_words", 7.5, "same words in another order or language")
    return None


def _acronym(customer: CustomerRecord, account: AccountRecord) -> list[Signal]:
    ours, theirs = customer.forms, account.forms
    short = (ours.acronyms & theirs.initials) | (theirs.acronyms & ours.initials) | (ours.acronyms & theirs.acronyms)
    short |= run_together(customer.capitals, theirs.folded)
    if len(ours.words) > 2:
        short |= run_together(capitals(account.name), ours.folded)
    if not short:
        return []
    acronym = max(short, key=lambda acronym: (len(acronym), acronym))
    weight = 1.7 + 0.9 * min(len(acronym) - 2, 3)
    return [Signal("acronym", weight, f"{acronym.upper()} stands for the same words in both names")]


def _spelled(customer: CustomerRecord, account: AccountRecord) -> list[Signal]:
    """Give the strongest signal of a domain that spells the name of the other side, if any does."""
    spellings = [_label_signal(account.name, account.forms, domain.name, domain.spelled) for domain in customer.domains]
    spellings += [_label_signal(account.name, account.forms, domain.name, domain.spelled) for domain in customer.hosted]
    spellings += [
        _label_signal(customer.subject.name, customer.forms, name, part)
        for name, own in account.domains
        if (part := spelled(chosen_label(own))) in customer.spellings and name not in customer.ignored
    ]
    signals = [signal for signal in spellings if signal]
    return [max(signals, key=_weight)] if signals else []


def beginning_of(label: str) -> str:
    """Give the beginning of a label by which names that may have been cut off are looked for."""
    return label[: next((size for size in reversed(BEGINNINGS) if len(label) >= size), len(label))]


def _begun(customer: CustomerRecord, account: AccountRecord, facts: Facts) -> list[Signal]:
    """Give the strongest signal of a label that begins with the account's name, or is the beginning of it."""
    if not customer.labels:
        return []  # as with most customers
    texts = _as_labels(account.forms)
    signals = [
        signal
        for label, domain in customer.labels.items()
        if (signal := _beginning_signal(label, domain, account.name, texts, facts))
    ]
    return [max(signals, key=_weight)] if signals else []


def _as_labels(forms: NameForms) -> set[str]:
    """Give what a label made of a name may be, without legal form: with "and" and without."""
    return {*forms.squashed, forms.folded.replace(" and ", "").replace(" ", "")}


def _beginning_signal(label: str, domain: str, name: str, texts: Iterable[str], facts: Facts) -> Signal | None:
    fit, size = max((_fit(label, text) for text in texts), default=(0.0, 0))
    if fit < _FITTING or size < SHORTEST_LABEL:
        return None
    weight = min(0.5 * size, 7.0) - (0.0 if fit == 100 else 1.0)
    weight -= math.log(max(1, facts.owners.get(beginning_of(label), 1)))
    alike = "begin alike" if fit == 100 else "begin nearly alike"
    words = f"{domain} spells {name}" if label in texts else f"{domain} and {name} {alike}"
    return Signal("label_begins", round(max(0.3, weight), 2), words)


def _fit(label: str, text: str) -> tuple[float, int]:
    """Give how alike a label and a name written together begin, of 100, and on how many letters that rests."""
    size = min(len(label), len(text))
    return fuzz.ratio(label[:size], text[:size]), size


def _weight(signal: Signal) -> float:
    return signal.weight


def _label_signal(name: str, forms: NameForms, domain: str, part: str) -> Signal | None:
    if len(part) < 3:
        return None
    if part in forms.squashed:
        return Signal("label_is_name", 5.5, f"{domain} spells the name {name}")
    if part in forms.initials or part in forms.acronyms:
        return Signal("label_is_acronym", 1.3 + 0.5 * min(len(part) - 3, 2), f"{domain} spells the initials of {name}")
    if len(part) >= 5 and part in forms.words:
        return Signal("label_in_name", 1.3, f"{domain} spells a word of {name}")
    return None


def _difference_signals(customer: CustomerRecord, account: AccountRecord, facts: Facts) -> Iterator[Signal]:
    """Give what tells two apart whose names are alike: a number, a legal form."""
    if are_units(content_words(customer.forms.folded), content_words(account.forms.folded), facts.units):
        yield Signal("other_unit", -5.5, "the names differ in words by which firms of one group differ")
    if facts.likeness < _ALIKE:
        return
    ours, theirs = numbers_in(customer.forms.words), numbers_in(account.forms.words)
    if ours and theirs and ours != theirs:
        text = f"the numbers in the names differ: {', '.join(sorted(ours))} and {', '.join(sorted(theirs))}"
        yield Signal("other_number", -5.0, text)
    mine, other = legal_form(customer.subject.name), legal_form(account.name)
    if are_different_forms(mine, other):
        yield Signal("other_legal_form", -1.5, f"the legal forms differ: {' '.join(mine)}, {' '.join(other)}")


def _place_signals(customer: CustomerRecord, account: AccountRecord) -> Iterator[Signal]:
    ours, theirs = customer.subject.country, account.country
    if ours and theirs:
        if ours.casefold() == theirs.casefold():
            yield Signal("same_country", 0.5, f"both in {theirs}")
        elif country_code(theirs) and country_code(ours):
            yield Signal("other_country", -4.0, f"country differs: {ours}, {theirs}")
    elif customer.home and (code := country_code(theirs)) and code != customer.home:
        yield Signal("other_country", -3.0, f"its domains belong to {customer.home}, the account is in {theirs}")
    # A city in both names is part of the name's likeness already.
    city = _city_words(account.city)
    if city and city <= customer.words and not city.issubset(account.forms.words):
        yield Signal("city_in_name", 2.0, f"{account.city} is part of the customer's name")


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
