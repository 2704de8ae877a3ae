"""Auto-Match: write what the proposals of one account lead to, with decisions and evidence, for all rows at once."""

from __future__ import annotations

import datetime as dt
import functools

import sqlalchemy as sa

from w365.model import DecisionKind, MatchPolicy, Origin
from w365.store import tables as t
from w365.store.db.bulk_insert import count_for_planner
from w365.store.matching.evidence import KEPT_STATEMENTS, facts_of
from w365.store.matching.proposals import would_map

_MANY = 1_000
"""So many mappings are worth a count of the decisions, which takes some 0.1 s."""


def auto_match(connection: sa.Connection, policy: MatchPolicy, run_id: int, actor: str, at: dt.datetime) -> int:
    """Write a mapping, its decision and its evidence for every open row with exactly one supported account.

    With Auto-Match off nothing is written. Returns the number of mappings.
    """
    if not policy.auto_match:
        return 0
    values = {"run": run_id, "who": actor, "now": at}
    # Of an INSERT, SQLAlchemy keeps PostgreSQL's count only where it is asked to.
    mapped = connection.execute(_deciding(), values, execution_options={"preserve_rowcount": True}).rowcount
    if mapped >= _MANY:
        count_for_planner(connection, t.Decision)
    connection.execute(_mapping(), {"run": run_id})
    connection.execute(_keeping_evidence(policy), {"run": run_id})
    return mapped


@functools.cache
def mapped_in_run() -> sa.Select[int]:
    """Select the provider accounts that the `run` given with the statement decided."""
    return sa.select(t.Decision.provider_account_id).where(_OF_RUN)


_OF_RUN = t.Decision.run_id == sa.bindparam("run")


@functools.cache
def _deciding() -> sa.Insert:
    mappable = would_map().subquery()
    columns = ["provider_account_id", "account_id", "run_id", "actor", "at", "kind", "origin", "reason"]
    values = (
        sa.bindparam("run", type_=t.Id),
        sa.bindparam("who", type_=sa.String),
        sa.bindparam("now", type_=t.UtcTime),
    )
    words = (sa.literal(DecisionKind.MAP.value), sa.literal(Origin.AUTO.value), sa.literal(""))
    rows = sa.select(mappable.c.provider_account_id, mappable.c.account_id, *values, *words)
    return sa.insert(t.Decision).from_select(columns, rows.order_by(mappable.c.provider_account_id))


@functools.cache
def _mapping() -> sa.Insert:
    made = sa.select(t.Decision.provider_account_id, t.Decision.account_id, t.Decision.origin, t.Decision.id)
    made = made.where(_OF_RUN, t.Decision.kind == DecisionKind.MAP)
    return sa.insert(t.Mapping).from_select(["provider_account_id", "account_id", "origin", "decision_id"], made)


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _keeping_evidence(policy: MatchPolicy) -> sa.Insert:
    facts = facts_of(policy, sa.select(t.Decision.provider_account_id).where(_OF_RUN))
    rows = (
        sa.select(t.Decision.id, facts.c.rule, facts.c.domain, facts.c.contacts, facts.c.example)
        .join(
            facts,
            (facts.c.provider_account_id == t.Decision.provider_account_id)
            & (facts.c.account_id == t.Decision.account_id),
        )
        .where(_OF_RUN)
    )
    return sa.insert(t.DecisionEvidence).from_select(["decision_id", "rule", "domain", "contacts", "example"], rows)
