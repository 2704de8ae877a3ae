from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.servers import ADATUM, COHO, DEPARTED, client, running, small_world
from w365.demo.partner_center.server import AUDIENCE, PartnerCenterServer
from w365.demo.servers import Servers
from w365.demo.tokens import NOBODY, Person, TokenIssuer
from w365.demo.wire import BOM, Request
from w365.demo.world import Reseller


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("partner")) as servers:
        yield servers


@pytest.fixture
def http(servers: Servers) -> Iterator[httpx.Client]:
    with client(servers, "partner_center", AUDIENCE) as http:
        yield http


def body(answer: httpx.Response) -> Any:
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return json.loads(answer.content.decode("utf-8-sig"))


def test_paging_to_the_end_gives_every_customer_once(http: httpx.Client) -> None:
    customers, uri, headers = [], "/customers?size=2", {}
    while uri:
        page = body(http.get(f"/v1{uri}", headers=headers))
        customers += page["items"]
        link = page["links"].get("next", {"uri": "", "headers": []})
        uri, headers = link["uri"], {entry["key"]: entry["value"] for entry in link["headers"]}
    assert [item["id"] for item in customers] == [customer.id for customer in small_world().customers]
    assert customers[0]["companyProfile"]["companyName"] == "Adatum Ltd"
    assert "address" not in customers[0]["companyProfile"]


def test_the_next_page_needs_the_continuation_header(http: httpx.Client) -> None:
    link = body(http.get("/v1/customers?size=2"))["links"]["next"]
    assert "seekOperation=Next" in link["uri"]
    assert http.get(f"/v1{link['uri']}").status_code == 400
    assert http.get(f"/v1{link['uri']}", headers={"MS-ContinuationToken": "nonsense"}).status_code == 400
    foreign = base64.b64encode(b"another world:2").decode()
    assert http.get(f"/v1{link['uri']}", headers={"MS-ContinuationToken": foreign}).status_code == 400


def test_size_zero_is_the_default_and_the_only_page_has_no_next(http: httpx.Client) -> None:
    page = body(http.get("/v1/customers?size=0"))
    assert len(page["items"]) == 5
    assert "next" not in page["links"]


@pytest.mark.parametrize(
    ("field", "value", "names"), [("CompanyName", "co", ["Coho Winery GmbH"]), ("Domain", "ad", ["Adatum Ltd"])]
)
def test_a_filter_finds_beginnings_whatever_their_case(
    http: httpx.Client, field: str, value: str, names: list[str]
) -> None:
    text = json.dumps({"Field": field, "Value": value.upper(), "Operator": "starts_with"})
    page = body(http.get("/v1/customers", params={"filter": text}))
    assert [item["companyProfile"]["companyName"] for item in page["items"]] == names


def test_only_verified_domains_are_listed(http: httpx.Client) -> None:
    """In a bare list of names, as Microsoft publishes it."""
    assert body(http.get(f"/v1/customers/{COHO}/customDomains")) == [
        "xn--coho-gppner-0bb.de",
        "coho-winery.de",
        "coho.onmicrosoft.com",
    ]


def test_a_customer_by_id_has_its_country_and_no_custom_domains(http: httpx.Client) -> None:
    record = body(http.get(f"/v1/customers/{ADATUM}"))
    assert record["billingProfile"]["defaultAddress"]["country"] == "GB"
    assert "customDomains" not in record


def test_subscriptions_keep_undocumented_words(http: httpx.Client) -> None:
    items = body(http.get(f"/v1/customers/{ADATUM}/subscriptions"))["items"]
    assert [(item["quantity"], item["status"], item["termDuration"]) for item in items] == [
        (12, "active", "P1Y"),
        (3, "disabled", "P1M"),
    ]


def test_a_departed_customer_is_listed_but_refused(http: httpx.Client) -> None:
    for part in ("", "/customDomains", "/subscriptions"):
        answer = http.get(f"/v1/customers/{DEPARTED}{part}")
        assert answer.status_code == 403
        assert body(answer)["code"] == 20002


def test_a_taken_domain_is_found_and_a_free_one_is_not(http: httpx.Client) -> None:
    assert http.head("/v1/domains/adatum.onmicrosoft.com").status_code == 200
    assert http.head("/v1/domains/nobody.onmicrosoft.com").status_code == 404


def test_request_and_correlation_id_come_back(http: httpx.Client) -> None:
    given = {"MS-RequestId": "aa", "MS-CorrelationId": "bb"}
    answer = http.get("/v1/nowhere", headers=given)
    assert answer.status_code == 404
    assert (answer.headers["ms-requestid"], answer.headers["ms-correlationid"]) == ("aa", "bb")


def test_a_token_for_another_audience_is_refused(servers: Servers) -> None:
    with client(servers, "partner_center", servers.urls["dataverse"]) as http:
        answer = http.get("/v1/customers")
    assert answer.status_code == 401
    assert body(answer)["code"] == 900420


def test_without_or_with_an_expired_token_the_answer_is_an_empty_401(servers: Servers, http: httpx.Client) -> None:
    servers.expire_tokens()
    expired = http.get("/v1/customers")
    missing = http.get("/v1/customers", headers={"authorization": ""})
    assert [(answer.status_code, answer.content) for answer in (expired, missing)] == [(401, b"")] * 2
    assert expired.headers["www-authenticate"].startswith("Bearer")


def test_a_token_ends_with_its_time() -> None:
    now = [1000.0]
    tokens = TokenIssuer(clock=lambda: now[0], lifetime=60)
    token = tokens.issue(AUDIENCE, "client", "tenant")
    assert tokens.read(token) is not None
    now[0] = 1061
    assert tokens.read(token) is None
    assert tokens.read("not.a.token") is None


def test_beyond_the_limit_the_gateway_says_how_long_to_wait() -> None:
    now, tokens = [0.0], TokenIssuer()
    service = PartnerCenterServer(small_world(), tokens, calls_per_minute=2, clock=lambda: now[0])
    request = Request("GET", "/v1/customers", headers={"authorization": f"Bearer {tokens.issue(AUDIENCE, 'c', 't')}"})
    assert [service(request).status for _ in range(3)] == [200, 200, 429]
    refused = service(request)
    assert dict(refused.headers)["retry-after"] == "61"
    assert json.loads(refused.body)["message"] == "Rate limit is exceeded. Try again in 61 seconds."
    now[0] = 61
    assert service(request).status == 200


@pytest.fixture
def resold() -> PartnerCenterServer:
    reseller = Reseller("77777777-7777-4777-8777-000000000001", "Saltmarsh", "5102218", "GB", frozenset({COHO}))
    return PartnerCenterServer(replace(small_world(), resellers=(reseller,)), TokenIssuer())


def ask(service: PartnerCenterServer, path: str, query: str, person: Person = NOBODY) -> tuple[int, Any]:
    token = service.tokens.issue(AUDIENCE, "client", "tenant", person)
    reply = service(Request("GET", path, query, {"authorization": f"Bearer {token}"}))
    return reply.status, json.loads(reply.body.removeprefix(BOM))


def test_resellers_are_told_to_a_person_only(resold: PartnerCenterServer) -> None:
    query = "relationship_type=IsIndirectCloudSolutionProviderOf"
    status, refused = ask(resold, "/v1/relationships", query)
    assert (status, refused["code"]) == (403, 900329)
    status, listed = ask(resold, "/v1/relationships", query, Person("ada", has_mfa=True))
    assert (status, [item["name"] for item in listed["items"]]) == (200, ["Saltmarsh"])


@pytest.mark.parametrize("part", ["profiles/company", "relationships"])
def test_profile_and_resellers_of_a_customer_are_told_to_a_person_only(resold: PartnerCenterServer, part: str) -> None:
    status, refused = ask(resold, f"/v1/customers/{COHO}/{part}", "")
    assert (status, refused["code"]) == (403, 900329)
    status, told = ask(resold, f"/v1/customers/{COHO}/{part}", "", Person("ada", has_mfa=True))
    assert status == 200
    if part == "relationships":
        assert [item["name"] for item in told["items"]] == ["Saltmarsh"]
        _, none = ask(resold, f"/v1/customers/{ADATUM}/{part}", "", Person("ada", has_mfa=True))
        assert none["items"] == []
    else:
        assert (told["companyName"], told["address"]["country"]) == ("Coho Winery GmbH", "DE")


def test_the_list_narrowed_to_a_reseller_has_its_customers_alone(resold: PartnerCenterServer) -> None:
    narrowed = {"Field": "IndirectReseller", "Value": resold.world.resellers[0].id, "Operator": "starts_with"}
    _, listed = ask(resold, "/v1/customers", f"filter={json.dumps(narrowed)}")
    assert [item["id"] for item in listed["items"]] == [COHO]
    status, _ = ask(resold, "/v1/customers", f"filter={json.dumps(narrowed | {'Operator': 'ends_with'})}")
    assert status == 400
