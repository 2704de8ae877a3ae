"""Microsoft's own description of Partner Center's customer service, held against our client and our demo at once."""

from __future__ import annotations

import json
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from browserless_sign_in import consent
from onboarding_world import NEW

from tests.proof.prism import prism
from tests.proof.relay import Relay, relay
from tests.servers import ADATUM, client, running, small_world
from w365.config import load_settings
from w365.connection import Connection, SignIn
from w365.demo import tokens as demo_tokens
from w365.demo.faults import Fault
from w365.demo.partner_center.server import AUDIENCE
from w365.demo.servers import Servers
from w365.demo.world import Customer, Reseller, World
from w365.http.sign_in.authorization_code import begin, finish
from w365.portals.partner_center.connector import connect_partner_center, user_scope

SWAGGER = Path(__file__).parents[2] / ".." / "shared" / "recordings" / "partner-center-swagger" / "CustomerService.json"

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(not SWAGGER.exists(), reason="the recordings lie beside the project, not in it"),
]


def specification() -> Any:
    """The description as published, with its own mistakes mended."""
    found = json.loads(SWAGGER.read_text(encoding="utf-8-sig"))
    # These name the machine behind the gateway; partners reach the service at another host, without that folder.
    del found["host"], found["basePath"]
    assert retype(found) == 26
    # It promises a body for HEAD, which HTTP forbids.
    for path in found["paths"].values():
        for answer in path.get("head", {}).get("responses", {}).values():
            answer.pop("schema", None)
    seek = next(each for each in found["paths"]["/v{version}/customers"]["get"]["parameters"] if each["name"] == SEEK)
    # The number of the word. Microsoft's own SDK sends the word, and links for the next page carry it.
    assert seek["enum"] == [0, 1, 2, 3, 4]
    # Here the names are as in answers; the published page asks with those of the SDK.
    kind = next(one for one in found["paths"]["/v{version}/relationships"]["get"]["parameters"] if one["name"] == KIND)
    assert kind["enum"] == ["none", "is_indirect_reseller_of", "is_indirect_cloud_solution_provider_of"]
    kind["enum"] = ["None", "IsIndirectResellerOf", "IsIndirectCloudSolutionProviderOf"]
    seek |= {"type": "string", "format": "", "enum": ["Next", "Previous", "First", "Last", "PageIndex"]}
    return found


PASSWORD = "System.Security.SecureString"
SEEK = "seekOperation"
KIND = "relationship_type"
CUSTOMER = "Microsoft.Partner.Service.Customers.Contracts.V1.Customer"


def retype(part: Any) -> int:
    """Make enumerations of words text where they are declared to be integers; every published sample has the words."""
    if isinstance(part, list):
        return sum(map(retype, part))
    if not isinstance(part, dict):
        return 0
    is_wrong = part.get("type") == "integer" and any(isinstance(each, str) for each in part.get("enum", ()))
    if is_wrong:
        part["type"] = "string"
        part.pop("format", None)
    return is_wrong + sum(map(retype, part.values()))


def two_pages() -> World:
    """The small world and as many customers more as make a second page of 500."""
    world = small_world()
    more = (Customer(f"11111111-1111-4111-8111-{n:012}", f"Customer {n}", f"c{n}.example") for n in range(100, 597))
    return replace(world, customers=(*world.customers, *more), fingerprint="")


@contextmanager
def judged(servers: Servers, folder: Path, spec: Any) -> Iterator[tuple[Relay, Connection]]:
    """Put the validating proxy before the demo: our connection to it, and what it said."""
    authority = trustme.CA()
    bundle = folder / "both.pem"
    bundle.write_bytes(authority.cert_pem.bytes() + servers.ca_bundle.read_bytes())
    with (
        relay(servers.urls["partner_center"], trusted=servers.ca_bundle) as behind,
        prism(spec, behind.url, folder) as proxy,
        relay(proxy, authority=authority) as front,
    ):
        own = {"W365_HOME": str(folder), "W365_PARTNER_CENTER_URL": front.url, "W365_CA_BUNDLE": str(bundle)}
        connection = load_settings(servers.environment() | own).partner_center
        assert connection
        yield front, connection


def test_every_call_of_a_sync_and_every_answer_fits_the_description(tmp_path: Path) -> None:
    with running(tmp_path / "demo", two_pages()) as servers, judged(servers, tmp_path, specification()) as judge:
        front, connection = judge
        with closing(connect_partner_center(connection)) as portal:
            portal.verify()
            customers = [each for page in portal.pages() for each in page.customers]
    assert len(customers) == 502
    targets = [each.target for each in front.described()]
    assert targets[:2] == ["/v1/customers?size=1", "/v1/customers?size=500"]
    assert "seekOperation=Next" in targets[2]
    assert len(targets) == 3
    assert [each.violations for each in front.described()] == [()] * 3
    # The published description is older than these two; nobody but us says what they look like.
    assert {each.target.rpartition("/")[2] for each in front.undescribed()} == {"customDomains", "subscriptions"}


def test_what_else_the_demo_serves_fits_too(tmp_path: Path) -> None:
    with running(tmp_path / "demo") as servers, judged(servers, tmp_path, specification()) as (front, connection):
        with client(servers, "partner_center", "https://api.partnercenter.microsoft.com") as signed_in:
            headers = {"authorization": signed_in.headers["authorization"]}
        with httpx.Client(
            base_url=front.url, headers=headers, verify=ssl.create_default_context(cafile=connection.ca_bundle)
        ) as http:
            assert http.get(f"/v1/customers/{ADATUM}").json()["id"] == ADATUM
            assert http.head("/v1/domains/adatum.onmicrosoft.com").status_code == 200
    assert [(each.method, each.violations) for each in front.exchanges] == [("GET", ()), ("HEAD", ())]


class Person:
    """Somebody who signed in once; keeps the token that comes with every use."""

    def __init__(self, connection: Connection) -> None:
        back = "http://localhost:8501/api/signed-in"
        flow = begin("Partner Center", connection, user_scope(connection), back)
        answer = consent(flow["auth_uri"], Path(str(connection.ca_bundle)))
        self.token = finish("Partner Center", connection, flow, answer).refresh_token

    def redeem(
        self,
        exchange: Callable[[str], Mapping[str, Any]],
        check: Callable[[], None],
        *,
        is_own_tenant: bool = True,
    ) -> Mapping[str, Any]:
        check()
        grant = exchange(self.token)
        self.token = grant.get("refresh_token", self.token)
        return grant


def test_what_is_read_of_resellers_and_of_single_customers_fits_too(tmp_path: Path) -> None:
    reseller = Reseller("7c5e0f3a-2d14-4a86-9b61-5f2d8c0e4a71", "Saltmarsh Digital", "1", "GB", frozenset({ADATUM}))
    world = replace(small_world(), resellers=(reseller,))
    with running(tmp_path / "demo", world) as servers, judged(servers, tmp_path, specification()) as judge:
        front, plain = judge
        servers.faults.append(Fault("partner_center", path_contains=f"{ADATUM}/customDomains", status=403, times=0))
        connection = replace(plain, sign_in=SignIn.APP_USER, consent=Person(plain))
        with closing(connect_partner_center(connection)) as portal:
            read = {each.specific_id: each for page in portal.pages() for each in page.customers}
        token = servers.tokens.issue(
            AUDIENCE, plain.client_id, plain.tenant_id, demo_tokens.Person("ada", has_mfa=True)
        )
        trust = ssl.create_default_context(cafile=plain.ca_bundle)
        with httpx.Client(base_url=front.url, verify=trust, headers={"authorization": f"Bearer {token}"}) as http:
            for part in ("profiles/company", "relationships"):
                http.get(f"/v1/customers/{ADATUM}/{part}").raise_for_status()
    assert read[ADATUM].relationship == "reseller through Saltmarsh Digital"
    assert read[ADATUM].domain_source == "Microsoft Graph"
    assert [(each.target.partition("?")[0], each.violations) for each in front.described()] == [
        ("/v1/relationships", ()),
        ("/v1/customers", ()),
        ("/v1/customers", ()),
        (f"/v1/customers/{ADATUM}", ()),
        (f"/v1/customers/{ADATUM}/profiles/company", ()),
        (f"/v1/customers/{ADATUM}/relationships", ()),
    ]


def test_creating_a_customer_fits_the_description(tmp_path: Path) -> None:
    spec = specification()
    paths = spec["paths"]
    # Every published sample of the call has 201, the description 200; and the samples have the password as text.
    # The same for a free domain: the published page says 404, the description knows no other answer than 200.
    paths["/v{version}/domains/{domain}"]["head"]["responses"]["404"] = {"description": "The domain is free."}
    create = paths["/v{version}/customers"]["post"]["responses"]
    create["201"] = create.pop("200")
    spec["definitions"][PASSWORD] = {"type": "string"}
    with (
        running(tmp_path / "demo") as servers,
        judged(servers, tmp_path, spec) as (front, connection),
        closing(connect_partner_center(connection)) as portal,
    ):
        onboarding = portal.onboarding
        assert onboarding.is_free(NEW.domain)
        onboarding.check_address(NEW)
        assert onboarding.create(NEW, str(uuid.uuid4())).credentials
        assert onboarding.request_link()
    assert [(each.method, each.target.partition("/v1/")[2], each.violations) for each in front.described()] == [
        ("HEAD", f"domains/{NEW.domain}", ()),
        ("POST", "validations/address", ()),
        ("POST", "customers", ()),
        ("GET", "customers/relationshiprequests", ()),
    ]


def test_the_judge_sees_what_is_wrong(tmp_path: Path) -> None:
    """Without this the other tests might pass because nobody looks."""
    spec = specification()
    spec["definitions"][CUSTOMER]["properties"]["id"] = {"type": "integer"}
    with running(tmp_path / "demo") as servers, judged(servers, tmp_path, spec) as (front, connection):
        with closing(connect_partner_center(connection)) as portal:
            portal.verify()
        with httpx.Client(base_url=front.url, verify=ssl.create_default_context(cafile=connection.ca_bundle)) as http:
            http.get("/v1/customers", params={"size": "many", "seekOperation": "Sideways"})
    said = " ".join(each for exchange in front.described() for each in exchange.violations)
    assert "response.body.items.0.id" in said
    assert "request.query.size" in said
    assert "request.query.seekOperation" in said or "request.query.seekoperation" in said
    assert "request.header" in said or "authorization" in said.lower()
