"""What changes at the source between two syncs, over real sockets: what is stored, and the sentence about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from connection_steps import opened
from fresh_stores import make_once
from service.fakes import rows_of

from tests.servers import running
from w365.demo.faults import Fault
from w365.demo.servers import Servers
from w365.demo.world import Customer, Domain, World
from w365.jobs import execute_run
from w365.model import Actor, Role, RunState
from w365.service import Service
from w365.service.syncing.providers import PARTNER_CENTER
from w365.service.syncing.runs import request_sync
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.runs import RunView

ADMIN = Actor("ada", Role.ADMIN)
PA = t.ProviderAccount
COUNT = 12

Items = list[dict[str, Any]]


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def customer(number: int) -> Customer:
    name = f"c{number}.example"
    return Customer(guid(number), f"Customer {number}", name, (Domain(name, is_default=True),))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    world = World("changing", tuple(map(customer, range(COUNT))), (), ())
    with running(tmp_path_factory.mktemp("changing"), world) as started:
        yield started


@pytest.fixture
def service(servers: Servers, store: Store, tmp_path: Path) -> Iterator[Service]:
    """A service that has synced once."""
    made = opened(tmp_path, store, **servers.environment())

    def first() -> None:
        assert sync(made).result["new"] == COUNT

    make_once(store, f"{__name__} synced from {servers.urls}", first)
    yield made
    servers.faults.clear()


def sync(service: Service) -> RunView:
    return execute_run(service, request_sync(service, ADMIN, PARTNER_CENTER))


def listed(servers: Servers, change: Callable[[Items], Items], path: str = "/v1/customers?size") -> None:
    """Serve the list changed from now on."""

    def edit(body: bytes) -> bytes:
        content = json.loads(body.decode("utf-8-sig"))
        items = change(content["items"])
        return json.dumps(content | {"items": items, "totalCount": len(items)}).encode()

    servers.faults.clear()
    servers.faults.append(Fault("partner_center", path, times=0, edit=edit))


def gone(service: Service) -> list[tuple[Any, ...]]:
    return rows_of(service.store, PA.specific_id, where=PA.gone_at.is_not(None))


@pytest.mark.parametrize("left", [0, 3])
def test_a_list_without_most_customers_marks_nobody_as_gone_and_says_so(
    service: Service, servers: Servers, left: int
) -> None:
    listed(servers, lambda items: items[:left])
    run = sync(service)
    assert run.state is RunState.FAILED
    assert run.error == (
        f"{COUNT - left} of {COUNT} customers are missing from the provider's list, more than 20 %. "
        "Nothing was marked as gone; what the provider did list was stored. "
        "Check the provider. If they did leave, confirm it on the Providers page."
    )
    assert gone(service) == []


def test_a_customer_that_leaves_and_comes_back_is_the_same_row(service: Service, servers: Servers) -> None:
    before = rows_of(service.store, PA.id, PA.specific_id)
    listed(servers, lambda items: items[1:])
    assert sync(service).result["gone"] == 1
    assert gone(service) == [(guid(0),)]
    servers.faults.clear()
    assert sync(service).result["returned"] == 1
    assert gone(service) == []
    assert rows_of(service.store, PA.id, PA.specific_id) == before
    assert rows_of(service.store, PA.change, where=PA.specific_id == guid(0)) == [("returned",)]


def test_a_new_name_and_a_further_domain_are_said_with_old_and_new(service: Service, servers: Servers) -> None:
    def rename(items: Items) -> Items:
        items[4]["companyProfile"]["companyName"] = "Renamed"
        return items

    listed(servers, rename)
    more = {"totalCount": 2, "items": ["c6.example", "new6.example"]}
    servers.faults.append(Fault("partner_center", f"{guid(6)}/customDomains", times=0, status=200, body=more))
    assert sync(service).result["changed"] == 2
    assert rows_of(service.store, PA.specific_id, PA.change, where=PA.change != "") == [
        (guid(4), "renamed: Customer 4 → Renamed"),
        (guid(6), "domain added: new6.example"),
    ]


def test_one_bad_record_is_named_and_the_others_are_stored(service: Service, servers: Servers) -> None:
    def spoil(items: Items) -> Items:
        items[2]["companyProfile"]["companyName"] = None
        items[3] = items[3] | {"mood": "good"}
        return items

    listed(servers, spoil)
    run = sync(service)
    assert (run.state, run.result["rejected"], run.result["unknown_fields"]) == (RunState.DONE, 1, 1)
    problem = t.RunProblem
    assert rows_of(service.store, problem.record_id, problem.why, where=problem.run_id == run.id) == [
        (guid(2), "companyName is not text.")
    ]
    assert gone(service) == []


def test_a_customer_listed_twice_while_the_list_changes_counts_once(service: Service, servers: Servers) -> None:
    listed(servers, lambda items: [*items, items[0], *items[3:5]])
    assert sync(service).result["unchanged"] == COUNT
