"""Syncs from a misbehaving Partner Center into a database, over real sockets and on a clock of their own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fault_server import Answer, Bench, FaultServer, Request
from http_bench import QUICK, guid
from portals.centre import centre, listing, open_portal, record
from service.fakes import ADMIN, make_service, rows_of, sync

from w365.http.retry import Patience
from w365.jobs import execute_run
from w365.model import RunState
from w365.service import Service
from w365.service.syncing.providers import PARTNER_CENTER
from w365.service.syncing.runs import request_sync, say_state
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.ui.frame.runs import say_result

PA = t.ProviderAccount


def service_of(place: Bench, server: FaultServer, store: Store, home: Path, patience: Patience = QUICK) -> Service:
    made = make_service(store, home)
    return dataclasses.replace(made, open_portal=lambda _, check: open_portal(place, server, check, patience))


def test_server_errors_in_the_middle_of_a_sync_keep_its_pages_and_the_next_run_goes_on(
    place: Bench, store: Store, home: Path
) -> None:
    is_ill = True

    def lists(request: Request) -> Answer:
        if "seekOperation=Next" not in request.target:
            return listing([record(1)], "/customers?size=500&seekOperation=Next", "token-of-page-2", total=2)
        return Answer(b"<html>", 503, {"MS-RequestId": "r-9"}) if is_ill else listing([record(2)])

    server = place.serve(centre(lists))
    service = service_of(place, server, store, home)
    broken = sync(service)
    assert broken.state is RunState.FAILED
    assert broken.error == (
        "Partner Center answered 4 times with a server error (503; request id r-9). "
        "What was stored so far is kept. Try again later."
    )
    assert rows_of(store, t.ProviderAccount.specific_id, t.ProviderAccount.gone_at) == [(guid(1), None)]
    is_ill = False
    before = len([one for one in server.requests if one.target.endswith("customers?size=500")])
    assert sync(service).result["new"] == 2
    assert len([one for one in server.requests if one.target.endswith("customers?size=500")]) == before


def details_of(server: FaultServer) -> list[str]:
    """The details asked for since the last look, as `7/customDomains`."""
    asked = [path.removeprefix("/v1/customers/00000000-0000-4000-8000-00000000000") for path in server.paths()]
    server.requests.clear()
    return sorted(path for path in asked if path[0].isdigit())


def test_refused_domains_of_all_customers_end_a_sync_done_with_gaps_and_the_next_fills_only_these(
    place: Bench, store: Store, home: Path
) -> None:
    """Three customers refuse domains, one of them subscriptions too; a third time everything is read."""
    mended: set[int] = {3}

    def detail(request: Request) -> Answer | None:
        if any(guid(n) in request.path for n in mended):
            return None
        is_second = guid(2) in request.path
        is_refused = request.path.endswith("customDomains") or (is_second and request.path.endswith("subscriptions"))
        return Answer({"code": 900421}, 401) if is_refused else None

    server = place.serve(centre(lambda _: listing([record(n) for n in range(4)]), detail))
    service = service_of(place, server, store, home)
    run = sync(service)
    assert (run.state, run.has_gaps, say_state(run), run.error) == (RunState.DONE, True, "done with gaps", "")
    assert run.message == (
        "Of 3 customers their domains were not read: the provider wants a person who signed in with multi-factor "
        "authentication (401, code 900421). Of 1 customer their subscriptions were not read: the provider wants a "
        "person who signed in with multi-factor authentication (401, code 900421). What is stored of them is kept. "
        "The next sync asks for these customers only, a full one for all."
    )
    assert "4 new" in say_result(run)
    assert "3 without all domains, 1 without subscriptions" in say_result(run)
    stored = rows_of(store, PA.specific_id, PA.name, PA.default_domain)
    assert stored == [(guid(n), f"Customer {n}", f"c{n}.example") for n in range(4)]
    assert len(details_of(server)) >= 8

    mended |= {0, 1}
    run = sync(service)
    assert {path[0] for path in details_of(server)} == {"0", "1", "2"}
    assert (run.state, run.has_gaps, run.result["changed"], run.result["unchanged"]) == (RunState.DONE, True, 2, 1)
    assert say_result(run).endswith("; only what the sync before could not read, and what is new")
    assert rows_of(store, PA.specific_id, where=PA.gone_at.is_not(None)) == []

    mended |= {2}
    run = sync(service)
    assert {path[0] for path in details_of(server)} == {"0", "1", "2", "3"}
    assert (run.has_gaps, run.message, run.result["gaps_only"]) == (False, "", 0)


def test_a_full_sync_after_one_with_gaps_asks_for_all(place: Bench, store: Store, home: Path) -> None:
    is_ill = True

    def detail(request: Request) -> Answer | None:
        return Answer(b"", 500) if is_ill and guid(1) in request.path else None

    server = place.serve(centre(lambda _: listing([record(n) for n in range(4)]), detail))
    service = service_of(place, server, store, home)
    assert sync(service).has_gaps
    details_of(server)
    is_ill = False
    run = execute_run(service, request_sync(service, ADMIN, PARTNER_CENTER, full=True))
    assert len(details_of(server)) == 8
    assert not run.has_gaps
