"""The evidence relation: which customer leads to which CRM account, by which rule and domain (product rules 1 to 4).

It is the join of `provider_account_domain` with `account_domain`; proposals, explanations and drift all read this one.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from w365.model import DomainList, Evidence, MatchPolicy, Reason, Rule
from w365.store import tables as t
from w365.store.db.bound_ids import IDS
from w365.store.db.bulk_insert import chunks
from w365.store.matching.relations import is_live, is_named, is_own, is_usable

_DOMAIN_RULES = (Rule.CONTACT_DOMAIN, Rule.ACCOUNT_EMAIL, Rule.ACCOUNT_WEBSITE)

Which = sa.Select[int] | None
"""Which provider accounts to look at: a selection of ids, or None for all.

Statements on a selection are kept by its identity: to build one costs more than to ask it of a few rows. Who asks often
gives the same object each time, and what differs as values beside it.
"""

Values = Mapping[str, Any]
NO_VALUES: Values = {}

THOSE = sa.select(t.ProviderAccount.id).where(t.ProviderAccount.id.in_(IDS))
"""The provider accounts of these ids."""

KEPT_STATEMENTS = 64

Among = Which | Sequence[int] | sa.BindParameter[int]


def is_in(which: Among, column: sa.SQLColumnExpression[int]) -> sa.ColumnElement[bool]:
    """Whether a column is one of the ids; None is all of them."""
    return sa.true() if which is None else column.in_(which)


def evidence_of(
    connection: sa.Connection, policy: MatchPolicy, provider_account_ids: Sequence[int]
) -> Mapping[int, Mapping[int, tuple[Evidence, ...]]]:
    """Read the evidence of some provider accounts: provider account -> account -> facts, inactive accounts included."""
    evidence: dict[int, dict[int, tuple[Evidence, ...]]] = {}
    for part in chunks(provider_account_ids, 500):
        for row in connection.execute(_facts_in_order(policy), {"ids": part}):
            per_account = evidence.setdefault(row.provider_account_id, {})
            fact = Evidence(Rule(row.rule), row.domain, row.contacts, row.example)
            per_account[row.account_id] = (*per_account.get(row.account_id, ()), fact)
    return evidence


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _facts_in_order(policy: MatchPolicy) -> sa.Select[*tuple[Any, ...]]:
    facts = facts_of(policy, IDS)
    return sa.select(facts).order_by(facts.c.provider_account_id, facts.c.account_id, facts.c.rule, facts.c.domain)


class Worth(enum.IntEnum):
    """What a domain of a customer is worth, in the order in which reasons are given: its best one counts."""

    SERVICE = 0
    TYPED = 1
    FREE_MAIL = 2
    BLOCKED = 3
    SHARED = 4
    USABLE = 5


_LISTED = {
    DomainList.FREE_MAIL: Worth.FREE_MAIL,
    DomainList.EXCLUDED: Worth.BLOCKED,
    DomainList.PARTNER: Worth.BLOCKED,
    DomainList.SHARED: Worth.SHARED,
}

WITHOUT_FACTS = {
    Worth.USABLE: Reason.NO_ACCOUNT,
    Worth.SHARED: Reason.SHARED_DOMAIN,
    Worth.BLOCKED: Reason.BLOCKED_DOMAIN,
    Worth.FREE_MAIL: Reason.FREE_MAIL,
    Worth.TYPED: Reason.FREE_TEXT,
    Worth.SERVICE: Reason.SERVICE_DOMAIN,
}


def _worth(is_shared: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Of a domain joined with the list it may be on."""
    on_list = sa.case(*((t.ListedDomain.list == name, worth_literal(worth)) for name, worth in _LISTED.items()))
    return sa.case(
        (sa.not_(is_named()), worth_literal(Worth.SERVICE)),
        (t.ListedDomain.domain.is_not(None), on_list),
        (sa.not_(is_own()), worth_literal(Worth.TYPED)),
        (is_shared, worth_literal(Worth.SHARED)),
        else_=worth_literal(Worth.USABLE),
    )


def worth_literal(worth: Worth) -> sa.ColumnElement[int]:
    return sa.literal_column(str(worth.value), sa.Integer())


def _shared(policy: MatchPolicy) -> sa.Subquery:
    """Domains that contacts of at least `shared_threshold` accounts use, found by one walk along the index."""
    ad = t.AccountDomain
    by_contacts = sa.select(ad.domain).where(ad.rule == Rule.CONTACT_DOMAIN).group_by(ad.domain)
    return by_contacts.having(sa.func.count() >= policy.shared_threshold).subquery("shared")


def _is_shared(policy: MatchPolicy) -> sa.ColumnElement[bool]:
    """The same asked of one domain; it costs at most `shared_threshold` steps of an index."""
    ad, domain = t.AccountDomain, t.ProviderAccountDomain.domain
    if policy.shared_threshold <= 0:
        return sa.false()
    users = sa.select(ad.account_id).where(ad.domain == domain, ad.rule == Rule.CONTACT_DOMAIN)
    return sa.exists(users.correlate(t.ProviderAccountDomain).offset(policy.shared_threshold - 1).limit(1))


def reach_of(policy: MatchPolicy, which: Among) -> sa.Select[*tuple[Any, ...]] | sa.CompoundSelect[*tuple[Any, ...]]:
    """Every domain of these provider accounts with its worth, and what it leads to: the evidence relation's outer join.

    A domain that leads nowhere stays, so that the reason can be told from it; inactive accounts are included. Asked of
    all provider accounts it is one walk along two indexes, both in the order of domains.
    """
    pad, ad, listed = t.ProviderAccountDomain, t.AccountDomain, t.ListedDomain
    of_all = sa.outerjoin(pad, listed, sa.and_(listed.domain == pad.domain, is_named()))
    is_shared = _is_shared(policy)
    if which is None and policy.shared_threshold > 0:  # asked once, where `worth` stands twice
        shared = _shared(policy)
        of_all, is_shared = of_all.outerjoin(shared, shared.c.domain == pad.domain), shared.c.domain.is_not(None)
    worth = _worth(is_shared)
    leads_to = [
        ad.domain == pad.domain,
        ad.rule.in_([rule for rule in _DOMAIN_RULES if rule in policy.rules]),
        worth == worth_literal(Worth.USABLE),
    ]
    by_guid = Rule.TENANT_GUID in policy.rules
    if by_guid:
        leads_to.append(pad.provider_account_id.not_in(_led_by_guid(which)))
    domains = (
        sa.select(
            *(pad.provider_account_id, worth.label("worth")),
            *(ad.account_id, ad.rule, ad.domain, ad.contacts, ad.example),
        )
        .select_from(of_all.outerjoin(ad, sa.and_(*leads_to)))
        .where(is_in(which, pad.provider_account_id))
    )
    return sa.union_all(domains, _guids(which)) if by_guid else domains


def _guids(which: Among) -> sa.Select[*tuple[Any, ...]]:
    pa, nothing = t.ProviderAccount, sa.literal("")
    rule = sa.literal(Rule.TENANT_GUID.value)
    columns = (pa.id, sa.cast(sa.null(), sa.Integer), t.Account.id, rule, nothing, sa.literal(0), nothing)
    return sa.select(*columns).join(t.Account, sa.and_(*_has_guid_of(pa))).where(is_in(which, pa.id))


def _led_by_guid(which: Among) -> sa.Select[int]:
    """Select the provider accounts whose tenant GUID a live account has: their domains need not be asked."""
    pa = t.ProviderAccount
    return sa.select(pa.id).join(t.Account, sa.and_(*_has_guid_of(pa))).where(is_live(), is_in(which, pa.id))


def _has_guid_of(pa: type[t.ProviderAccount]) -> list[sa.ColumnElement[bool]]:
    """The last condition says nothing new, but lets SQLite use the partial index."""
    guid = t.Account.tenant_guid
    return [guid == pa.tenant_guid, guid != ""]


def facts_of(policy: MatchPolicy, which: Among) -> sa.Subquery:
    """The evidence relation: one row a provider account, account, rule and domain. Inactive accounts are included."""
    reach = reach_of(policy, which).subquery()
    return sa.select(reach).where(reach.c.account_id.is_not(None)).subquery("facts")


def supports_mapped(policy: MatchPolicy) -> sa.ColumnElement[bool]:
    """Whether the evidence holds for the live account that the provider account beside it is mapped to.

    For a query on provider account, mapping and account; it looks each row up, so ask it for the doubtful ones only.
    """
    pa, pad, ad, account = t.ProviderAccount, t.ProviderAccountDomain, t.AccountDomain, t.Account
    by_domain = (
        sa.select(ad.domain)
        .join(pad, pad.domain == ad.domain)
        .where(
            pad.provider_account_id == pa.id,
            ad.account_id == t.Mapping.account_id,
            ad.rule.in_([rule for rule in _DOMAIN_RULES if rule in policy.rules]),
            is_usable(),
            ~_is_shared(policy),
        )
        .correlate(pa, t.Mapping)
        .exists()
    )
    if Rule.TENANT_GUID not in policy.rules:
        return by_domain
    twin = sa.orm.aliased(account)
    alone = sa.exists().where(twin.tenant_guid == pa.tenant_guid, is_live(twin)).correlate(pa)
    has_guid = pa.tenant_guid != ""
    return sa.or_(
        sa.and_(has_guid, account.tenant_guid == pa.tenant_guid), sa.and_(~sa.and_(has_guid, alone), by_domain)
    )
