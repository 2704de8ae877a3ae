"""Customers that a run did not meet: marked as gone, unless they are too many. Their mappings stay."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.matching.candidates import ordering_elsewhere
from w365.store.matching.dirty_rows import touch_rows
from w365.store.matching.refresh_derived import refresh_with_rivals
from w365.store.runs import has_seen
from w365.store.syncing.customers import SUBJECT
from w365.store.syncing.gone_guard import GoneGuard, is_too_many


def mark_gone(
    connection: sa.Connection, provider_id: int, run_id: int, at: dt.datetime, guard: GoneGuard | None
) -> int:
    """Mark the customers that the run did not meet as gone, and return how many; switched-off rows are left.

    Raises MassDisappearance, with nothing marked, where they are more than the guard lets pass.
    """
    asked = {"provider": provider_id, "run": run_id}
    ids = list(connection.scalars(_MISSING, asked))
    if guard is not None:
        guard.refuse_too_many(connection, len(ids), connection.scalar(_COUNT_PRESENT, {"provider": provider_id}) or 0)
    if ids:
        with ordering_elsewhere(connection, ids):
            connection.execute(_MARK_GONE, {**asked, "gone_at": at})
        marked = {"provider": provider_id, "left_at": at}
        touch_rows(connection, _GONE, marked)
        refresh_with_rivals(connection, read_policy(connection), _GONE, marked)
    return len(ids)


def read_missing(connection: sa.Connection, provider_id: int, run_id: int) -> list[str]:
    """Read the provider's own ids of the customers that `count_missing` counts; none where the guard stops anyway."""
    ids = list(connection.scalars(_MISSING_IDS, {"provider": provider_id, "run": run_id}))
    known = connection.scalar(_COUNT_PRESENT, {"provider": provider_id}) or 0
    return [] if is_too_many(connection, len(ids), known) else ids


def count_missing(connection: sa.Connection, provider_id: int, run_id: int) -> int:
    """Count the customers that are neither gone nor switched off and that the run did not meet."""
    return connection.scalar(_COUNT_MISSING, {"provider": provider_id, "run": run_id}) or 0


_PRESENT = (
    t.ProviderAccount.provider_id == sa.bindparam("provider"),
    t.ProviderAccount.gone_at.is_(None),
    t.ProviderAccount.is_synced,
)
_IS_MISSING = (*_PRESENT, ~has_seen(SUBJECT, t.ProviderAccount.specific_id))
_COUNT_PRESENT = sa.select(sa.func.count()).select_from(t.ProviderAccount).where(*_PRESENT)
_MISSING = sa.select(t.ProviderAccount.id).where(*_IS_MISSING)
_MISSING_IDS = sa.select(t.ProviderAccount.specific_id).where(*_IS_MISSING).order_by(t.ProviderAccount.id)
_COUNT_MISSING = sa.select(sa.func.count()).select_from(t.ProviderAccount).where(*_IS_MISSING)
_MARK_GONE = sa.update(t.ProviderAccount).where(*_IS_MISSING)
"""Sets `gone_at`, which is given with it."""
_GONE = sa.select(t.ProviderAccount.id).where(
    t.ProviderAccount.provider_id == sa.bindparam("provider"), t.ProviderAccount.gone_at == sa.bindparam("left_at")
)
