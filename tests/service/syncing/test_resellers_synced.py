"""From the demo's resellers to the record of a provider account, with a person and without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from browserless_sign_in import consent
from connection_steps import ADMIN, ONE, opened, parts_for

from tests.servers import ADATUM, COHO, running, small_world
from w365.demo.servers import PARTNER_CENTER_CLIENT_ID
from w365.demo.world import Reseller
from w365.jobs import execute_run
from w365.service.connecting.sign_ins import begin_sign_in, finish_sign_in
from w365.service.connecting.stored_connections import save_connection
from w365.service.reading.records import read_record
from w365.service.syncing.runs import request_sync
from w365.store import tables as t

BACK = "http://localhost:8501/api/signed-in"
NAME = "Partner Center"
WORLD = replace(
    small_world(),
    resellers=(
        Reseller("7c5e0f3a-2d14-4a86-9b61-5f2d8c0e4a71", "Saltmarsh Digital", "1", "GB", frozenset({ADATUM, COHO})),
        Reseller("b8d2417e-9c05-4e3f-8a77-1e6f3b9d5c24", "Quillfeder IT", "2", "DE", frozenset({COHO})),
    ),
)


def test_the_record_says_through_which_resellers_a_customer_buys_where_a_person_signed_in(tmp_path: Path) -> None:
    with running(tmp_path / "demo", WORLD) as servers:
        addresses = {"W365_AUTHORITY": servers.urls["authority"], "W365_GRAPH_URL": servers.urls["graph"]}
        service = opened(tmp_path, **addresses, W365_CA_BUNDLE=str(servers.ca_bundle))
        parts = parts_for(servers, "partner_center", PARTNER_CENTER_CLIENT_ID) | {"CALLS_PER_MINUTE": "0"}
        save_connection(service, ADMIN, ONE, parts | {"SIGN_IN": "app"})
        assert execute_run(service, request_sync(service, ADMIN, NAME)).result["new"] == 5
        assert not any("relationships" in one.target for one in servers.faults.seen)
        save_connection(service, ADMIN, ONE, parts | {"SIGN_IN": "app_user"})
        finish_sign_in(service, consent(begin_sign_in(service, ADMIN, ONE, BACK), servers.ca_bundle))
        results = [execute_run(service, request_sync(service, ADMIN, NAME)).result for _ in range(2)]
        assert (results[0]["changed"], results[1]["unchanged"]) == (2, 5)
        with service.store.read() as database:
            ids = dict(database.execute(sa.select(t.ProviderAccount.specific_id, t.ProviderAccount.id)).all())
        said = {one: read_record(service, ADMIN, ids[one]).relationship for one in ids}
        service.store.close()
    assert said[ADATUM] == "reseller through Saltmarsh Digital"
    assert said[COHO] == "reseller through Quillfeder IT, Saltmarsh Digital"
    assert sum("through" in one for one in said.values()) == 2
