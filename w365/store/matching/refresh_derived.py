"""Proposals and grid rows made to agree with facts and decisions, for all rows or some."""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa

from w365.model import Disposition, MatchPolicy, Proposal, Reason
from w365.store import tables as t
from w365.store.db.bulk_insert import write_differing
from w365.store.matching.drift import drift_of
from w365.store.matching.evidence import KEPT_STATEMENTS, NO_VALUES, Values, Which
from w365.store.matching.proposals import refresh_proposals, with_rivals
from w365.store.tables import LIVE_STATUSES, Ownership


def refresh_with_rivals(
    connection: sa.Connection, policy: MatchPolicy, which: Which, values: Values = NO_VALUES
) -> None:
    """Make proposals and grid rows of these provider accounts, and of their rivals, agree with facts and decisions.

    `values` are what the selection asks for.
    """
    rows, values = with_rivals(connection, policy, which, values)
    refresh_proposals(connection, policy, rows, values)
    refresh_rows(connection, policy, rows, values)


def refresh_rows(connection: sa.Connection, policy: MatchPolicy, which: Which, values: Values = NO_VALUES) -> None:
    """Bring the given rows (all when None) up to date; rows that stay the same are not written."""
    connection.execute(_refreshing(connection.dialect.name, policy, which), values or None)


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _refreshing(dialect: str, policy: MatchPolicy, which: Which) -> sa.Insert:
    return write_differing(dialect, t.Worklist, *_current(policy, which))


def _current(policy: MatchPolicy, which: Which) -> tuple[list[str], sa.Select[Any]]:
    pa, subscription = t.ProviderAccount, t.ProviderSubscription
    mapping, order, proposal, account, decision = (
        t.Mapping,
        t.StandingOrder,
        t.CurrentProposal,
        t.Account,
        t.Decision,
    )
    live = sa.and_(subscription.provider_account_id == pa.id, subscription.status.in_(LIVE_STATUSES))
    seats = sa.select(sa.func.coalesce(sa.func.sum(subscription.quantity), 0)).where(live).scalar_subquery()
    subscriptions = sa.select(sa.func.count()).where(live).scalar_subquery()
    version = (
        sa.select(sa.func.coalesce(sa.func.max(decision.id), 0))
        .where(decision.provider_account_id == pa.id)
        .scalar_subquery()
    )
    values: dict[str, Any] = {
        "provider_account_id": pa.id,
        "provider_id": pa.provider_id,
        "specific_id": sa.func.substr(pa.specific_id, 1, 400),
        "name_key": pa.name_key,
        "domain_key": sa.func.lower(sa.func.substr(pa.main_domain, 1, 253)),
        "account_id": mapping.account_id,
        "account_key": sa.func.coalesce(account.name_key, ""),
        "disposition": sa.func.coalesce(order.kind, Disposition.OPEN.value),
        "proposal": sa.func.coalesce(proposal.kind, Proposal.NONE.value),
        "reason": sa.func.coalesce(proposal.reason, Reason.NO_DOMAIN.value),
        "seats": seats,
        "subscriptions": subscriptions,
        "is_gone": pa.gone_at.is_not(None),
        "drift": drift_of(policy),
        "version": version,
        "owner": sa.func.coalesce(Ownership.owner, ""),
    }
    rows = (
        sa.select(*values.values())
        .outerjoin_from(pa, mapping, mapping.provider_account_id == pa.id)
        .outerjoin(account, account.id == mapping.account_id)
        .outerjoin(order, order.provider_account_id == pa.id)
        .outerjoin(proposal, proposal.provider_account_id == pa.id)
        .outerjoin(Ownership, Ownership.provider_account_id == pa.id)
        .where(sa.true() if which is None else pa.id.in_(which))
    )
    return list(values), rows
