"""Where evidence points to two places, as set-based SQL over the kept tables. Each statement reads one page.

What is listed comes from conflicting rows, from domains in their index, or from mappings of shared accounts; nothing
here compares every row with every other.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from w365.model import OPEN, MatchPolicy, Proposal, Reason, Rule, Status
from w365.store import tables as t
from w365.store.matching.evidence import facts_of
from w365.store.matching.proposals import breaching_mappings
from w365.store.matching.relations import is_listed, is_live, is_own, is_usable

Groups = sa.Select[*tuple[Any, ...]]
"""One row a group, the greatest effect first, to be cut by limit and offset."""


def contested_domains(policy: MatchPolicy) -> Groups:
    """Select (domain, accounts, rows, seats) of every domain on which several active accounts divide open rows."""
    pairs = _divided(policy, "divided")
    work, account = t.Worklist, t.Account
    accounts = (
        sa.select(pairs.c.domain, sa.func.count(sa.distinct(pairs.c.account_id)).label("accounts"))
        .join(account, account.id == pairs.c.account_id)
        .where(is_live())
        .group_by(pairs.c.domain)
        .having(sa.func.count(sa.distinct(pairs.c.account_id)) > 1)
        .subquery()
    )
    rows = sa.select(pairs.c.domain, pairs.c.provider_account_id).distinct().subquery()
    effect = (
        sa.select(rows.c.domain, sa.func.count().label("rows"), sa.func.sum(work.seats).label("seats"))
        .join(work, work.provider_account_id == rows.c.provider_account_id)
        .group_by(rows.c.domain)
        .subquery()
    )
    return (
        sa.select(accounts.c.domain, accounts.c.accounts, effect.c.rows, effect.c.seats)
        .join(effect, effect.c.domain == accounts.c.domain)
        .order_by(effect.c.rows.desc(), effect.c.seats.desc(), accounts.c.domain)
    )


def rows_divided_by(policy: MatchPolicy, domains: list[str]) -> sa.Select[str, int]:
    """Select (domain, provider account) of the open rows that these domains put in conflict."""
    pairs = _divided(policy, "of_domains", domains)
    return sa.select(pairs.c.domain, pairs.c.provider_account_id).distinct()


def _divided(policy: MatchPolicy, name: str, domains: list[str] | None = None) -> sa.CTE:
    """The evidence of rows in conflict between accounts, by domain; at a glance through the index of the status."""
    work, pad = t.Worklist, t.ProviderAccountDomain
    in_conflict = sa.select(work.provider_account_id).where(
        work.status == Status.CONFLICT, work.reason == Reason.SEVERAL_ACCOUNTS, ~work.is_gone
    )
    if domains is not None:
        with_them = sa.select(pad.provider_account_id).where(pad.domain.in_(domains))
        in_conflict = in_conflict.where(work.provider_account_id.in_(with_them))
    facts = facts_of(policy, in_conflict)
    is_among = facts.c.domain != "" if domains is None else facts.c.domain.in_(domains)
    columns = (facts.c.domain, facts.c.provider_account_id, facts.c.account_id)
    return sa.select(*columns).where(is_among).distinct().cte(name)


def domains_of_several_customers() -> Groups:
    """Select (domain, customers, rows, seats) of own, verified, unlisted domains that different customers have.

    Two provider accounts of one provider are different customers, and so are two with different tenant GUIDs; one
    customer at two providers is not.
    """
    pad, pa, work = t.ProviderAccountDomain, t.ProviderAccount, t.Worklist
    twice = sa.select(pad.domain).group_by(pad.domain).having(sa.func.count() > 1).subquery()  # from the index alone
    is_open = work.status.in_(OPEN)
    customers = sa.func.count()
    return (
        sa.select(
            pad.domain,
            customers.label("customers"),
            sa.func.count(sa.case((is_open, 1))).label("rows"),
            sa.func.coalesce(sa.func.sum(sa.case((is_open, work.seats))), 0).label("seats"),
        )
        .join_from(twice, pad, pad.domain == twice.c.domain)
        .join(pa, pa.id == pad.provider_account_id)
        .join(work, work.provider_account_id == pa.id)
        .where(
            is_usable(),
            pa.gone_at.is_(None),
            work.status != Status.EXCLUDED,
        )
        .group_by(pad.domain)
        .having(
            sa.or_(
                customers > sa.func.count(sa.distinct(pa.provider_id)),
                sa.func.count(sa.distinct(sa.func.nullif(pa.tenant_guid, ""))) > 1,
            )
        )
        .order_by(sa.desc("rows"), sa.desc("customers"), pad.domain)
    )


def customers_of(domains: list[str]) -> sa.Select[str, int]:
    """Select (domain, provider account) of the customers that `domains_of_several_customers` counts."""
    pad, pa, work = t.ProviderAccountDomain, t.ProviderAccount, t.Worklist
    return (
        sa.select(pad.domain, pa.id)
        .join(pa, pa.id == pad.provider_account_id)
        .join(work, work.provider_account_id == pa.id)
        .where(
            pad.domain.in_(domains),
            is_own(),
            pa.gone_at.is_(None),
            work.status != Status.EXCLUDED,
        )
    )


def accounts_against_policy(policy: MatchPolicy) -> Groups:
    """Select (account, rows, seats) of accounts that more rows hold or want than the policy allows."""
    claims = claims_against_policy(policy).subquery()
    work = t.Worklist
    return (
        sa.select(claims.c.account_id, sa.func.count().label("rows"), sa.func.sum(work.seats).label("seats"))
        .join(work, work.provider_account_id == claims.c.provider_account_id)
        .group_by(claims.c.account_id)
        .order_by(sa.desc("rows"), sa.desc("seats"), claims.c.account_id)
    )


def claims_against_policy(policy: MatchPolicy) -> sa.CompoundSelect[int, int]:
    """Select (provider account, account): mappings in breach, rows that lost to a mapping or to each other."""
    work, proposal = t.Worklist, t.CurrentProposal
    lost = (
        sa.select(work.provider_account_id, proposal.account_id)
        .join(proposal, proposal.provider_account_id == work.provider_account_id)
        .where(
            work.status == Status.CONFLICT,
            work.reason.in_((Reason.CONTESTED, Reason.ACCOUNT_TAKEN)),
            ~work.is_gone,
            proposal.kind == Proposal.CONFLICT,
            proposal.account_id.is_not(None),
        )
    )
    return sa.union(breaching_mappings(policy), lost)


def suspected_domains(policy: MatchPolicy) -> Groups:
    """Select (domain, accounts, rows, seats) of unlisted domains that contacts of suspiciously many accounts use.

    From the threshold on a domain is shared by itself and maps nothing; from half of it (three at least) it is shown.
    """
    ad, pad, work = t.AccountDomain, t.ProviderAccountDomain, t.Worklist
    least = max(3, policy.shared_threshold // 2)
    frequent = (
        sa.select(ad.domain, sa.func.count().label("accounts"))
        .where(ad.rule == Rule.CONTACT_DOMAIN, ~is_listed(ad.domain))
        .group_by(ad.domain)
        .having(sa.func.count() >= least)
        .subquery()
    )
    is_open = sa.and_(work.status.in_(OPEN), ~work.is_gone)
    rows = sa.func.count(sa.case((is_open, 1)))
    seats = sa.func.coalesce(sa.func.sum(sa.case((is_open, work.seats))), 0)
    return (
        sa.select(frequent.c.domain, frequent.c.accounts, rows.label("rows"), seats.label("seats"))
        .outerjoin(pad, pad.domain == frequent.c.domain)
        .outerjoin(work, work.provider_account_id == pad.provider_account_id)
        .group_by(frequent.c.domain, frequent.c.accounts)
        .order_by(sa.desc("rows"), frequent.c.accounts.desc(), frequent.c.domain)
    )


def users_of(policy: MatchPolicy, domains: list[str], most: int) -> sa.Select[*tuple[Any, ...]]:
    """Select (domain, account, contacts, rules) of the first accounts on each of these domains, most contacts first."""
    ad, account = t.AccountDomain, t.Account
    used = (
        sa.select(
            ad.domain,
            ad.account_id,
            sa.func.sum(ad.contacts).label("contacts"),
            sa.func.row_number()
            .over(partition_by=ad.domain, order_by=(sa.func.sum(ad.contacts).desc(), ad.account_id))
            .label("place"),
        )
        .join(account, account.id == ad.account_id)
        .where(ad.domain.in_(domains), ad.rule.in_(policy.rules), is_live())
        .group_by(ad.domain, ad.account_id)
        .subquery()
    )
    return (
        sa.select(used.c.domain, used.c.account_id, account.name, account.number, account.city, ad.rule, ad.contacts)
        .join(account, account.id == used.c.account_id)
        .join(ad, (ad.domain == used.c.domain) & (ad.account_id == used.c.account_id))
        .where(used.c.place <= most, ad.rule.in_(policy.rules))
        .order_by(used.c.domain, used.c.place, ad.rule)
    )
