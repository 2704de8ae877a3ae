"""Guards: reasons to show a person what the rule would map. With all of them off the plain rule holds.

A guard never maps and never chooses another account; it only asks for a look. Each can be argued in one sentence about
customers and accounts in general. None applies where both have the same name or where the tenant id decided.
"""

from __future__ import annotations

from collections.abc import Collection

from w365.matching.comparison_records import (
    SHORTEST_LABEL,
    ComparedCustomer,
    Prospect,
    country_code,
    home_of,
    letters_of,
)
from w365.matching.domains import label, registrable
from w365.matching.names import name_forms, written_together
from w365.matching.unit_words import are_units, unit_words_of
from w365.model import Evidence, Guard, Rule

ALL_GUARDS = frozenset(Guard)
BY_NAME = frozenset((Guard.UNIT_WORDS, Guard.NAMESAKE, Guard.LONE_CONTACT, Guard.LONE_CONTACT_ABROAD))
"""Guards that doubt the account by its name or place, so that another may well be the one."""

# What people name a part of a larger organisation, after translation to English (`names.name_tokens`).
_PARTS = frozenset(
    (
        *("center", "clinic", "department", "division", "faculty", "institute", "laboratory", "library", "museum"),
        *("observatory", "office", "school", "section", "station", "unit"),
    )
)
_SECTORS = frozenset(("ac", "com", "edu", "gob", "gouv", "gov", "gub", "mil", "net", "org"))


def find_guard(
    subject: ComparedCustomer,
    account: Prospect,
    evidence: Collection[Evidence],
    *,
    has_namesake: bool = False,
    ignored: frozenset[str] = frozenset(),
    units: frozenset[str] = frozenset(),
    guards: frozenset[Guard] = ALL_GUARDS,
) -> Guard | None:
    """Give the first guard that asks for a look before this account, the only one supported, is mapped; or None.

    ``has_namesake`` says whether another active account has the same words in its name as the customer;
    ``ignored`` are domains that are never evidence, such as free mail; ``units`` are the unit words of the CRM.
    """
    if not guards or _is_certain(subject, account, evidence):
        return None
    holds = {
        Guard.UNIT_WORDS: lambda: are_units(unit_words_of(subject.name), unit_words_of(account.name), units),
        Guard.NAMESAKE: lambda: has_namesake and not _is_its_own(account, evidence),
        Guard.LONE_CONTACT_ABROAD: lambda: _is_lone(evidence) and _is_abroad(subject, account),
        Guard.LONE_CONTACT: lambda: (
            _is_lone(evidence)
            and _lives_elsewhere(account, evidence, ignored)
            and not _are_related(subject, account, evidence)
        ),
        Guard.PART_BY_NAME: lambda: _only_people(evidence) and _is_part(subject, account, evidence),
        Guard.SUFFIX_LIKE: lambda: all(_looks_like_suffix(fact.domain) for fact in evidence),
    }
    return next((guard for guard in Guard if guard in guards and holds[guard]()), None)


def _is_certain(subject: ComparedCustomer, account: Prospect, evidence: Collection[Evidence]) -> bool:
    if any(fact.rule is Rule.TENANT_GUID for fact in evidence):
        return True
    return name_forms(subject.name).words == name_forms(account.name).words


def _only_people(evidence: Collection[Evidence]) -> bool:
    return all(fact.rule is Rule.CONTACT_DOMAIN for fact in evidence)


def _is_lone(evidence: Collection[Evidence]) -> bool:
    return _only_people(evidence) and sum(fact.contacts for fact in evidence) <= 1


def _is_abroad(subject: ComparedCustomer, account: Prospect) -> bool:
    ours, theirs = country_code(home_of(subject)), country_code(account.country)
    return bool(ours and theirs) and ours != theirs


def _lives_elsewhere(account: Prospect, evidence: Collection[Evidence], ignored: frozenset[str]) -> bool:
    own = {registrable(domain.name) for domain in account.domains if domain.name not in ignored}
    return bool(own - {registrable(fact.domain) for fact in evidence})


def _are_related(subject: ComparedCustomer, account: Prospect, evidence: Collection[Evidence]) -> bool:
    """Whether the names share a word or an acronym, or a supporting domain spells the account's name."""
    ours, theirs = name_forms(subject.name), name_forms(account.name)
    if set(ours.words) & set(theirs.words) or ours.acronyms & theirs.initials or theirs.acronyms & ours.initials:
        return True
    return bool(ours.acronyms & theirs.acronyms) or _is_spelled(account, evidence)


def _is_spelled(account: Prospect, evidence: Collection[Evidence]) -> bool:
    forms = name_forms(account.name)
    labels = {label(fact.domain).replace("-", "") for fact in evidence}
    return bool(labels & (forms.squashed | forms.initials | forms.acronyms | set(forms.words)))


def _is_its_own(account: Prospect, evidence: Collection[Evidence]) -> bool:
    """Whether a supporting domain spells the account's name or words, or begins as its name does."""
    labels = [letters_of(label(fact.domain)) for fact in evidence]
    texts, words = written_together(account.name), sorted(name_forms(account.name).folded.split())
    begun = ("".join(letters) for letters in labels)
    has_begun = any(len(text) >= SHORTEST_LABEL and any(own.startswith(text) for own in texts) for text in begun)
    return has_begun or any(sorted(letters) == words for letters in labels) or _is_spelled(account, evidence)


def _is_part(subject: ComparedCustomer, account: Prospect, evidence: Collection[Evidence]) -> bool:
    ours, theirs = set(name_forms(subject.name).words), set(name_forms(account.name).words)
    return bool(theirs & _PARTS) and not ours & _PARTS and not _is_spelled(account, evidence)


def _looks_like_suffix(domain: str) -> bool:
    first, _, rest = domain.partition(".")
    return first in _SECTORS and len(rest) == 2
