"""How many rows each choice of a facet would show under the other facets: one grouped query a facet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import sqlalchemy as sa

from w365.model import Age, ScoreBand
from w365.store import tables as t
from w365.store.reading.facets import midnight
from w365.store.reading.row_counts import is_kept, kept_where
from w365.store.reading.worklist import Filter, Unsought, where_of


def count_by_owner(connection: sa.Connection, rows: Filter) -> dict[str, int]:
    """Count by owner, "" for nobody."""
    anybody = replace(rows, owner=None)
    if is_kept(anybody):
        owner, accounts = t.WorklistCount.owner, sa.func.sum(t.WorklistCount.accounts)
        query = sa.select(owner, accounts).where(*kept_where(anybody)).having(accounts > 0)
    else:
        owner = t.Worklist.owner
        query = sa.select(owner, sa.func.count()).where(*where_of(anybody, Unsought))
    return {row[0]: int(row[1]) for row in connection.execute(query.group_by(owner).order_by(owner))}


def count_by_score(connection: sa.Connection, rows: Filter) -> dict[ScoreBand, int]:
    """Count by the best candidate's score."""
    work, best = t.Worklist, t.CurrentCandidate
    score = sa.func.coalesce(best.score, 0.0)
    band = sa.case(
        *((score >= choice.bounds[0], choice.value) for choice in ScoreBand if choice.bounds[0] > 0), else_="weak"
    )
    query = (
        sa.select(band.label("band"), sa.func.count())
        .select_from(work)
        .outerjoin(best, (best.provider_account_id == work.provider_account_id) & (best.rank == 1))
        .where(*where_of(replace(rows, scores=None), Unsought))
        .group_by("band")
    )
    numbers: Mapping[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return {choice: numbers.get(choice.value, 0) for choice in ScoreBand}


def count_by_age(connection: sa.Connection, rows: Filter, today: dt.date) -> dict[Age, int]:
    """Count by when the customer was first seen."""
    work, pa = t.Worklist, t.ProviderAccount
    starts = [(age, age.days(today)[0]) for age in Age]
    band = sa.case(*((pa.first_seen_at >= midnight(day), age.value) for age, day in starts if day), else_="older")
    query = (
        sa.select(band.label("band"), sa.func.count())
        .select_from(work)
        .join(pa, pa.id == work.provider_account_id)
        .where(*where_of(replace(rows, since=None, before=None), Unsought))
        .group_by("band")
    )
    numbers: Mapping[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return {choice: numbers.get(choice.value, 0) for choice in Age}
