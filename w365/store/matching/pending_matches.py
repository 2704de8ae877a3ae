"""What the next match would map, for a look at it: read from an index of these rows alone, by name.

`store.matching.proposals.would_map` says it from facts and decisions, and is what is mapped by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.model import MatchPolicy
from w365.store import tables as t
from w365.store.matching.cardinality import any_unique
from w365.store.matching.proposals import breaching_mappings


@dataclass(frozen=True, slots=True)
class WouldMap:
    """A mapping that the next match would write, or one that stands against the policy."""

    provider_account_id: int
    provider_account: str
    provider: str
    account_id: int
    account: str


def count_ready(connection: sa.Connection) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(t.Worklist).where(sa.text(t.READY))) or 0


def list_ready(connection: sa.Connection, limit: int) -> tuple[WouldMap, ...]:
    """List the first that the next match would map."""
    work, proposal = t.Worklist, t.CurrentProposal
    rows = sa.select(work.provider_account_id).where(sa.text(t.READY))
    first = rows.order_by(work.name_key, work.provider_account_id).limit(limit).subquery()
    pairs = sa.select(first.c.provider_account_id, proposal.account_id).join(
        proposal, proposal.provider_account_id == first.c.provider_account_id
    )
    return _list_named(connection, pairs, limit)


def list_breaching(connection: sa.Connection, policy: MatchPolicy, limit: int) -> tuple[WouldMap, ...]:
    """List the first mappings that share their account against the policy (product rule 7)."""
    return _list_named(connection, breaching_mappings(policy), limit) if any_unique(connection, policy) else ()


def _list_named(connection: sa.Connection, pairs: sa.Select[*tuple[Any, ...]], limit: int) -> tuple[WouldMap, ...]:
    """List the first of these pairs of provider account and account, by name."""
    pair, pa, account = pairs.subquery().c, t.ProviderAccount, t.Account
    query = (
        sa.select(pair.provider_account_id, pa.name, t.Provider.name, pair.account_id, account.name)
        .join(pa, pa.id == pair.provider_account_id)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .join(account, account.id == pair.account_id)
        .order_by(pa.name_key, pair.provider_account_id)
        .limit(limit)
    )
    return tuple(WouldMap(*row) for row in connection.execute(query))
