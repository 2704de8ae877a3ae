"""CRM accounts to choose from, and the stored candidates among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.db.bound_ids import IDS


@dataclass(frozen=True, slots=True)
class Hit:
    """An account to choose from. `used_by` names a provider account it is mapped to where the policy is unique."""

    account_id: int
    name: str
    number: str
    city: str
    country: str
    domain: str
    is_active: bool
    score: float | None = None
    reasons: tuple[str, ...] = ()
    used_by: str = ""
    is_guess: bool = False  # what was typed is taken for a typing error
    crm_id: str = ""

    @property
    def about(self) -> str:
        """What tells it from another of its name."""
        return " · ".join(part for part in (self.number, self.domain, self.city, self.country) if part)


@dataclass(frozen=True, slots=True)
class Score:
    """How likely a candidate is, from 0 to 1, and why in words."""

    score: float
    reasons: tuple[str, ...]


def read_hits(connection: sa.Connection, account_ids: Sequence[int]) -> dict[int, Hit]:
    """Read these accounts by id, in no order; deleted ones are left out."""
    return {row.account_id: Hit(**row) for row in connection.execute(_HITS, {"ids": list(account_ids)}).mappings()}


def read_scores(connection: sa.Connection, provider_account_id: int) -> dict[int, Score]:
    """Read the stored candidates of a provider account, the likeliest first: account -> score."""
    rows = connection.execute(_SCORES, {"row": provider_account_id})
    return {row.account_id: Score(row.score, tuple(text for _, _, text in row.signals)) for row in rows}


_HITS = sa.select(
    t.Account.id.label("account_id"),
    t.Account.name,
    t.Account.number,
    t.Account.city,
    t.Account.country,
    sa.case((t.Account.website_domain != "", t.Account.website_domain), else_=t.Account.email_domain).label("domain"),
    t.Account.is_active,
    t.Account.crm_id,
).where(t.Account.id.in_(IDS), ~t.Account.is_deleted)
_SCORES = (
    sa.select(t.CurrentCandidate.account_id, t.CurrentCandidate.score, t.CurrentCandidate.signals)
    .where(t.CurrentCandidate.provider_account_id == sa.bindparam("row", type_=t.Id))
    .order_by(t.CurrentCandidate.rank)
)
