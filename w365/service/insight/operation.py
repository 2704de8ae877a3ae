"""How the program itself is: what load balancers, monitors and on-call engineers ask. No person asks, so no role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from w365.errors import StoreError
from w365.model import RunKind, RunState, Status
from w365.service import Service
from w365.service.processes import SILENT_AFTER
from w365.store.db.migrate import newest_schema, revision_of
from w365.store.insight.operation import count_runs, find_last_syncs, find_oldest_queued
from w365.store.processes import find_last_sign_of_life
from w365.store.reading.row_counts import count_statuses
from w365.store.runs import CRM
from w365.store.syncing.providers import list_providers


@dataclass(frozen=True, slots=True)
class Measures:
    """Counts and ages of this moment, ages in seconds.

    ``source_ages`` are by `crm` and `provider <id>`; a source that was never read has none.
    """

    runs: Mapping[tuple[RunKind, RunState], int]
    oldest_queued_age: float
    source_ages: Mapping[str, float]
    provider_accounts: Mapping[Status, int]
    worker_age: float | None


def read_measures(service: Service) -> Measures:
    """Read the numbers; StoreError where the database does not answer."""
    now = service.clock()
    with service.store.read() as connection:
        queued, seen = find_oldest_queued(connection), find_last_sign_of_life(connection)
        names = {CRM: CRM} | {row.name: f"provider {row.id}" for row in list_providers(connection)}
        synced = find_last_syncs(connection)
        accounts: Counter[Status] = Counter()
        for count in count_statuses(connection):
            accounts[count.status] += count.accounts
        return Measures(
            count_runs(connection),
            (now - queued).total_seconds() if queued else 0.0,
            {names[target]: (now - at).total_seconds() for target, at in synced.items() if target in names},
            {status: accounts[status] for status in Status},
            (now - seen).total_seconds() if seen else None,
        )


def find_obstacles(service: Service) -> dict[str, str]:
    """Say in a sentence for each part what keeps the program from working; nothing where it is ready."""
    try:
        with service.store.read() as connection:
            revision, seen = revision_of(connection), find_last_sign_of_life(connection)
    except StoreError as error:
        return {"database": error.what}
    obstacles = {}
    if revision != newest_schema():
        obstacles["schema"] = f"The database has the schema {revision}, and this program {newest_schema()}."
    if seen is None or service.clock() - seen > SILENT_AFTER:
        obstacles["worker"] = "No worker has been seen for more than two minutes."
    return obstacles
