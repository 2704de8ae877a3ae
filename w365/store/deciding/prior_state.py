"""What held before a decision, kept with it so that it can be taken back. Of an open, unmapped row nothing is."""

from __future__ import annotations

import functools

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.matching.evidence import KEPT_STATEMENTS, NO_VALUES, Values

Made = sa.Select[int, int]
"""(decision, provider account) of decisions just appended, whose change is not made yet."""

JUST: Made = sa.select(
    sa.bindparam("made", type_=t.Id).label("decision_id"),
    sa.bindparam("row", type_=t.Id).label("provider_account_id"),
)
"""The one decision `made` for a `row`."""


def keep_standing(connection: sa.Connection, decisions: Made, values: Values = NO_VALUES) -> None:
    """Keep mapping and disposition as they are now."""
    connection.execute(_keeping(decisions), values or None)


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _keeping(decisions: Made) -> sa.Insert:
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
    return sa.insert(t.StandingBefore).from_select(list(values), now)


def keep_rejection(
    connection: sa.Connection, decision_id: int, provider_account_id: int, account_id: int, *, is_rejected: bool
) -> None:
    """Keep that a decision makes or ends a rejection; nothing is kept of one that was none and becomes none."""
    was = connection.scalar(_REJECTED_BY, {"row": provider_account_id, "account": account_id})
    if was is None and not is_rejected:
        return
    becomes = decision_id if is_rejected else None
    values = {"decision_id": decision_id, "account_id": account_id}
    connection.execute(_KEEP_REJECTION, {**values, "was_decision_id": was, "is_decision_id": becomes})


_REJECTED_BY = sa.select(t.Rejection.decision_id).where(
    t.Rejection.provider_account_id == sa.bindparam("row"), t.Rejection.account_id == sa.bindparam("account")
)
_KEEP_REJECTION = sa.insert(t.RejectionChange)
