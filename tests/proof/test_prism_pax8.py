"""Pax8's own published OpenAPI, held against our client and our demo at once."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from tests.proof.prism import prism
from tests.proof.relay import Relay, relay
from tests.servers import fiction, running
from w365.config import load_settings
from w365.connection import Connection
from w365.demo.servers import Servers
from w365.demo.world import World
from w365.portals.pax8 import connect_pax8

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "recordings" / "pax8-openapi"

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(not FOLDER.exists(), reason="the recordings lie beside the project, not in it"),
]


def specification() -> Any:
    """Both published descriptions in one, with their own mistakes mended."""
    partner, sign_in = (
        json.loads((FOLDER / f"pax8-{name}-openapi.json").read_text())
        for name in ("partner-endpoints", "authentication")
    )
    partner["components"]["schemas"] |= sign_in["components"]["schemas"]
    partner["components"]["examples"] |= sign_in["components"]["examples"]
    # The server's address ends in /v1, which Prism does not count as part of the path.
    partner["paths"] = {f"/v1{path}": each for path, each in (partner["paths"] | sign_in["paths"]).items()}
    del partner["servers"]
    # Declared a moment, but every published subscription has a day there, and the demo follows those.
    created = partner["components"]["schemas"]["Subscription"]["properties"]["createdDate"]
    assert created["format"] == "date-time"
    created["format"] = "date"
    return partner


@contextmanager
def judged(servers: Servers, folder: Path, spec: Any) -> Iterator[tuple[Relay, Connection]]:
    authority = trustme.CA()
    bundle = folder / "front.pem"
    bundle.write_bytes(authority.cert_pem.bytes())
    with (
        relay(servers.urls["pax8"], trusted=servers.ca_bundle) as behind,
        prism(spec, behind.url, folder) as proxy,
        relay(proxy, authority=authority) as front,
    ):
        own = {"W365_HOME": str(folder), "W365_PAX8_URL": front.url, "W365_CA_BUNDLE": str(bundle)}
        yield front, load_settings(servers.environment() | own).further["PAX8"]


def world() -> World:
    return World("pax8", (), (), (), companies=fiction().companies)


def test_every_call_of_a_sync_and_every_answer_fits_the_description(tmp_path: Path) -> None:
    with running(tmp_path / "demo", world()) as servers, judged(servers, tmp_path, specification()) as judge:
        front, connection = judge
        with closing(connect_pax8(connection)) as portal:
            portal.verify()
            customers = [each for page in portal.pages() for each in page.customers]
    assert len(customers) == 138
    assert [(each.method, each.target.partition("?")[0], each.violations) for each in front.exchanges] == [
        ("POST", "/v1/token", ()),
        ("GET", "/v1/companies", ()),
        ("GET", "/v1/subscriptions", ()),
        ("GET", "/v1/subscriptions", ()),
        ("GET", "/v1/companies", ()),
    ]


def test_what_else_the_demo_serves_fits_too(tmp_path: Path) -> None:
    company = world().companies[3]
    with running(tmp_path / "demo", world()) as servers, judged(servers, tmp_path, specification()) as (front, one):
        secret = {"client_id": one.client_id, "client_secret": one.client_secret}
        body = {**secret, "audience": "https://api.pax8.com", "grant_type": "client_credentials"}
        with httpx.Client(base_url=front.url, verify=ssl.create_default_context(cafile=one.ca_bundle)) as http:
            assert http.post("/v1/token", json=body | {"client_secret": "wrong"}).status_code == 401
            token = http.post("/v1/token", json=body).json()["access_token"]
            http.headers["authorization"] = f"Bearer {token}"
            assert http.get(f"/v1/companies/{company.id}").json()["name"] == company.name
            assert http.get(f"/v1/companies/{one.client_id}").status_code == 404
            http.get("/v1/companies", params={"sort": "country", "status": "Active", "size": 7, "page": 2})
            assert http.get(f"/v1/subscriptions/{company.subscriptions[0].id}").status_code == 200
            http.get("/v1/subscriptions", params={"companyId": company.id, "sort": "createdDate,desc"})
    assert [each.violations for each in front.exchanges] == [()] * 7


def test_the_judge_sees_what_is_wrong(tmp_path: Path) -> None:
    """Without this the other tests might pass because nobody looks."""
    spec = specification()
    spec["components"]["schemas"]["Company"]["properties"]["name"] = {"type": "integer"}
    with running(tmp_path / "demo", world()) as servers, judged(servers, tmp_path, spec) as (front, connection):
        with closing(connect_pax8(connection)) as portal:
            portal.verify()
        trust = ssl.create_default_context(cafile=connection.ca_bundle)
        with httpx.Client(base_url=front.url, verify=trust) as http:
            http.post("/v1/token", json={"audience": "https://api.pax8.com"})
            http.get("/v1/companies?size=201")
    said = " ".join(each for exchange in front.exchanges for each in exchange.violations)
    assert "response.body.content.0.name" in said
    assert "client_secret" in said
    assert "request.query.size" in said
    assert "Invalid security scheme" in said
