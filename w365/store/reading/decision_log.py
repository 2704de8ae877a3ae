"""Decisions as people read them, the latest first: of one row, of some, or all."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.matching.messages import say_evidence
from w365.model import DecisionKind, Evidence, Rule
from w365.store import tables as t
from w365.store.db.bound_ids import IDS
from w365.store.reading.worklist import Filter, select_ids

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision as people read it: with names, and its evidence in words. `undoes` is the decision taken back."""

    id: int
    at: dt.datetime
    actor: str
    run_id: int | None
    kind: DecisionKind
    provider_account_id: int
    provider_account: str
    provider: str
    old_account: str
    account: str
    origin: str
    reason: str
    evidence: tuple[str, ...]
    undoes: int | None = None
    old_account_crm_id: str = ""
    account_crm_id: str = ""


def read_history(connection: sa.Connection, provider_account_id: int, *, limit: int = 100) -> list[DecisionView]:
    """Read the decisions about one row."""
    return read_decisions(connection, t.Decision.provider_account_id == provider_account_id, limit=limit)


def read_decisions(
    connection: sa.Connection, *where: sa.ColumnElement[bool], limit: int, start: int = 0
) -> list[DecisionView]:
    """Read decisions that meet these conditions on `decision`."""
    return _read(connection, _decisions().where(*where).offset(start).limit(limit))


def read_decisions_after(connection: sa.Connection, decision_id: int, *, limit: int) -> list[DecisionView]:
    """Read the decisions behind one, the oldest first.

    Ids are given in the order in which transactions end, as one writes at a time: whoever goes on behind the last one
    that was read misses none.
    """
    query = _decisions().where(t.Decision.id > decision_id).order_by(None).order_by(t.Decision.id)
    return _read(connection, query.limit(limit))


def _read(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]]) -> list[DecisionView]:
    rows = [dict(row) for row in connection.execute(query).mappings()]
    evidence = _read_evidence(connection, [row["id"] for row in rows])
    return [
        DecisionView(**{**row, "kind": DecisionKind(row["kind"]), "evidence": evidence.get(row["id"], ())})
        for row in rows
    ]


def iterate_decisions(connection: sa.Connection, rows: Filter | None = None) -> Iterator[DecisionView]:
    """Read every decision, or those about rows that the grid would show; a thousand are in memory at a time."""
    where = () if rows is None else (t.Decision.provider_account_id.in_(select_ids(rows)),)
    batch = read_decisions(connection, *where, limit=_BATCH)
    yield from batch
    while len(batch) == _BATCH:
        batch = read_decisions(connection, *where, t.Decision.id < batch[-1].id, limit=_BATCH)
        yield from batch


def latest_decision_id(connection: sa.Connection) -> int:
    """Return the id of the latest decision, 0 before the first: mappings are the same while it is."""
    return connection.scalar(_LATEST) or 0


_LATEST = sa.select(sa.func.max(t.Decision.id))


@functools.cache
def _decisions() -> sa.Select[*tuple[Any, ...]]:
    decision, pa, old = t.Decision, t.ProviderAccount, sa.orm.aliased(t.Account)
    return (
        sa.select(
            decision.id,
            decision.at,
            decision.actor,
            decision.run_id,
            decision.kind,
            decision.provider_account_id,
            pa.name.label("provider_account"),
            t.Provider.name.label("provider"),
            sa.func.coalesce(old.name, "").label("old_account"),
            sa.func.coalesce(t.Account.name, "").label("account"),
            decision.origin,
            decision.reason,
            t.Undo.undoes_id.label("undoes"),
            sa.func.coalesce(old.crm_id, "").label("old_account_crm_id"),
            sa.func.coalesce(t.Account.crm_id, "").label("account_crm_id"),
        )
        .outerjoin(t.Undo, t.Undo.decision_id == decision.id)
        .join(pa, pa.id == decision.provider_account_id)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .outerjoin(old, old.id == decision.old_account_id)
        .outerjoin(t.Account, t.Account.id == decision.account_id)
        .order_by(decision.id.desc())
    )


def _read_evidence(connection: sa.Connection, decision_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    sentences: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(_EVIDENCE, {"ids": list(decision_ids)}):
        sentence = say_evidence(Evidence(Rule(row.rule), row.domain, row.contacts, row.example))
        sentences[row.decision_id] = (*sentences.get(row.decision_id, ()), sentence)
    return sentences


_EVIDENCE = (
    sa.select(
        t.DecisionEvidence.decision_id,
        t.DecisionEvidence.rule,
        t.DecisionEvidence.domain,
        t.DecisionEvidence.contacts,
        t.DecisionEvidence.example,
    )
    .where(t.DecisionEvidence.decision_id.in_(IDS))
    .order_by(t.DecisionEvidence.rule, t.DecisionEvidence.domain)
)
