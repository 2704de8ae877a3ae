"""What the rules alone propose, as one statement over the evidence (product rules 1 to 4).

Cardinality and guards come after it (`store.matching.proposals`).
"""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa

from w365.model import MatchPolicy, Proposal, Reason
from w365.store import tables as t
from w365.store.matching.evidence import KEPT_STATEMENTS, WITHOUT_FACTS, Which, Worth, is_in, reach_of, worth_literal
from w365.store.matching.relations import is_live, is_usable


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def propose_by_rules(policy: MatchPolicy, which: Which) -> sa.Select[*tuple[Any, ...]]:
    """Select provider account, kind, reason, the account if one alone is supported, and how many live ones are."""
    support = _support(policy, which).c
    unread = sa.literal(Reason.UNREAD_FIELD.value)
    kind = sa.case(
        (support.open == 0, sa.literal(Proposal.NONE.value)),
        (support.live == 1, sa.literal(Proposal.ONE.value)),
        else_=sa.literal(Proposal.CONFLICT.value),
    )
    reason = sa.case(
        (sa.and_(support.live > 0, support.open == 0), sa.literal(Reason.REJECTED.value)),
        (support.live == 1, sa.literal(Reason.RULE.value)),
        (support.live > 1, sa.literal(Reason.SEVERAL_ACCOUNTS.value)),
        (support.facts > 0, sa.literal(Reason.INACTIVE_ACCOUNT.value)),
        (sa.and_(support.worth == worth_literal(Worth.USABLE), _is_unread(support.provider_account_id)), unread),
        *((support.worth == worth_literal(worth), sa.literal(reason.value)) for worth, reason in WITHOUT_FACTS.items()),
        else_=sa.literal(Reason.NO_DOMAIN.value),
    )
    only = sa.case((sa.and_(support.live == 1, support.open > 0), support.only))
    return sa.select(support.provider_account_id, kind, reason, only, support.live)


def _support(policy: MatchPolicy, which: Which) -> sa.Subquery:
    """What speaks for each provider account; who has no domain is there too.

    `live` accounts are supported, one of them is `only`; `open` counts facts of live accounts that nobody rejected.
    """
    reach, rejection, nothing = reach_of(policy, which).subquery("reach"), t.Rejection, sa.cast(sa.null(), t.Id)
    of_rejection = sa.and_(
        rejection.provider_account_id == reach.c.provider_account_id, rejection.account_id == reach.c.account_id
    )
    live_account = sa.case((_is_of_live(reach.c.account_id, which), reach.c.account_id)).label("live_account_id")
    columns = (reach.c.provider_account_id, reach.c.worth, reach.c.account_id, live_account)
    led = sa.select(*columns, rejection.account_id.label("rejected")).outerjoin(rejection, of_rejection)
    everyone = sa.select(t.ProviderAccount.id, *[nothing] * 4).where(is_in(which, t.ProviderAccount.id))
    row = sa.union_all(led, everyone).subquery("told").c
    return (
        sa.select(
            row.provider_account_id,
            sa.func.max(row.worth).label("worth"),
            sa.func.count(row.account_id).label("facts"),
            sa.func.count(sa.distinct(row.live_account_id)).label("live"),
            sa.func.count(sa.case((row.rejected.is_(None), row.live_account_id))).label("open"),
            sa.func.min(row.live_account_id).label("only"),
        )
        .group_by(row.provider_account_id)
        .subquery("support")
    )


def _is_unread(provider_account_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether a field of an account that has no one reading may mean a usable domain of the customer."""
    pad, unread, account = t.ProviderAccountDomain, t.UnreadDomain, t.Account
    rows = sa.select(unread.domain).join(account, account.id == unread.account_id).where(~account.is_deleted)
    return (
        rows.join(pad, pad.domain == unread.domain)
        .where(pad.provider_account_id == provider_account_id, is_usable())
        .exists()
    )


def _is_of_live(account_id: sa.ColumnElement[int], which: Which) -> sa.ColumnElement[bool]:
    """Of all rows the few accounts that are not are found once; of some rows each account is looked up."""
    account = t.Account
    lost = sa.select(account.id).where(~is_live())
    return account_id.not_in(lost) if which is None else ~lost.where(account.id == account_id).exists()
