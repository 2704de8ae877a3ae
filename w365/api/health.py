"""For load balancers and monitors: does the process serve, can it work, and its numbers for Prometheus.

The doors let in only who asks from this machine, from a trusted proxy, or from where a setting allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from w365 import __version__
from w365.api.door_rules import HEALTH_PATHS
from w365.errors import StoreError
from w365.meters import REGISTRY
from w365.service import Service
from w365.service.insight.operation import Measures, find_obstacles, read_measures

_HEADERS = {"Cache-Control": "no-store"}

OpenedService = Callable[[], Service | None]
Values = Mapping[tuple[str, ...], float]
"""The value of each combination of labels."""


def health_routes(base: str, opened_service: OpenedService) -> list[Route]:
    """Return the routes below a base path; `opened_service` does not wait, and gives None while there is none."""

    def is_ready(_request: Request) -> JSONResponse:
        service = opened_service()
        obstacles = find_obstacles(service) if service else {"app": "It is still starting, or cannot; see its log."}
        return JSONResponse({"ready": not obstacles, "obstacles": obstacles}, 503 if obstacles else 200, _HEADERS)

    def measure(_request: Request) -> Response:
        # The numbers of the process itself are told also where the database does not answer.
        lines = [generate_latest(REGISTRY), generate_latest(_Collected(_families(opened_service())))]
        return Response(b"".join(lines), headers={**_HEADERS, "Content-Type": CONTENT_TYPE_LATEST})

    handlers = zip(HEALTH_PATHS, (_serves, is_ready, measure), strict=True)
    return [Route(f"{base}/{path}", handler, methods=["GET"]) for path, handler in handlers]


async def _serves(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok", headers=_HEADERS)


class _Collected:
    """Numbers of one answer, in the form that the library prints."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _families(service: Service | None) -> Iterator[Metric]:
    yield _gauge("w365_info", "The version of the program.", {(__version__,): 1}, ["version"])
    measures = _read(service)
    yield _gauge("w365_up", "Whether the database answers.", {(): int(measures is not None)})
    if measures is None:
        return
    runs: Values = {(kind.value, state.value): amount for (kind, state), amount in measures.runs.items()}
    yield _gauge("w365_runs", "Runs that are kept, by kind and state.", runs, ["kind", "state"])
    yield _gauge("w365_queue_age_seconds", "How long the first in the queue waits.", {(): measures.oldest_queued_age})
    ages: Values = {(source,): age for source, age in measures.source_ages.items()}
    yield _gauge("w365_source_age_seconds", "Since each source was last read to its end.", ages, ["source"])
    accounts: Values = {(status.value,): amount for status, amount in measures.provider_accounts.items()}
    yield _gauge("w365_provider_accounts", "Provider accounts by status.", accounts, ["status"])
    if measures.worker_age is not None:
        yield _gauge("w365_worker_age_seconds", "Since a worker was last seen.", {(): measures.worker_age})


def _read(service: Service | None) -> Measures | None:
    try:
        return read_measures(service) if service else None
    except StoreError:
        return None


def _gauge(name: str, meaning: str, values: Values, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, meaning, labels=labels)
    for combination, value in values.items():
        gauge.add_metric(combination, value)
    return gauge
