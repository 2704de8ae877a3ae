"""Drift: mappings that the evidence no longer supports. Derived like the status, flagged, never changed (feature B14).

A person may map against the evidence; that is noted with the mapping and is no drift. Deciding a drifted row again for
the same account says the same.
"""

from __future__ import annotations

import sqlalchemy as sa

from w365.model import Drift, MatchPolicy, Origin, Reason
from w365.store import tables as t
from w365.store.matching.evidence import supports_mapped
from w365.store.matching.relations import is_live


def drift_of(policy: MatchPolicy) -> sa.ColumnElement[str]:
    """How a mapping drifted, beside provider account, mapping, mapped account and proposal (all but the first outer).

    The proposal answers for nearly all rows; only where it names no account is the evidence asked.
    """
    mapping, proposal = t.Mapping, t.CurrentProposal
    is_supported = sa.case(
        (proposal.account_id == mapping.account_id, sa.true()),
        (sa.func.coalesce(proposal.accounts, 0) == 0, sa.false()),
        else_=supports_mapped(policy),
    )
    others = sa.and_(proposal.accounts > 0, proposal.reason != Reason.REJECTED)
    return sa.case(
        (mapping.account_id.is_(None), sa.literal(Drift.NONE.value)),
        (~is_live(), sa.literal(Drift.ACCOUNT_GONE.value)),
        (sa.or_(mapping.against_evidence, is_supported), sa.literal(Drift.NONE.value)),
        (others, sa.literal(Drift.ELSEWHERE.value)),
        (mapping.origin == Origin.AUTO, sa.literal(Drift.UNSUPPORTED.value)),
        else_=sa.literal(Drift.NONE.value),
    )
