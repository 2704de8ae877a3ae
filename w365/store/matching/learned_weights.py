"""What people decided, as far as weights can be learned from it, and the weights that runs learned."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.matching.weights import DELIVERED, Learned, Weights
from w365.model import Origin
from w365.store import tables as t
from w365.store.db.bound_ids import IDS

USES_LEARNED = "learned_weights"
"""The setting that switches learned weights on."""
MOST_DECISIONS = 10_000
"""The newest are learned from: customers and the CRM of years ago say little of today's."""


@dataclass(frozen=True, slots=True)
class LearnedView:
    """One run's learning: how many decisions, and of those held out the share with the right account first."""

    id: int
    run_id: int
    at: dt.datetime
    actor: str
    decisions: int
    right_before: float
    right_after: float
    is_used: bool
    weights: Weights


def read_decided(connection: sa.Connection) -> list[int]:
    """Read for which provider accounts a person chose or rejected an account, the newest decisions first."""
    chosen = sa.select(t.Mapping.provider_account_id, t.Mapping.decision_id).where(t.Mapping.origin == Origin.MANUAL)
    rejected = sa.select(t.Rejection.provider_account_id, t.Rejection.decision_id)
    both = sa.union_all(chosen, rejected).subquery().c
    newest = sa.select(both.provider_account_id).group_by(both.provider_account_id)
    return list(connection.scalars(newest.order_by(sa.func.max(both.decision_id).desc()).limit(MOST_DECISIONS)))


def read_chosen(connection: sa.Connection, ids: Sequence[int]) -> dict[int, int]:
    """Read which account a person chose: provider account -> account."""
    return {row.provider_account_id: row.account_id for row in connection.execute(_CHOSEN, {"ids": ids})}


def add_learned(
    connection: sa.Connection, run_id: int, actor: str, at: dt.datetime, learned: Learned, *, is_used: bool
) -> None:
    weights = {"start": learned.weights.start, "times": dict(learned.weights.times)}
    row = {"run_id": run_id, "actor": actor, "at": at, "decisions": learned.decisions, "is_used": is_used}
    row |= {"right_before": learned.right_before, "right_after": learned.right_after}
    connection.execute(sa.insert(t.LearnedWeights).values(**row, weights=json.dumps(weights)))


def withdraw_learned(connection: sa.Connection, learned_id: int) -> bool:
    """Use these weights no more; what was used before them is used again. False where they are not in use."""
    table = t.LearnedWeights
    taken_back = sa.update(table).where(table.id == learned_id, table.is_used).values(is_used=False)
    return connection.execute(taken_back).rowcount > 0


def list_learned(connection: sa.Connection, limit: int = 20) -> list[LearnedView]:
    """Read what was learned, the newest first."""
    return [_view(row) for row in connection.execute(_NEWEST.limit(limit))]


def read_weights(connection: sa.Connection) -> Weights:
    """Read the weights in use: the newest that are better, while the setting is on, or those delivered."""
    if connection.scalar(_IS_OFF) is not None:
        return DELIVERED
    row = connection.execute(_NEWEST.where(t.LearnedWeights.is_used).limit(1)).one_or_none()
    return _view(row).weights if row else DELIVERED


_CHOSEN = sa.select(t.Mapping.provider_account_id, t.Mapping.account_id).where(
    t.Mapping.provider_account_id.in_(IDS), t.Mapping.origin == Origin.MANUAL
)
_IS_OFF = sa.select(t.Setting.value).where(t.Setting.name == USES_LEARNED, t.Setting.value == "false")
_COLUMNS = ("id", "run_id", "at", "actor", "decisions", "right_before", "right_after", "is_used", "weights")
_NEWEST = sa.select(*(getattr(t.LearnedWeights, name) for name in _COLUMNS)).order_by(t.LearnedWeights.id.desc())


def _view(row: sa.Row[*tuple[object, ...]]) -> LearnedView:
    values = dict(zip(_COLUMNS, row, strict=True))
    kept = json.loads(str(values.pop("weights")))
    return LearnedView(**values, weights=Weights(kept["times"], kept["start"]))  # type: ignore[arg-type]
