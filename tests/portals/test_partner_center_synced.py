"""Syncs from a misbehaving Partner Center into a database, over real sockets and on a clock of their own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fault_server import Answer, Bench, Request
from http_bench import guid
from portals.centre import centre, listing, open_portal, record
from service.fakes import make_service, rows_of, sync

from w365.model import RunState
from w365.store import tables as t
from w365.store.db.engine import Store


def test_server_errors_in_the_middle_of_a_sync_keep_its_pages_and_the_next_run_goes_on(
    place: Bench, store: Store, home: Path
) -> None:
    is_ill = True

    def lists(request: Request) -> Answer:
        if "seekOperation=Next" not in request.target:
            return listing([record(1)], "/customers?size=500&seekOperation=Next", "token-of-page-2", total=2)
        return Answer(b"<html>", 503, {"MS-RequestId": "r-9"}) if is_ill else listing([record(2)])

    server = place.serve(centre(lists))

    made = make_service(store, home)
    service = dataclasses.replace(made, open_portal=lambda _, check: open_portal(place, server, check))
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
