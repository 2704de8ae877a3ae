"""What held before a decision, kept with it so that it can be taken back. Of an open, unmapped row nothing is."""

from __future__ import annotations

import sqlalchemy as sa

from w365.store import tables as t

Made = sa.Select[int, int]
"""(decision, provider account) of decisions just appended, whose change is not made yet."""


def just(decision_id: int, provider_account_id: int) -> Made:
    return sa.select(
        sa.literal(decision_id, t.Id).label("decision_id"),
        sa.literal(provider_account_id, t.Id).label("provider_account_id"),
    )


def keep_standing(connection: sa.Connection, decisions: Made) -> None:
    """Keep mapping and disposition as they are now."""
    made, mapping, order = decisions.subquery("made"), t.Mapping, t.StandingOrder
    values = {
        "decision_id": made.c.decision_id,
        "account_id": mapping.account_id,
        "origin": sa.func.coalesce(mapping.origin, ""),
        "mapping_decision_id": mapping.decision_id,
        "against_evidence": sa.func.coalesce(mapping.against_evidence, sa.false()),
        "disposition": sa.func.coalesce(order.kind, "open"),
        "reason": sa.func.coalesce(order.reason, ""),
        "until": order.until,
        "order_decision_id": order.decision_id,
    }
    now = (
        sa.select(*values.values())
        .outerjoin_from(made, mapping, mapping.provider_account_id == made.c.provider_account_id)
        .outerjoin(order, order.provider_account_id == made.c.provider_account_id)
        .where(sa.or_(mapping.account_id.is_not(None), order.kind.is_not(None)))
    )
    connection.execute(sa.insert(t.StandingBefore).from_select(list(values), now))


def keep_rejection(
    connection: sa.Connection, decision_id: int, provider_account_id: int, account_id: int, *, is_rejected: bool
) -> None:
    """Keep that a decision makes or ends a rejection; nothing is kept of one that was none and becomes none."""
    pair = (t.Rejection.provider_account_id == provider_account_id) & (t.Rejection.account_id == account_id)
    was = connection.scalar(sa.select(t.Rejection.decision_id).where(pair))
    if was is None and not is_rejected:
        return
    becomes = decision_id if is_rejected else None
    values = {"decision_id": decision_id, "account_id": account_id}
    connection.execute(sa.insert(t.RejectionChange).values(**values, was_decision_id=was, is_decision_id=becomes))
