"""What the last syncs of a provider read, and what is stored of the customers that its list names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.model import RunKind, RunState
from w365.store import tables as t
from w365.store.runs import has_seen
from w365.store.syncing.customers import SUBJECT


@dataclass(frozen=True, slots=True)
class PastSync:
    """A sync that began, and its result, which holds the words of `service.syncing.scope` too."""

    is_done: bool
    started_at: dt.datetime
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ListedFacts:
    """What a provider's mere list says of a customer, as it is stored, and the note of its last reading."""

    name: str
    default_domain: str
    relationship: str
    note: str


def read_past_syncs(connection: sa.Connection, provider: str, after: dt.datetime) -> list[PastSync]:
    """Read the syncs of a provider that began later than `after`, the latest first."""
    run = t.Run
    mine = (run.kind == RunKind.SYNC, run.target == provider, run.started_at > after)
    query = sa.select(run.state, run.started_at, run.result).where(*mine).order_by(run.id.desc())
    return [PastSync(row.state == RunState.DONE, row.started_at, row.result) for row in connection.execute(query)]


def count_notes(connection: sa.Connection, provider_id: int, run_id: int) -> dict[str, int]:
    """Count the customers that a run met by what their notes say, those without one left out."""
    pa = t.ProviderAccount
    mine = (pa.provider_id == provider_id, pa.note != "", pa.is_synced, has_seen(SUBJECT, pa.specific_id))
    query = sa.select(pa.note, sa.func.count()).where(*mine).group_by(pa.note)
    return {row[0]: row[1] for row in connection.execute(query, {"run": run_id})}


def read_listed(connection: sa.Connection, provider_id: int, specific_ids: Sequence[str]) -> dict[str, ListedFacts]:
    """Read what is stored of these customers, those that are gone left out."""
    pa = t.ProviderAccount
    query = sa.select(pa.specific_id, pa.name, pa.default_domain, pa.relationship, pa.note).where(
        pa.provider_id == provider_id, pa.gone_at.is_(None), pa.specific_id.in_(specific_ids)
    )
    return {row[0]: ListedFacts(*row[1:]) for row in connection.execute(query)}
