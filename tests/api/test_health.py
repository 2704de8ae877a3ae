"""What load balancers and monitors are told, by the routes and at the doors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import httpx
import pytest
from api.conftest import CUSTOMERS
from event_loop import run_apart
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from w365.api.door_rules import find_refusal
from w365.api.health import health_routes
from w365.api.visits import Connection, Visit, _ip
from w365.entrance import read_entrance
from w365.model import ProcessKind
from w365.service import Service
from w365.service.processes import say_alive
from w365.store.db.engine import open_store


def ask(service: Service | None, path: str, base: str = "") -> httpx.Response:
    async def get() -> httpx.Response:
        app = httpx.ASGITransport(Starlette(routes=health_routes(base, lambda: service)))
        async with httpx.AsyncClient(transport=app, base_url="http://here") as client:
            return await client.get(f"{base}/{path}")

    return run_apart(get())


def numbers(text: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    return (
        (each.name, each.labels, each.value)
        for family in text_string_to_metric_families(text)
        for each in family.samples
    )


@pytest.fixture
def working(service: Service) -> Service:
    """A service whose worker was seen just now."""
    say_alive(service, ProcessKind.WORKER)
    return service


@pytest.fixture
def without_database(working: Service) -> Service:
    return replace(working, store=open_store("postgresql://nobody@127.0.0.1:9/none"))


def test_the_process_serves_whatever_else_is(without_database: Service) -> None:
    assert (ask(None, "healthz").status_code, ask(without_database, "healthz").text) == (200, "ok")


def test_it_is_ready_when_all_is_there(working: Service) -> None:
    answer = ask(working, "readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "obstacles": {}})


def test_it_is_not_ready_without_a_service_a_worker_or_a_database(service: Service, without_database: Service) -> None:
    told = {name: ask(each, "readyz") for name, each in (("app", None), ("database", without_database))}
    assert {name: answer.status_code for name, answer in told.items()} == {"app": 503, "database": 503}
    assert all(list(answer.json()["obstacles"]) == [name] for name, answer in told.items())


def test_a_worker_that_is_silent_is_missed(service: Service) -> None:
    assert "No worker" in ask(service, "readyz").json()["obstacles"]["worker"]


def test_another_schema_than_the_programs_is_an_obstacle(working: Service) -> None:
    with working.store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9.9.9'")
    assert "9.9.9" in ask(working, "readyz").json()["obstacles"]["schema"]


def test_the_numbers_are_those_of_the_database_and_name_nobody(working: Service) -> None:
    answer = ask(working, "metrics")
    told = list(numbers(answer.text))
    assert sum(value for name, _, value in told if name == "w365_provider_accounts") == len(CUSTOMERS)
    assert ("w365_runs", {"kind": "match", "state": "done"}, 1.0) in told
    assert ("w365_worker_age_seconds", {}, 0.0) in [(name, labels, round(value)) for name, labels, value in told]
    assert not [customer.name for customer in CUSTOMERS if customer.name in answer.text]
    assert "Harbour" not in answer.text


def test_the_numbers_of_the_process_are_told_without_a_database(without_database: Service) -> None:
    told = {name: value for name, _, value in numbers(ask(without_database, "metrics").text)}
    assert told["w365_up"] == 0
    assert told["w365_write_wait_seconds_count"] > 0


def test_they_stand_below_the_base_path(working: Service) -> None:
    assert ask(working, "readyz", "/w365").status_code == 200


PROXY = {"W365_SIGN_IN": "proxy", "W365_TRUSTED_PROXIES": "10.0.0.7", "W365_MONITORS": "10.9.0.0/16"}
OIDC = {"W365_SIGN_IN": "oidc", "W365_MONITORS": "10.9.0.0/16"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/w365/metrics"])
@pytest.mark.parametrize(
    ("settings", "peer", "passed", "is_told"),
    [
        (PROXY, "127.0.0.1", "", True),
        (PROXY, "10.0.0.7", "", True),
        (PROXY, "10.9.3.4", "", True),
        (PROXY, "10.0.0.8", "", False),
        (PROXY, "10.0.0.7", "203.0.113.9", False),
        (PROXY, "10.0.0.7", "10.9.3.4", True),
        (OIDC, "127.0.0.1", "203.0.113.9", False),
        (OIDC, "127.0.0.1", "127.0.0.1, nonsense", False),
        (OIDC, "203.0.113.9", "", False),
        (OIDC, "10.9.3.4", "", True),
        ({}, "127.0.0.1", "", True),
    ],
)
def test_who_may_ask(path: str, settings: Mapping[str, str], peer: str, passed: str, *, is_told: bool) -> None:
    here = Connection(_ip("10.0.0.1" if settings else "127.0.0.1"), 8501, is_tls=False, peer=_ip(peer))
    host = ("host", "10.0.0.1:8501" if settings else "127.0.0.1:8501")
    headers = (host, *([("x-forwarded-for", passed)] if passed else []))
    refusal = find_refusal(Visit(False, "GET", path, headers, here), read_entrance(lambda name: settings.get(name, "")))
    assert (refusal is None) is is_told, refusal


def test_a_route_that_ends_like_one_of_them_is_none_of_them() -> None:
    connection = Connection(_ip("10.0.0.1"), 8501, is_tls=False, peer=_ip("10.9.3.4"))
    visit = Visit(False, "GET", "/api/downloads/metrics", (("host", "10.0.0.1:8501"),), connection)
    refusal = find_refusal(visit, read_entrance(lambda name: PROXY.get(name, "")))
    assert refusal is not None
    assert refusal.kind == "proxy"
