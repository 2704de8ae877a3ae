"""What programs read: every record once, page by page, and decisions from a cursor on; and what is refused."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import httpx
import pytest
from api.conftest import ADMIN, ANALYST, CUSTOMERS, Server
from api.programs.conftest import Program, make, named, problem, seen

from w365.api.programs.description import PREFIX
from w365.api.programs.operations import OPERATIONS
from w365.errors import StoreError
from w365.jobs import execute_run
from w365.model import Role
from w365.service import Service
from w365.service.deciding.mapping import assign_account
from w365.service.insight.statistics import read_statistics
from w365.source_records import Customer, CustomerDomain, Subscription
from w365.store.syncing.customers import store_customers

PATHS = sorted({operation.path for operation in OPERATIONS if operation.method == "GET"})


def pages(client: httpx.Client, path: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Page after page, until there is none."""
    cursor: dict[str, Any] = {}
    while True:
        answer = client.get(path, params=query | cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page["items"]
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}


@pytest.fixture
def _subscriptions(service: Service) -> None:
    """Five customers with two subscriptions each, one of them ended."""
    customers = [
        Customer(
            f"s{number}",
            f"Swift {number}",
            "",
            (CustomerDomain(f"swift{number}.example", is_default=True),),
            "test",
            (
                Subscription(f"ä/{number} %~", "Business", 10 * number, "active", "", None),
                Subscription(f"old{number}", "Basic", 1, "deleted", "", None),
            ),
        )
        for number in range(5)
    ]
    with service.store.write() as connection:
        store_customers(connection, 2, customers, service.clock())


def test_every_provider_account_is_met_once_whatever_the_size_of_a_page(client: httpx.Client) -> None:
    whole = [row["id"] for row in client.get("/provider-accounts").json()["items"]]
    assert len(whole) == len(CUSTOMERS)
    for limit in (1, 2, 3, 4):
        parts = [[row["id"] for row in page] for page in pages(client, "/provider-accounts", limit=limit)]
        assert list(chain(*parts)) == whole
        assert all(len(part) == limit for part in parts[:-1])


def test_what_changes_meanwhile_moves_no_page(client: httpx.Client, service: Service) -> None:
    met = []
    for page in pages(client, "/provider-accounts", limit=1):
        met.extend(page)
        assign_account(service, ANALYST, page[0]["id"], 1, seen=0)
    assert [row["name"] for row in met] == [customer.name for customer in CUSTOMERS]


def test_filters_narrow_together_as_in_the_grid(client: httpx.Client) -> None:
    def names(**query: Any) -> list[str]:
        return [row["name"] for row in client.get("/provider-accounts", params=query).json()["items"]]

    assert names(status="conflict") == ["Heron AG"]
    assert names(status=["conflict", "unmapped"], provider=2, text="heron") == ["Heron AG"]
    assert names(reason="no_domain") == [CUSTOMERS[2].name]
    assert names(provider=1) == names(status="mapped") == names(part="gone") == []
    assert names(text="株式会社") == [CUSTOMERS[2].name]


def test_a_mapping_is_listed_with_the_ids_that_both_sides_know(client: httpx.Client) -> None:
    heron = named(client, "Heron AG")
    client.put(f"/provider-accounts/{heron['id']}/mapping", json={"account": "a2"}, headers=seen(heron))
    (mapping,) = client.get("/mappings").json()["items"]
    assert (mapping["specific_id"], mapping["provider_id"], mapping["account"]) == ("2", 2, "a2")
    assert mapping == client.get(f"/provider-accounts/{heron['id']}/mapping").json()
    assert client.get("/mappings?provider=1").json() == {"items": [], "next": None}
    assert client.get("/accounts/a2").json()["mapped"] == 1


@pytest.mark.usefixtures("_subscriptions")
def test_every_subscription_is_met_once_and_odd_ids_do_no_harm_to_a_cursor(client: httpx.Client) -> None:
    whole = client.get("/subscriptions").json()["items"]
    assert len(whole) == 10
    for limit in (1, 3):
        assert list(chain(*pages(client, "/subscriptions", limit=limit))) == whole
    assert {row["state"] for row in client.get("/subscriptions?state=ended").json()["items"]} == {"ended"}


def test_decisions_are_followed_from_a_cursor_on(client: httpx.Client) -> None:
    assert client.get("/decisions").json() == {"items": [], "next": 0, "has_more": False}
    row = named(client, "Heron AG")
    for account in ("a1", "a2", "a3"):
        path = f"/provider-accounts/{row['id']}/mapping"
        row = client.put(path, json={"account": account}, headers=seen(row)).json()
    first = client.get("/decisions?limit=2").json()
    assert [each["account"] for each in first["items"]] == ["a1", "a2"]
    assert [each["old_account"] for each in first["items"]] == [None, "a1"]
    assert {each["actor"] for each in first["items"]} == {"service:billing"}
    assert (first["has_more"], first["next"]) == (True, first["items"][-1]["id"])
    rest = client.get(f"/decisions?since={first['next']}").json()
    assert [each["account"] for each in rest["items"]] == ["a3"]
    assert rest["has_more"] is False
    assert client.get(f"/decisions?since={rest['next']}").json() == {
        "items": [],
        "next": rest["next"],
        "has_more": False,
    }


def test_the_numbers_are_those_of_the_statistics_page(client: httpx.Client, service: Service) -> None:
    assign_account(service, ANALYST, 2, 1, seen=0)
    told, shown = client.get("/statistics").json(), read_statistics(service, ANALYST)
    assert told["provider_accounts"]["match_rate"] == shown.totals.match_rate == 1 / 3
    assert told["provider_accounts"]["unmapped"] == shown.totals.unmapped == 2
    assert [(each["word"], each["provider_accounts"]) for each in told["by_source"]] == [("By hand", 1)]
    assert told["by_hand"] == 1.0


def test_a_match_is_started_asked_for_and_done(client: httpx.Client, service: Service) -> None:
    begun = client.post("/matches", json={"full": True})
    assert (begun.status_code, begun.json()["state"], begun.json()["actor"]) == (202, "queued", "service:billing")
    assert begun.headers["location"] == f"{PREFIX}/runs/{begun.json()['id']}"
    assert problem(client.post("/matches")) == (409, "already-running")
    execute_run(service, begun.json()["id"])
    ended = client.get(f"/runs/{begun.json()['id']}").json()
    assert (ended["run"]["state"], ended["run"]["result"]["conflict"], ended["problems"]) == ("done", 1, [])
    assert client.get("/runs?limit=1").json()["items"] == [ended["run"]]


def test_a_run_that_waits_is_cancelled_and_one_that_ended_is_not(client: httpx.Client) -> None:
    run = client.post("/matches").json()
    assert client.post(f"/runs/{run['id']}/cancel").json()["state"] == "cancelled"
    assert problem(client.post(f"/runs/{run['id']}/cancel")) == (409, "not-possible")
    assert problem(client.get("/runs/999")) == (404, "not-found")


def test_what_cannot_be_synced_is_refused_with_the_reason(client: httpx.Client) -> None:
    assert problem(client.post("/providers/1/syncs", json={"full": False})) == (409, "not-connected")
    assert problem(client.post("/providers/2/syncs")) == (409, "not-possible")
    assert problem(client.post("/providers/9/syncs")) == (404, "not-found")
    assert problem(client.post("/crm/syncs")) == (409, "not-connected")


@pytest.mark.parametrize(
    "query",
    [
        "status=open",
        "status=",
        "staus=mapped",
        "provider=0",
        "provider=x",
        "provider=-1",
        "provider=²",
        "provider=9007199254740992",
        "limit=0",
        "limit=501",
        "limit=",
        "limit=1&limit=2",
        "cursor=-1",
        "cursor=x",
        "text=" + "a" * 201,
        "text=a%00b",
        "part=new",
        "&".join(["provider=1"] * 51),
    ],
)
def test_a_query_of_another_shape_is_refused(client: httpx.Client, query: str) -> None:
    assert problem(client.get(f"/provider-accounts?{query}")) == (400, "malformed")


@pytest.mark.parametrize(
    "cursor", ["x", "open~1~1~a", "blocked~1~1", "blocked~-1~1~a", "blocked~1~1~a b", "blocked~1~1~ä"]
)
def test_a_cursor_that_nobody_gave_is_refused(client: httpx.Client, cursor: str) -> None:
    assert problem(client.get("/subscriptions", params={"cursor": cursor})) == (400, "malformed")


@pytest.mark.parametrize("cursor", ["blocked~1~1~%00", "ended~0~999999999999999~%ff%", "ready~999999999~1~a"])
def test_a_cursor_that_could_be_one_finds_what_comes_after(client: httpx.Client, cursor: str) -> None:
    assert client.get("/subscriptions", params={"cursor": cursor}).status_code == 200


# --- what else comes ---


def test_another_address_or_method_is_refused_with_what_there_is(client: httpx.Client) -> None:
    for path in ("", "/", "/nothing", "/providers/", "/provider-accounts/1/2/3"):
        assert problem(client.get(path)) == (404, "not-found")
    answer = client.put("/matches", json={})
    assert problem(answer) == (405, "no-such-method")
    assert answer.headers["allow"] == "POST"
    assert client.delete("/providers").headers["allow"] == "GET, HEAD"
    assert client.get("/provider-accounts/1/rejections").headers["allow"] == "POST"
    assert client.patch("/provider-accounts/1/mapping").headers["allow"] == "GET, HEAD, PUT, DELETE"


def test_a_body_where_none_belongs_is_refused(client: httpx.Client) -> None:
    answer = client.request("DELETE", "/provider-accounts/2/mapping", content=b"{}", headers={"If-Match": '"0"'})
    assert problem(answer) == (400, "malformed")


def test_no_answer_is_kept_or_guessed_at(client: httpx.Client) -> None:
    for path in ("/providers", "/nothing", "/openapi.json", "/provider-accounts?limit=0"):
        headers = client.get(path).headers
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_names_come_as_they_are(client: httpx.Client) -> None:
    assert named(client, CUSTOMERS[2].name)["why"] == "No domain"
    assert "株式会社".encode() in client.get("/provider-accounts").content


def test_an_error_that_nobody_foresaw_is_told_by_a_reference_that_stands_in_the_log(
    program: Program, server: Server, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    client = program()
    server.get_service = lambda: replace(service, clock=None)  # type: ignore[arg-type]
    answer = client.get("/statistics")
    assert problem(answer) == (500, "unforeseen")
    assert f"reference {answer.json()['reference']}" in caplog.text


def test_a_database_that_does_not_answer_is_told_with_when_to_come_back(
    program: Program, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    def gone() -> Service:
        raise StoreError("The database cannot be reached.", do="Wait.")

    client = program()
    caplog.set_level(logging.CRITICAL)
    server.get_service = gone
    answer = client.get("/providers")
    assert problem(answer) == (503, "unavailable")
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("path", PATHS)
def test_a_head_says_what_a_get_would_without_it(client: httpx.Client, path: str) -> None:
    path = path.format(id=1, crm_id="a1") + ("?text=heron" if path == "/accounts" else "")
    head = client.head(path)
    assert (head.status_code, head.content) == (200, b"")


def test_whatever_comes_acts_as_its_own_account(program: Program, service: Service) -> None:
    other = program(secret=make(service, Role.ANALYST, "crm.export").secret)
    row = named(other, "Heron AG")
    other.put(f"/provider-accounts/{row['id']}/mapping", json={"account": "a1"}, headers=seen(row))
    assert other.get("/decisions").json()["items"][0]["actor"] == "service:crm.export"
    assert ADMIN.name not in str(other.get("/decisions").json())
