"""Whole syncs against the demo's servers on a bad day: what the run says, and what is kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from connection_steps import opened
from fresh_stores import make_once

from tests.servers import running, small_world
from w365.demo.faults import Fault
from w365.demo.servers import Servers
from w365.jobs import execute_run
from w365.model import Actor, Role, RunState
from w365.service import Service
from w365.service.syncing.providers import PARTNER_CENTER, list_providers
from w365.service.syncing.runs import read_run, request_sync
from w365.store.db.engine import Store
from w365.store.runs import RunView

ADMIN = Actor("ada", Role.ADMIN)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("bad-days")) as started:
        yield started


@pytest.fixture
def service(servers: Servers, store: Store, tmp_path: Path) -> Iterator[Service]:
    """A service that has synced once."""
    made = opened(tmp_path, store, **servers.environment())

    def first() -> None:
        assert sync(made).result["new"] == len(small_world().customers)

    make_once(store, f"{__name__} synced from {servers.urls}", first)
    yield made
    servers.faults.clear()
    servers.refusals.clear()


def sync(service: Service) -> RunView:
    return execute_run(service, request_sync(service, ADMIN, PARTNER_CENTER))


def known(service: Service) -> tuple[int, int, RunView | None]:
    (view,) = (one for one in list_providers(service, ADMIN) if one.name == PARTNER_CENTER)
    return view.accounts, view.gone, view.last_done


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (7000215, "The client secret for Partner Center is wrong (AADSTS7000215)."),
        (7000222, "The client secret for Partner Center has expired (AADSTS7000222)."),
        (65001, "The application may not use Partner Center: a permission or the consent to it is missing"),
    ],
)
def test_a_sync_that_cannot_sign_in_says_why_and_keeps_what_was_there(
    service: Service, servers: Servers, code: int, said: str
) -> None:
    before = known(service)
    servers.refusals.append(code)
    servers.faults.seen.clear()
    run = sync(service)
    assert run.state is RunState.FAILED
    assert run.error.startswith(said)
    assert servers.client_secret not in run.error
    assert known(service) == before
    assert sum("oauth2/v2.0/token" in one.target for one in servers.faults.seen) == 1


def test_tokens_that_expire_in_the_middle_of_a_sync_are_not_noticed(service: Service, servers: Servers) -> None:
    def expire(body: bytes) -> bytes:
        servers.expire_tokens()
        return body

    servers.faults.append(Fault("partner_center", "/subscriptions", skip=1, edit=expire))
    run = sync(service)
    assert (run.state, run.error) == (RunState.DONE, "")
    assert run.result["unchanged"] == len(small_world().customers)


def test_a_source_that_changed_its_records_writes_nothing(service: Service, servers: Servers) -> None:
    def rename(body: bytes) -> bytes:
        content: dict[str, Any] = json.loads(body.decode("utf-8-sig"))
        for item in content["items"]:
            item["companyProfile"]["name"] = item["companyProfile"].pop("companyName")
        return json.dumps(content).encode()

    before = known(service)
    servers.faults.append(Fault("partner_center", "/v1/customers?size", times=0, edit=rename))
    run = sync(service)
    count = len(small_world().customers)
    assert run.error == (
        f"Partner Center answers differently than documented, in {count} of {count} records: companyName is missing. "
        "Nothing of this page was stored; what was stored before is kept. "
        "Look for a newer version of this program, or report this sentence."
    )
    assert known(service) == before


def test_a_pause_the_provider_asks_for_is_said_while_it_lasts(service: Service, servers: Servers) -> None:
    busy = {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 2 seconds."}
    servers.faults.append(
        Fault("partner_center", "/subscriptions", status=429, headers={"retry-after": "2"}, body=busy)
    )
    run_id = request_sync(service, ADMIN, PARTNER_CENTER)
    thread = threading.Thread(target=execute_run, args=(service, run_id))
    begun = time.monotonic()
    thread.start()
    said = set()
    while thread.is_alive():
        said.add(read_run(service, ADMIN, run_id)[0].message)
        time.sleep(0.1)
    assert 2 <= time.monotonic() - begun < 8
    assert said == {"", "Partner Center asked for a pause of 2 seconds."}
    assert read_run(service, ADMIN, run_id)[0].message == ""
