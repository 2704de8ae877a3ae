"""The rule that an automatic mapping is counted by, where several supported it."""

from __future__ import annotations

import sqlalchemy as sa

from w365.model import Rule
from w365.store import tables as t

RULES = (Rule.TENANT_GUID, Rule.CONTACT_DOMAIN, Rule.ACCOUNT_EMAIL, Rule.ACCOUNT_WEBSITE)
"""An automatic mapping belongs to the first of these that supported it."""


def first_rule() -> sa.ScalarSelect[int]:
    """The place in RULES of the first rule that supports a `mapping`; NULL where no evidence was kept."""
    evidence = t.DecisionEvidence
    rank = sa.case(*((evidence.rule == rule, place) for place, rule in enumerate(RULES)))
    return sa.select(sa.func.min(rank)).where(evidence.decision_id == t.Mapping.decision_id).scalar_subquery()
