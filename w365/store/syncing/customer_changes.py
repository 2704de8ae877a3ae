"""What a customer brings against what is stored of it. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from w365.matching.blocking_keys import signs_of
from w365.matching.domains import normalise_domain
from w365.model import DomainKind
from w365.source_records import DEFAULT_DOMAIN, Customer, CustomerDomain
from w365.store.reading.search_index import sort_key, words_of
from w365.store.run_counts import Count

_LONGEST_DOMAIN = 253
"""What is longer is no domain and is kept to be shown only."""

_MOST_NAMED = 20

NOT_WRITTEN = (Count.UNCHANGED, Count.LEFT_ALONE)
"""The outcomes of rows that a sync does not write: nothing differs, or a person switched them off."""


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What is stored of a customer in one row of `provider_account`, in the order of `COLUMNS`."""

    name: str
    name_key: str
    default_domain: str
    main_domain: str
    domain_source: str
    tenant_guid: str
    country: str
    relationship: str
    note: str


COLUMNS = tuple(field.name for field in dataclasses.fields(CustomerFacts))
DomainFacts = dict[str, tuple[str, bool, bool]]  # name -> kind, is_default, is_verified
SubscriptionRow = tuple[object, ...]
"""In the order of `w365.model.Subscription`."""


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A customer as it is stored, with the id of its row."""

    id: int
    facts: CustomerFacts
    is_gone: bool
    domains: DomainFacts
    subscriptions: frozenset[SubscriptionRow]
    is_synced: bool = True


class CustomerChange:
    """What one customer brings against what is stored of it, which is None for one that is new.

    Domains or subscriptions that the customer does not tell (None) stay as they are stored. ``is_text_proof`` says that
    what somebody typed at this provider counts like a verified domain.
    """

    def __init__(self, customer: Customer, known: KnownCustomer | None, *, is_text_proof: bool = False) -> None:
        self.customer, self.known = customer, known
        if customer.domains is None and known is not None:
            self.domains = known.domains
        else:
            self.domains = _domains_of(customer, _doubted(customer, known), is_text_proof=is_text_proof)
        self.facts = _facts_of(customer, self.domains)
        self.subscriptions = _subscriptions_of(customer, known)

    @property
    def outcome(self) -> Count:
        """The word under which a sync counts the customer."""
        return Count.LEFT_ALONE if self.known is not None and not self.known.is_synced else self.difference

    @property
    def difference(self) -> Count:
        """The same word, whether or not a person switched the row off."""
        known = self.known
        if known is None:
            return Count.NEW
        if known.is_gone:
            return Count.RETURNED
        same = (self.facts, self.domains, self.subscriptions) == (known.facts, known.domains, known.subscriptions)
        return Count.UNCHANGED if same else Count.CHANGED

    @property
    def tells_who(self) -> bool:
        """Whether a known row may be the same customer as others than before, at another provider."""
        known = self.known
        return known is not None and (
            known.is_gone or (self.domains, self.facts.tenant_guid) != (known.domains, known.facts.tenant_guid)
        )

    def describe(self) -> str:
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
            parts.append(f"domain added: {_listed(added)}")
        if removed := sorted(known.domains.keys() - self.domains.keys()):
            parts.append(f"domain removed: {_listed(removed)}")
        if known.is_gone:
            parts.append("returned")
        return "; ".join(parts)


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _facts_of(customer: Customer, domains: DomainFacts) -> CustomerFacts:
    return CustomerFacts(
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


def _domains_of(customer: Customer, doubted: frozenset[str], *, is_text_proof: bool) -> DomainFacts:
    """Give what a customer says of its domains; a name that is unverified once is unverified (product rule 3)."""
    facts: DomainFacts = {}
    repeated = CustomerDomain(customer.default_domain, is_default=True)
    for listed in (*(customer.domains or ()), repeated):
        domain = normalise_domain(listed.name)
        name = domain.name[:_LONGEST_DOMAIN]
        if not name or (listed is repeated and name in facts):
            continue  # the list only repeats what the customer's own domains say
        is_typed = listed.is_free_text and domain.kind is DomainKind.OWN_NAME
        is_proof = listed.is_verified and (is_text_proof or not is_typed) and name not in doubted
        _, was_default, was_proof = facts.get(name, ("", False, True))
        kind = DomainKind.TYPED if is_typed else domain.kind
        facts[name] = (kind.value, was_default or listed.is_default, was_proof and is_proof)
    return facts


def _doubted(customer: Customer, known: KnownCustomer | None) -> frozenset[str]:
    """Give the names known as unverified, where the list alone is told now, which says nothing about proof."""
    if known is None or customer.domain_source != DEFAULT_DOMAIN:
        return frozenset()
    return frozenset(
        name for name, (kind, _, is_verified) in known.domains.items() if not is_verified and kind != DomainKind.TYPED
    )


def is_named(kind: str, *, is_verified: bool) -> bool:
    """Whether a domain is a name of its own as far as the provider knows; `relations.is_named` says it in SQL."""
    return kind == DomainKind.TYPED or (kind == DomainKind.OWN_NAME and is_verified)


def _main_domain(customer: Customer, domains: DomainFacts) -> str:
    own = [name for name, (kind, _, is_verified) in domains.items() if is_named(kind, is_verified=is_verified)]
    default = normalise_domain(customer.default_domain).name
    return default if default in own or not own else min(own)


def _subscriptions_of(customer: Customer, known: KnownCustomer | None) -> frozenset[SubscriptionRow]:
    if customer.subscriptions is None:
        return known.subscriptions if known else frozenset()
    rows = {
        sub.subscription_id: (sub.subscription_id, sub.offer_name, sub.quantity, sub.status, sub.term, sub.started_at)
        for sub in customer.subscriptions
    }
    return frozenset(rows.values())


def search_words_of(change: CustomerChange) -> set[str]:
    """The words by which the row is to be found once the change is stored."""
    name, domains = change.facts.name, change.domains
    return words_of([name], [change.customer.specific_id, *domains, *signs_of(name, domains)])
