"""A day of a program on PostgreSQL: what it asks in SQL of its own, and ids and versions as on SQLite."""

from __future__ import annotations

import httpx
import pytest
from api.conftest import Server, furnish, make_service
from api.programs.conftest import make

from w365.store.db.engine import Store

pytestmark = pytest.mark.postgres


def test_pages_cursors_and_decisions_are_the_same_there(fresh_postgres: Store, server: Server) -> None:
    service = make_service(fresh_postgres)
    furnish(service)
    server.get_service = lambda: service
    headers = {"Authorization": f"Bearer {make(service).secret}"}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, trust_env=False, verify=False) as client:
        first = client.get("/provider-accounts?limit=2&status=unmapped&status=conflict&provider=2").json()
        rest = client.get("/provider-accounts", params={"cursor": first["next"], "text": "“Osprey”"}).json()
        assert ([row["specific_id"] for row in first["items"]], rest["next"]) == (["1", "2"], None)
        assert [row["specific_id"] for row in rest["items"]] == ["3"]
        row = first["items"][1]
        path = f"/provider-accounts/{row['id']}/mapping"
        mapped = client.put(path, json={"account": "a1"}, headers={"If-Match": f'"{row["version"]}"'})
        assert mapped.status_code == 200
        assert client.delete(path, headers={"If-Match": '"0"'}).status_code == 412
        assert [each["account"] for each in client.get("/mappings").json()["items"]] == ["a1"]
        assert [each["id"] for each in client.get("/decisions?since=0").json()["items"]] == [mapped.json()["version"]]
        for path in ("/subscriptions?cursor=ready~9~9~%2500", "/statistics", "/runs", "/service-account", "/providers"):
            assert client.get(path).status_code == 200
