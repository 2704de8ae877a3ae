"""Every number that pages show, counted again: by loops over the tables that are written, knowing no query of ours."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.db.engine import Store

Numbers = dict[tuple[Any, ...], Any]

RULES = ("tenant_guid", "contact_domain", "account_email", "account_website")
SOURCES = {
    "contact_domain": "Contact domain",
    "account_email": "Account e-mail domain",
    "account_website": "Account website",
    "manual": "By hand",
}
WEEK = dt.timedelta(days=7)
TABLES = (t.ProviderAccount, t.Mapping, t.StandingOrder, t.CurrentProposal, t.ProviderSubscription, t.Decision)
MORE = (
    t.ProviderAccountDomain,
    t.DecisionEvidence,
    t.Run,
    t.Provider,
    t.Account,
    t.Contact,
    t.AccountDomain,
    t.ListedDomain,
)


@dataclass
class Customer:
    """A provider account with what the tables say of it."""

    row: Any
    provider: str
    mapping: Any
    disposition: str
    proposal: Any
    subscriptions: list[Any]

    @property
    def status(self) -> str:
        if self.mapping:
            return "mapped"
        if self.disposition in ("excluded", "parked"):
            return self.disposition
        return "conflict" if self.proposal and self.proposal.kind == "conflict" else "unmapped"

    @property
    def is_counted(self) -> bool:
        return self.row.gone_at is None or self.status == "mapped"

    @property
    def is_open(self) -> bool:
        return self.is_counted and self.status in ("conflict", "unmapped")

    @property
    def reason(self) -> str:
        return str(self.proposal.reason) if self.proposal else "no_domain"

    @property
    def live(self) -> list[Any]:
        return [one for one in self.subscriptions if one.status in ("active", "suspended")]

    @property
    def seats(self) -> int:
        return sum(one.quantity for one in self.live)

    @property
    def is_ready(self) -> bool:
        is_one = self.proposal is not None and self.proposal.kind == "one"
        return is_one and self.row.gone_at is None and not self.mapping and not self.disposition

    def state_of(self, subscription: Any) -> str:
        if subscription not in self.live:
            return "ended"
        if self.row.gone_at or self.status in ("excluded", "parked"):
            return "aside"
        return "ready" if self.status == "mapped" else "blocked"


def recount(store: Store, now: dt.datetime) -> Numbers:
    with store.read() as connection:
        read = {one: connection.execute(sa.select(one.__table__)).all() for one in (*TABLES, *MORE)}
    customers = _customers(read)
    return {
        **_totals(("all",), customers),
        **{
            key: value
            for provider in read[t.Provider]
            for key, value in _totals((provider.name,), [c for c in customers if c.provider == provider.name]).items()
        },
        **_reasons(customers),
        **_movement(customers, now),
        **_work(read, now),
        **_subscriptions(customers),
        **_quality(read, customers),
    }


def _customers(read: dict[Any, list[Any]]) -> list[Customer]:
    def by_row(table: Any) -> dict[int, Any]:
        return {one.provider_account_id: one for one in read[table]}

    mappings, orders, proposals = by_row(t.Mapping), by_row(t.StandingOrder), by_row(t.CurrentProposal)
    names = {one.id: one.name for one in read[t.Provider]}
    return [
        Customer(
            row,
            names[row.provider_id],
            mappings.get(row.id),
            orders[row.id].kind if row.id in orders else "",
            proposals.get(row.id),
            [one for one in read[t.ProviderSubscription] if one.provider_account_id == row.id],
        )
        for row in read[t.ProviderAccount]
    ]


def _totals(of: tuple[str, ...], customers: list[Customer]) -> Numbers:
    counted = Counter(one.status for one in customers if one.is_counted)
    in_scope = sum(count for status, count in counted.items() if status != "excluded")
    found: Numbers = {
        (*of, status): counted[status] for status in ("mapped", "conflict", "unmapped", "parked", "excluded")
    }
    found[(*of, "in scope")] = in_scope
    found[(*of, "backlog")] = counted["conflict"] + counted["unmapped"]
    found[(*of, "match rate")] = round(counted["mapped"] / in_scope, 6) if in_scope else None
    found[(*of, "blocked seats")] = sum(one.seats for one in customers if one.is_open)
    return found


def _reasons(customers: list[Customer]) -> Numbers:
    found: Counter[tuple[str, str, str]] = Counter()
    for one in customers:
        if one.is_open:
            found["reason", one.reason, "accounts"] += 1
            found["reason", one.reason, "seats"] += one.seats
    return dict(found)


def _movement(customers: list[Customer], now: dt.datetime) -> Numbers:
    seen = [one.row.first_seen_at for one in customers if one.is_open]
    return {
        ("blocked subscriptions",): sum(len(one.live) for one in customers if one.is_open),
        ("blocking",): sum(bool(one.live) for one in customers if one.is_open),
        ("oldest open",): min(seen, default=None),
        ("new this week",): sum(one.row.first_seen_at >= now - WEEK for one in customers),
        ("changed",): sum(
            bool(one.row.changed_at and one.row.changed_at >= now - WEEK and not one.row.gone_at) for one in customers
        ),
        ("gone",): sum(bool(one.row.gone_at) for one in customers),
        ("ready",): sum(one.is_ready for one in customers),
    }


def _work(read: dict[Any, list[Any]], now: dt.datetime) -> Numbers:
    decisions = {one.id: one for one in read[t.Decision]}
    first_seen = {one.id: one.first_seen_at for one in read[t.ProviderAccount]}
    waits = sorted(decisions[one.decision_id].at - first_seen[one.provider_account_id] for one in read[t.Mapping])
    maps = [one for one in decisions.values() if one.kind == "map"]
    kinds = {one.id: one.kind for one in read[t.Run]}
    by_hand = [
        one
        for one in decisions.values()
        if kinds.get(one.run_id) not in ("sync", "crm_sync", "match") and one.kind != "return"
    ]
    sources: Counter[str] = Counter()
    for one in read[t.Mapping]:
        rules = {fact.rule for fact in read[t.DecisionEvidence] if fact.decision_id == one.decision_id}
        name = next(rule for rule in RULES if rule in rules) if one.origin == "auto" else one.origin
        sources[SOURCES[name]] += 1
    effort = Counter((one.actor, one.at.date() - dt.timedelta(days=one.at.weekday())) for one in by_hand)
    week = [one for one in maps if one.at >= now - WEEK]
    return {
        ("time to map",): waits[(len(waits) - 1) // 2] if waits else None,
        ("by hand",): sum(one.origin != "auto" for one in maps) / len(maps) if maps else None,
        ("drifted",): sum(_has_drifted(read, one) for one in read[t.Mapping]),
        **{("source", name): count for name, count in sources.items()},
        **{("effort", actor, monday): count for (actor, monday), count in effort.items()},
        ("week", "Mapped by Auto-Match"): sum(one.origin == "auto" for one in week),
        ("week", "Mapped by hand"): sum(one.origin != "auto" for one in week),
        ("week", "Mappings cleared"): sum(one.kind == "unmap" and one.at >= now - WEEK for one in decisions.values()),
        ("week", "Decisions by hand"): sum(one.at >= now - WEEK for one in by_hand),
        ("week", "People who decided"): len({one.actor for one in by_hand if one.at >= now - WEEK}),
    }


def _has_drifted(read: dict[Any, list[Any]], mapping: Any) -> bool:
    """Whether its account is gone, or the evidence is for others, or an automatic one has none any more."""
    here = {one.id for one in read[t.Account] if one.is_active and not one.is_deleted}
    if mapping.account_id not in here:
        return True
    mine = [
        one.domain for one in read[t.ProviderAccountDomain] if one.provider_account_id == mapping.provider_account_id
    ]
    supported = {one.account_id for one in read[t.AccountDomain] if one.domain in mine} & here
    is_against = mapping.account_id not in supported and not mapping.against_evidence
    return is_against and (mapping.origin == "auto" or bool(supported))


def _subscriptions(customers: list[Customer]) -> Numbers:
    found: Numbers = {}
    for state in ("blocked", "ready", "aside", "ended"):
        mine = [(one, each) for one in customers for each in one.subscriptions if one.state_of(each) == state]
        seats = sum(each.quantity for _, each in mine)
        found["subscriptions", state] = (len(mine), seats, len({one.row.id for one, _ in mine}))
    return found


def _quality(read: dict[Any, list[Any]], customers: list[Customer]) -> Numbers:
    listed = {one.domain: one.list for one in read[t.ListedDomain]}
    here = [one for one in read[t.Account] if one.is_active and not one.is_deleted]
    domains = {
        one.crm_id: [each.domain for each in read[t.Contact] if each.account_crm_id == one.crm_id] for one in here
    }
    ids = {one.id for one in here}
    holders: dict[str, set[int]] = {}
    for one in read[t.AccountDomain]:
        if one.account_id in ids and one.domain not in listed:
            holders.setdefault(one.domain, set()).add(one.account_id)
    free = [[listed.get(one) == "free_mail" for one in found if one] for found in domains.values()]
    kinds = Counter(one.reason for one in customers if one.is_counted)
    return {
        **{("quality", reason): kinds[reason] for reason in ("no_domain", "service_domain", "free_mail")},
        ("quality", "no_contact"): sum(not found for found in domains.values()),
        ("quality", "free_mail_only"): sum(bool(found) and all(found) for found in free),
        ("quality", "duplicate"): sum(len(ids) > 1 for ids in holders.values()),
        ("crm", "accounts"): sum(not one.is_deleted for one in read[t.Account]),
        ("crm", "contacts"): len(read[t.Contact]),
    }
