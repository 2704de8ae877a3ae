"""Which decisions people took: one rule for what the Activity page lists and what the statistics count."""

from __future__ import annotations

import sqlalchemy as sa

from w365.model import DecisionKind, RunKind
from w365.store import tables as t

_CONFIRMED = (RunKind.BULK, RunKind.UNDO, RunKind.MAPPING_IMPORT)
"""Runs that do what a person saw in a preview and confirmed."""


def is_by_hand() -> sa.ColumnElement[bool]:
    """Whether a person took a decision: on one row, or on many by a run that they confirmed.

    What a match mapped is not by hand, nor is the return of a parked row, which the calendar decides. A customer that
    was created, or was expected, for an account is mapped as the person said who asked for it: that is by hand.
    """
    decision = t.Decision
    confirmed = sa.select(t.Run.id).where(t.Run.kind.in_(_CONFIRMED))
    is_taken = sa.or_(decision.run_id.is_(None), decision.run_id.in_(confirmed))
    return sa.and_(is_taken, decision.kind != DecisionKind.RETURN)
