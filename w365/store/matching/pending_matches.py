"""What the next match would map, for a look at it: read from an index of these rows alone, by name.

`store.matching.proposals.would_map` says it from facts and decisions, and is what is mapped by.
"""

from __future__ import annotations

import sqlalchemy as sa

from w365.store import tables as t


def count_ready(connection: sa.Connection) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(t.Worklist).where(sa.text(t.READY))) or 0


def first_ready(limit: int) -> sa.Select[int, int | None]:
    """Select (provider account, account) of the first of them."""
    work, proposal = t.Worklist, t.CurrentProposal
    rows = sa.select(work.provider_account_id).where(sa.text(t.READY))
    first = rows.order_by(work.name_key, work.provider_account_id).limit(limit).subquery()
    return sa.select(first.c.provider_account_id, proposal.account_id).join(
        proposal, proposal.provider_account_id == first.c.provider_account_id
    )
