"""Candidates for a provider account: few accounts out of many, found by domain and by name, judged by signals."""

from __future__ import annotations

import bisect
import heapq
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from w365.matching.domains import label, registrable
from w365.matching.index import NameIndex
from w365.matching.names import name_forms, without_brackets
from w365.matching.scores import Facts, Prospect, Subject, log_odds, score
from w365.model import Evidence, Signal

_BY_NAME = 30
_BY_LABEL = 8
_MOST_SHARING = 300  # a domain, label or acronym with more accounts than this finds nobody in particular
_JUDGED = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A suggested account, the chance that it is the right one among all suggested, and why."""

    account_id: int
    score: float
    signals: tuple[Signal, ...]


class Suggester:
    """Suggests accounts. Prospects can be put and dropped one by one; the answers are those of a new Suggester.

    ``ignored`` are domains that say nothing (free mail, excluded, the partner's own). Shared ones need not be among
    them: what many accounts use counts little by itself. One thread at a time.
    """

    def __init__(self, prospects: Iterable[Prospect] = (), *, ignored: frozenset[str] = frozenset()) -> None:
        self._ignored = ignored
        self._prospects: dict[int, Prospect] = {}
        self._names = NameIndex()
        self._accounts: dict[str, list[int]] = {}  # in ascending order
        for prospect in prospects:
            self.put(prospect)

    def put(self, prospect: Prospect) -> None:
        """Add an account or replace what was known of it."""
        self.drop(prospect.account_id)
        self._prospects[prospect.account_id] = prospect
        for key in self._keys_of(prospect):
            bisect.insort(self._accounts.setdefault(key, []), prospect.account_id)
        for name in _spellings(prospect.name):
            self._names.add(prospect.account_id, name)

    def drop(self, account_id: int) -> None:
        """Forget an account, if it is known."""
        prospect = self._prospects.pop(account_id, None)
        if prospect is None:
            return
        self._names.discard(account_id)
        for key in self._keys_of(prospect):
            self._accounts[key].remove(account_id)
            if not self._accounts[key]:
                del self._accounts[key]

    def suggest(
        self,
        subject: Subject,
        evidence: Mapping[int, tuple[Evidence, ...]],
        *,
        rejected: frozenset[int] = frozenset(),
        mapped_elsewhere: Mapping[int, str] | None = None,
        limit: int = 5,
    ) -> list[Candidate]:
        """Give at most ``limit`` candidates, the likeliest first, then by account id; rejected ones are left out.

        ``evidence`` holds what the rules say of each account they support, ``mapped_elsewhere`` the provider at which
        the same customer is mapped to an account.
        """
        elsewhere = mapped_elsewhere or {}
        likeness = self._likeness(subject, {*evidence, *elsewhere})
        judged = [
            (account_id, score(subject, self._prospects[account_id], facts).signals)
            for account_id, facts in self._facts(subject, likeness, evidence, elsewhere)
            if account_id not in rejected
        ]
        ranked = sorted(_compete(judged), key=lambda one: (-one.score, one.account_id not in evidence, one.account_id))
        return ranked[:limit]

    def _facts(
        self,
        subject: Subject,
        likeness: Mapping[int, float],
        evidence: Mapping[int, tuple[Evidence, ...]],
        elsewhere: Mapping[int, str],
    ) -> Iterator[tuple[int, Facts]]:
        owners = self._owners(subject)
        for account_id, value in likeness.items():
            if account_id in self._prospects:
                found = evidence.get(account_id, ())
                yield account_id, Facts(found, value, owners, self._ignored, elsewhere.get(account_id, ""))

    def _likeness(self, subject: Subject, wanted: set[int]) -> dict[int, float]:
        """Give the accounts worth judging with the likeness of their names."""
        names = _spellings(subject.name)
        alike = {hit for name in names for hit, _ in self._names.search(name, _BY_NAME)}
        alike |= {hit for name in self._labels(subject) for hit, _ in self._names.search(name, _BY_LABEL)}
        sharing = self._sharing(subject)
        best = dict.fromkeys(sorted(alike | sharing | wanted), 0.0)
        for name in names:
            for account_id, value in self._names.likeness(name, best).items():
                best[account_id] = max(best[account_id], value)
        chosen = wanted | _likest(sharing, best) | _likest(alike, best)
        return {account_id: best[account_id] for account_id in chosen}

    def _labels(self, subject: Subject) -> set[str]:
        labels = {label(name) for name in self._usable(subject.domains)}
        known = name_forms(subject.name).squashed
        return {name for name in labels if len(name) >= 4 and name not in known}

    def _sharing(self, subject: Subject) -> set[int]:
        lists = (self._accounts.get(key, ()) for key in self._keys_for(subject))
        return {account_id for accounts in lists for account_id in accounts[:_MOST_SHARING]}

    def _owners(self, subject: Subject) -> dict[str, int]:
        names = {key.partition(":")[2]: len(self._accounts.get(key, ())) for key in self._domain_keys(subject.domains)}
        return {name: count for name, count in names.items() if count}

    def _keys_of(self, prospect: Prospect) -> set[str]:
        forms = name_forms(prospect.name)
        own = self._domain_keys(one.name for one in prospect.domains)
        own |= {f"acronym:{short}" for short in forms.acronyms}
        own |= {f"initials:{short}" for short in forms.initials if len(short) > 2}
        return own | {f"spelled:{name}" for name in forms.squashed}

    def _keys_for(self, subject: Subject) -> set[str]:
        forms = name_forms(subject.name)
        labels = {label(name).replace("-", "") for name in self._usable(subject.domains)}
        keys = self._domain_keys(subject.domains) | {f"label:{name}" for name in forms.squashed | forms.acronyms}
        keys |= {f"acronym:{short}" for short in forms.initials | forms.acronyms | labels}
        keys |= {f"{kind}:{short}" for short in forms.acronyms | labels for kind in ("initials", "spelled")}
        return keys | {f"label:{short}" for short in forms.initials if len(short) > 2}

    def _domain_keys(self, domains: Iterable[str]) -> set[str]:
        usable = self._usable(domains)
        return {f"at:{registrable(name)}" for name in usable} | {f"label:{label(name)}" for name in usable}

    def _usable(self, domains: Iterable[str]) -> list[str]:
        return [name for name in domains if name not in self._ignored and registrable(name)]


def _likest(accounts: set[int], likeness: Mapping[int, float]) -> set[int]:
    return set(heapq.nsmallest(_JUDGED, accounts, key=lambda one: (-likeness[one], one)))


def _spellings(name: str) -> list[str]:
    return list(dict.fromkeys((name, without_brackets(name))))


def _compete(judged: Iterable[tuple[int, tuple[Signal, ...]]]) -> list[Candidate]:
    """Share one chance among all: of ten accounts with the same name none is likely, however alike the names."""
    odds = [(account_id, math.exp(min(log_odds(signals), 50.0)), signals) for account_id, signals in judged]
    total = 1.0 + math.fsum(odd for _, odd, _ in odds)
    return [Candidate(account_id, odd / total, signals) for account_id, odd, signals in odds]
