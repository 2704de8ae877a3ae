"""The counts beside the choices of the facets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from w365.model import Actor, Age, Role, ScoreBand
from w365.service import Service
from w365.service.access import needs
from w365.store.reading import facet_counts
from w365.store.reading.worklist import Filter


@dataclass(frozen=True, slots=True)
class Facets:
    """How many rows each choice would show under the other facets; "" among the owners is nobody."""

    owners: Mapping[str, int]
    scores: Mapping[ScoreBand, int]
    ages: Mapping[Age, int]


@needs(Role.VIEWER)
def read_facets(service: Service, actor: Actor, rows: Filter, today: dt.date) -> Facets:
    with service.store.read() as connection:
        return Facets(
            facet_counts.count_by_owner(connection, rows),
            facet_counts.count_by_score(connection, rows),
            facet_counts.count_by_age(connection, rows, today),
        )


@needs(Role.VIEWER)
def count_by_owner(service: Service, actor: Actor, rows: Filter) -> Mapping[str, int]:
    with service.store.read() as connection:
        return facet_counts.count_by_owner(connection, rows)
