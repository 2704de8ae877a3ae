"""What a customer brings against what is stored of it. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from w365.matching.blocking_keys import signs_of
from w365.matching.domains import Domain, normalise_domain
from w365.model import Customer, DomainKind
from w365.store.reading.search_index import sort_key, words_of

_LONGEST_DOMAIN = 253
"""What is longer is no domain and is kept to be shown only."""


LEFT_ALONE = "left_alone"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored of a customer, in the order of `COLUMNS`."""

    name: str
    name_key: str
    default_domain: str
    main_domain: str
    domain_source: str
    tenant_guid: str
    country: str
    relationship: str
    note: str


COLUMNS = tuple(field.name for field in dataclasses.fields(Facts))
Domains = dict[str, tuple[str, bool, bool]]  # name -> kind, is_default, is_verified


@dataclass(frozen=True, slots=True)
class Known:
    id: int
    facts: Facts
    is_gone: bool
    domains: Domains
    subscriptions: frozenset[tuple[object, ...]]
    is_synced: bool = True


class Change:
    """What one customer brings against what is stored of it."""

    def __init__(self, customer: Customer, known: Known | None) -> None:
        self.customer, self.known = customer, known
        self.domains = _domains_of(customer) if customer.domains is not None or known is None else known.domains
        self.facts = _facts_of(customer, self.domains)
        self.subscriptions = _subscriptions_of(customer, known)

    @property
    def is_left(self) -> bool:
        """Whether a sync leaves the row alone, because a person switched it off or because nothing differs."""
        return self.word in (LEFT_ALONE, "unchanged")

    @property
    def word(self) -> str:
        """Under which word a sync counts the customer."""
        return LEFT_ALONE if self.known is not None and not self.known.is_synced else self.difference

    @property
    def difference(self) -> str:
        known = self.known
        if known is None:
            return "new"
        if known.is_gone:
            return "returned"
        same = (self.facts, self.domains, self.subscriptions) == (known.facts, known.domains, known.subscriptions)
        return "unchanged" if same else "changed"

    @property
    def tells_who(self) -> bool:
        """Whether a known row may be the same customer as others than before, at another provider."""
        known = self.known
        return known is not None and (
            known.is_gone or (self.domains, self.facts.tenant_guid) != (known.domains, known.facts.tenant_guid)
        )

    def in_words(self) -> str:
        """Old → new of what a person would want to know; empty for new rows and mere subscription changes."""
        known = self.known
        if known is None:
            return ""
        parts = []
        if known.facts.name != self.facts.name:
            parts.append(f"renamed: {known.facts.name} → {self.facts.name}")
        if known.facts.default_domain != self.facts.default_domain:
            parts.append(f"default domain: {known.facts.default_domain} → {self.facts.default_domain}")
        if added := sorted(self.domains.keys() - known.domains.keys()):
            parts.append(f"domain added: {', '.join(added)}")
        if removed := sorted(known.domains.keys() - self.domains.keys()):
            parts.append(f"domain removed: {', '.join(removed)}")
        if known.is_gone:
            parts.append("returned")
        return "; ".join(parts)


def _facts_of(customer: Customer, domains: Domains) -> Facts:
    return Facts(
        name=customer.name,
        name_key=sort_key(customer.name),
        default_domain=customer.default_domain,
        main_domain=_main_domain(customer, domains),
        domain_source=customer.domain_source,
        tenant_guid=customer.tenant_guid,
        country=customer.country,
        relationship=customer.relationship,
        note=customer.note,
    )


def _domains_of(customer: Customer) -> Domains:
    found: Domains = {}
    for one in customer.domains or ():
        domain = normalise_domain(one.name)
        if domain.name:
            found[domain.name[:_LONGEST_DOMAIN]] = (domain.kind.value, one.is_default, one.is_verified)
    default: Domain = normalise_domain(customer.default_domain)
    if default.name:
        found.setdefault(default.name[:_LONGEST_DOMAIN], (default.kind.value, True, True))
    return found


def _main_domain(customer: Customer, domains: Domains) -> str:
    own = [name for name, (kind, _, is_verified) in domains.items() if kind == DomainKind.OWN_NAME and is_verified]
    default = normalise_domain(customer.default_domain).name
    return default if default in own or not own else min(own)


def _subscriptions_of(customer: Customer, known: Known | None) -> frozenset[tuple[object, ...]]:
    if customer.subscriptions is None:
        return known.subscriptions if known else frozenset()
    rows = {
        one.subscription_id: (one.subscription_id, one.offer_name, one.quantity, one.status, one.term, one.started_at)
        for one in customer.subscriptions
    }
    return frozenset(rows.values())


def words_of_change(change: Change) -> set[str]:
    name, domains = change.facts.name, change.domains
    return words_of([name], [change.customer.specific_id, *domains, *signs_of(name, domains)])
