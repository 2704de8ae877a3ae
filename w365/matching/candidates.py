"""Candidates for a provider account: few accounts out of many, found by domain and by name, judged by signals."""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from w365.matching.comparison_records import (
    ComparedCustomer,
    CustomerRecord,
    OwnDomain,
    Prospect,
    look_for,
    own_domain,
    pieces_of,
)
from w365.matching.index import NameIndex
from w365.matching.names import capitals, name_forms, runs_of, without_brackets, written_together
from w365.matching.postings import Numbering, Postings
from w365.matching.prospects import Prospects
from w365.matching.scores import BEGINNINGS, Facts, beginning_of, collect_signals, log_odds
from w365.matching.weights import DELIVERED
from w365.model import Evidence, Signal

_MOST_SHARING = 100  # a domain, label or acronym with more accounts than this finds nobody in particular
_JUDGED = 8  # of those that share something, and as many of those with a similar name: more changed nothing on gold
_SAME = 0.99
_TAKEN_IN = 400_000
_CODE = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A suggested account, the chance that it is the right one among all suggested, and why."""

    account_id: int
    score: float
    signals: tuple[Signal, ...]


class Suggester:
    """Suggests accounts. Prospects can be put and dropped one by one; the answers are those of a new Suggester.

    ``ignored`` are domains that say nothing (free mail, excluded, the partner's own). Shared ones need not be among
    them: what many accounts use counts little by itself. ``units`` are the unit words of these accounts. A million
    accounts take 1.4 GB. One thread at a time.
    """

    def __init__(
        self,
        prospects: Iterable[Prospect] = (),
        *,
        ignored: frozenset[str] = frozenset(),
        units: frozenset[str] = frozenset(),
    ) -> None:
        self._ignored = ignored
        self.units = units
        self.weights = DELIVERED
        self._clear()
        for prospect in prospects:
            self.put(prospect)

    def put(self, prospect: Prospect) -> None:
        """Add an account or replace what was known of it."""
        before = self._prospects.get(prospect.account_id)
        if before == prospect:
            return
        if before:
            self._prospects.drop(prospect.account_id)
        place = self._prospects.put(prospect)
        codes = {hash(key) & _CODE for key in self._keys_of(prospect)}
        self._waiting.extend(number for code in codes for number in (code, place))
        if not before or before.name != prospect.name:
            self._rename(prospect, known=before is not None)
        if len(self._waiting) > _TAKEN_IN:
            self._take_in()

    def drop(self, account_id: int) -> None:
        """Forget an account, if it is known."""
        if account_id in self._prospects:
            self._prospects.drop(account_id)
            self._names.discard(account_id)

    def suggest(
        self,
        subject: ComparedCustomer,
        evidence: Mapping[int, tuple[Evidence, ...]],
        *,
        rejected: frozenset[int] = frozenset(),
        mapped_elsewhere: Mapping[int, str] | None = None,
        first: int | None = None,
        limit: int = 5,
    ) -> list[Candidate]:
        """Give at most ``limit`` candidates, the likeliest first, then by account id; rejected ones are left out.

        ``evidence`` holds what the rules say of each account they support, ``mapped_elsewhere`` the provider at which
        the same customer is mapped to an account. ``first`` is put before all others, whatever its score.
        """
        self._take_in()
        elsewhere = mapped_elsewhere or {}
        customer = look_for(subject, self._ignored)
        owners, sharing = self._sharing(customer)
        rarity = self._names.rarity(customer.words)
        judged = []
        for account_id, likeness in self._likeness(customer, {*evidence, *elsewhere}, sharing).items():
            account = None if account_id in rejected else self._prospects.known(account_id)
            if account:
                facts = Facts(
                    evidence.get(account_id, ()), likeness, owners, elsewhere.get(account_id, ""), self.units, rarity
                )
                judged.append((account_id, collect_signals(customer, account, facts)))
        weighed = ((account_id, self.weights.apply(signals)) for account_id, signals in judged)
        candidates = _compete(weighed, self.weights.start)
        candidates.sort(
            key=lambda candidate: (-candidate.score, candidate.account_id not in evidence, candidate.account_id)
        )
        candidates.sort(key=lambda candidate: candidate.account_id != first)
        return candidates[:limit]

    def _clear(self) -> None:
        self._prospects = Prospects()
        self._names = NameIndex()
        self._numbering = Numbering()
        self._places = Postings()
        self._waiting = array("Q")

    def _rename(self, prospect: Prospect, *, known: bool) -> None:
        if known:
            self._names.discard(prospect.account_id)
        for name in _spellings(prospect.name):
            self._names.add(prospect.account_id, name)

    def _take_in(self) -> None:
        if self._prospects.places > 2 * len(self._prospects) + 1000:
            kept = list(self._prospects)
            self._clear()
            for prospect in kept:
                self.put(prospect)
        if self._waiting:
            pairs = np.array(self._waiting, dtype=np.uint64).reshape(-1, 2)
            self._waiting = array("Q")
            self._places.add(self._numbering.take(pairs[:, 0]), pairs[:, 1].astype(np.int64))
            self._numbering.settle()

    def _likeness(self, customer: CustomerRecord, certain: set[int], sharing: Mapping[int, float]) -> dict[int, float]:
        """Give the accounts worth judging with the likeness of their names."""
        also = certain | sharing.keys()
        likeness, near = self._names.likeness(_spellings(customer.subject.name), _labels(customer), also)
        worth = {account: likeness.get(account, 0.0) + share for account, share in sharing.items()}
        chosen = certain | _likest(sharing, worth) | _likest(likeness.keys() - also, likeness) | near
        return {account_id: likeness.get(account_id, 0.0) for account_id in sorted(chosen)}

    def _sharing(self, customer: CustomerRecord) -> tuple[dict[str, int], dict[int, float]]:
        """Give how many accounts each domain and label of a customer has, and the accounts that share something.

        These come with how much they share, what few accounts have counting most.
        """
        domain_keys = _domain_keys(customer.domains)
        keys = [*domain_keys, *_keys_for(customer).difference(domain_keys)]
        numbers = self._numbering.find(np.array([hash(key) & _CODE for key in keys], dtype=np.uint64))
        owners: dict[str, int] = {}
        sharing: dict[int, float] = {}
        for key, number in zip(keys, numbers.tolist(), strict=True):
            if number >= 0 and (accounts := self._prospects.at(self._places.at(number).tolist())):
                kind, _, text = key.partition(":")
                if key in domain_keys or kind == "begins":
                    owners[text] = len(accounts)
                if kind == "begins" and len(accounts) > _MOST_SHARING:
                    continue
                for account_id in accounts if len(accounts) <= _MOST_SHARING else sorted(accounts)[:_MOST_SHARING]:
                    sharing[account_id] = sharing.get(account_id, 0.0) + 1 / len(accounts)
        return owners, sharing

    def _keys_of(self, prospect: Prospect) -> set[str]:
        forms = name_forms(prospect.name)
        own = _domain_keys(own_domain(domain.name) for domain in prospect.domains if domain.name not in self._ignored)
        own |= {f"acronym:{short}" for short in forms.acronyms}
        own |= {f"acronym:{short}" for short in capitals(prospect.name)}
        own |= {f"initials:{short}" for short in forms.initials | runs_of(forms.folded) if len(short) > 2}
        texts = written_together(prospect.name)
        own |= {f"begins:{text[:size]}" for text in texts for size in BEGINNINGS if len(text) >= size}
        return own | {f"spelled:{name}" for name in forms.squashed}


def _domain_keys(domains: Iterable[OwnDomain]) -> set[str]:
    return {
        key for domain in domains if domain.registrable for key in (f"at:{domain.registrable}", f"label:{domain.label}")
    }


def _keys_for(customer: CustomerRecord) -> set[str]:
    forms = customer.forms
    labels = {domain.spelled for domain in customer.domains if domain.registrable}
    labels |= {domain.spelled for domain in customer.hosted}
    keys = {f"label:{name}" for name in forms.squashed | forms.acronyms}
    keys |= {f"acronym:{short}" for short in forms.initials | runs_of(forms.folded) | forms.acronyms | labels}
    keys |= {f"initials:{short}" for short in customer.capitals}
    keys |= {f"{kind}:{short}" for short in forms.acronyms | labels for kind in ("initials", "spelled")}
    keys |= {f"label:{domain.spelled}" for domain in customer.hosted}
    keys |= {f"begins:{beginning_of(label)}" for label in customer.labels}
    return keys | {f"label:{short}" for short in forms.initials if len(short) > 2}


def _labels(customer: CustomerRecord) -> list[str]:
    """Give what the customer's domains may say of its name beyond the name."""
    labels = {piece for domain in (*customer.domains, *customer.hosted) if (piece := pieces_of(domain.label))}
    return sorted(label for label in labels if len(label) >= 4 and label not in customer.forms.squashed)


def _likest(accounts: Collection[int], likeness: Mapping[int, float]) -> set[int]:
    """Choose the accounts with the most alike names, and all of the same name: how many there are is what counts."""
    ordered = sorted([(-likeness.get(account, 0.0), account) for account in accounts])
    return {account for at, (negative, account) in enumerate(ordered) if at < _JUDGED or -negative > _SAME}


def _spellings(name: str) -> list[str]:
    """Give a name, and without what stands in brackets where that changes its words."""
    bare = without_brackets(name)
    return [name] if bare == name or name_forms(bare).words == name_forms(name).words else [name, bare]


def _compete(judged: Iterable[tuple[int, tuple[Signal, ...]]], start: float) -> list[Candidate]:
    """Share one chance among all: of ten accounts with the same name none is likely, however alike the names."""
    odds = [(account_id, math.exp(min(log_odds(signals) + start, 50.0)), signals) for account_id, signals in judged]
    total = 1.0 + math.fsum(odd for _, odd, _ in odds)
    return [Candidate(account_id, odd / total, signals) for account_id, odd, signals in odds]
