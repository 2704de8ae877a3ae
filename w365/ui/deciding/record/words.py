"""What the record says of a provider account and of an account beside it. Plain text, decided without the screen."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from w365.matching.messages import (
    DECISION_WORDS,
    DOMAIN_KIND_WORDS,
    LIST_WORDS,
    ORIGIN_WORDS,
    SAY_HELD,
    STATUS_WORDS,
    Nearest,
    say_reason,
    why_not,
)
from w365.matching.names import fold_name
from w365.model import Disposition, DomainKind, DomainList, Origin, Reason, Status
from w365.service.reading.records import AccountView, Record
from w365.store.reading.decision_log import DecisionView
from w365.store.reading.records import DomainView, SubscriptionView
from w365.store.reading.worklist import Row
from w365.ui.frame.wording import counted, full_time

_MOST_DOMAINS = 4


@dataclass(frozen=True, slots=True)
class Fact:
    """A field of an account. `differs` is None where the provider says nothing to compare it with."""

    label: str
    value: str
    differs: bool | None = None


def compare_account(record: Record, account: AccountView) -> tuple[Fact, ...]:
    """Put the account's fields beside what the provider says."""
    hit = account.hit
    facts = (
        Fact("Name", hit.name, fold_name(hit.name) != fold_name(record.row.name)),
        _domains(record, account),
        Fact("Country", hit.country, _countries_differ(record.country, hit.country)),
        Fact("City", hit.city),
        Fact("Account number", hit.number),
        Fact("Website", _without_scheme(account.website)),
        Fact("Contacts", f"{account.contacts:,}"),
    )
    return facts[:1] + tuple(fact for fact in facts[1:] if fact.value)


def _without_scheme(website: str) -> str:
    return website.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")


def _domains(record: Record, account: AccountView) -> Fact:
    own = {domain.name for domain in record.domains if domain.kind in _NAMED and not domain.listed}
    shown = sorted(account.domains, key=lambda name: (name not in own, name))
    more = len(shown) - _MOST_DOMAINS
    value = ", ".join(shown[:_MOST_DOMAINS]) + (f" and {more:,} more" if more > 0 else "")
    return Fact("Domains", value or "none", own.isdisjoint(shown) if own and shown else None)


def _countries_differ(provider: str, crm: str) -> bool | None:
    """Compare codes with codes; a code beside a written-out name says nothing."""
    if not provider or not crm or (len(provider) == 2) != (len(crm) == 2):
        return None
    return provider.casefold() != crm.casefold()


_NAMED = (DomainKind.OWN_NAME, DomainKind.TYPED)


def say_domain(domain: DomainView) -> str:
    """Say what a domain of the customer is worth and how many accounts use it."""
    parts = ["default"] if domain.is_default else []
    if not domain.is_verified and domain.kind != DomainKind.TYPED:
        parts.append("not verified")
    if domain.kind == DomainKind.TYPED and domain.is_verified:
        parts.append("typed there, counts as proof")
    elif domain.kind == DomainKind.TYPED:
        parts.append("typed there, only suggests")
    elif domain.kind != DomainKind.OWN_NAME:
        parts.append(DOMAIN_KIND_WORDS[DomainKind(domain.kind)].lower())
    if domain.listed:
        parts.append(f"listed: {LIST_WORDS[DomainList(domain.listed)].lower()}")
    parts.append(f"on {counted(domain.accounts, 'account')}" if domain.accounts else "on no account")
    return ", ".join(parts)


def say_subscription(subscription: SubscriptionView) -> str:
    return ", ".join(
        part for part in (counted(subscription.quantity, "seat"), subscription.status, subscription.term) if part
    )


def say_state(record: Record) -> str:
    """Say why the row stands as it does: the reason a person gave, or why nobody is mapped and what to do."""
    row = record.row
    if row.status in (Status.EXCLUDED, Status.PARKED):
        return record.disposition_reason
    if row.status is Status.MAPPED:
        return ""
    if row.disposition is Disposition.HELD:
        return SAY_HELD
    if row.status is Status.CONFLICT:
        return why_not(row.reason, ())
    if row.reason is Reason.RULE:
        return say_reason(row.reason, account=row.candidate_name)
    return why_not(row.reason, _blamed(record), _nearest(record))


def _blamed(record: Record) -> list[str]:
    """The domains that the reason is about."""
    lists = {
        Reason.FREE_MAIL: (DomainList.FREE_MAIL,),
        Reason.BLOCKED_DOMAIN: (DomainList.EXCLUDED, DomainList.PARTNER),
        Reason.SHARED_DOMAIN: (DomainList.SHARED,),
    }
    reason = record.row.reason
    named = [domain for domain in record.domains if domain.kind in _NAMED and not domain.listed]
    if reason is Reason.NO_ACCOUNT:
        return [domain.name for domain in named if domain.is_verified]
    if reason is Reason.FREE_TEXT:
        return [domain.name for domain in named if domain.kind == DomainKind.TYPED]
    if reason is Reason.UNREAD_FIELD:
        return [f"{domain.name} (at {domain.unread_at})" for domain in named if domain.is_verified and domain.unread_at]
    return [domain.name for domain in record.domains if domain.listed in lists.get(reason, ())]


def _nearest(record: Record) -> Nearest | None:
    best = next((candidate for candidate in record.candidates if candidate.hit.score is not None), None)
    if best is None or best.hit.score is None:
        return None
    return Nearest(best.hit.name, best.hit.score, best.contacts, best.domains)


def say_decision(decision: DecisionView) -> str:
    """Say what was decided, from what to what, and why."""
    parts = [DECISION_WORDS[decision.kind]]
    if decision.old_account and decision.account and decision.old_account != decision.account:
        parts.append(f"{decision.old_account} → {decision.account}")
    elif decision.account or decision.old_account:
        parts.append(decision.account or decision.old_account)
    if decision.origin:
        parts.append(ORIGIN_WORDS[Origin(decision.origin)])
    if decision.undoes:
        parts.append(f"undo of decision {decision.undoes}")
    if decision.reason:
        parts.append(f"“{decision.reason}”")
    return " · ".join(parts)


def say_settled(row: Row) -> str:
    """Say how a row stands now that it was decided."""
    if row.status is Status.MAPPED:
        return f"{row.name}: mapped to {row.account_name}"
    return f"{row.name}: {STATUS_WORDS[row.status].lower()}"


def say_when(decision: DecisionView, zone: dt.tzinfo) -> str:
    run = f", run {decision.run_id}" if decision.run_id else ""
    return f"{full_time(decision.at, zone)}, {decision.actor}{run}"


def say_since(decision: DecisionView, later: DecisionView, zone: dt.tzinfo) -> str:
    """Say why a decision cannot be taken back: it was, or what came `later` holds now."""
    what = "Taken back" if later.undoes == decision.id else "Cannot be undone: decided again"
    return f"{what} {say_when(later, zone)}"
