"""What programs decide: with the version they looked at, in their name, and just as the grid does."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest
from api.conftest import ANALYST, Connect
from api.programs.conftest import named, problem, seen

from w365.model import Actor, DecisionKind, Role
from w365.service import Service
from w365.service.configuring.settings import set_setting
from w365.service.deciding.mapping import assign_account
from w365.service.reading.records import read_record

HERON = "/provider-accounts/2"
EMPTY = {"If-Match": '"0"'}


def history(service: Service, row: int = 2) -> list[tuple[str, DecisionKind, str]]:
    """Who decided what about which account, the oldest first."""
    record = read_record(service, ANALYST, row)
    return [(each.actor, each.kind, each.account or each.old_account) for each in reversed(record.history)]


def test_a_program_maps_unmaps_rejects_and_takes_back_in_its_own_name(client: httpx.Client, service: Service) -> None:
    row = client.put(f"{HERON}/mapping", json={"account": "a1"}, headers=EMPTY).json()
    assert (row["status"], row["account"]["crm_id"], row["origin"]) == ("mapped", "a1", "manual")
    row = client.delete(f"{HERON}/mapping", headers=seen(row)).json()
    assert (row["status"], row["account"]) == ("conflict", None)
    row = client.post(f"{HERON}/rejections", json={"account": "a1", "reason": "sold"}, headers=seen(row)).json()
    assert client.get(HERON).json()["rejected"] == ["a1"]
    assert [each["crm_id"] for each in client.get(f"{HERON}/candidates").json()["items"]] == ["a2"]
    row = client.delete(f"{HERON}/rejections/a1", headers=seen(row)).json()
    assert client.get(HERON).json()["rejected"] == []
    assert history(service) == [
        ("service:billing", kind, "Heron")
        for kind in (DecisionKind.MAP, DecisionKind.UNMAP, DecisionKind.REJECT, DecisionKind.UNREJECT)
    ]


def test_what_a_program_saves_is_what_the_grid_would_have_saved(client: httpx.Client, connect: Connect) -> None:
    """Two rows alike, one mapped here and one there, are alike after."""
    grid = connect(ANALYST)
    client.put("/provider-accounts/1/mapping", json={"account": "a1"}, headers=EMPTY)
    chosen = next(each for each in grid.get("/api/accounts?q=heron").json()["accounts"] if each["name"] == "Heron")
    grid.post("/api/mapping", json={"row": 2, "account": chosen["id"], "seen": 0})
    shown = grid.get("/api/rows").json()["rows"]
    by_program, by_grid = ({**row, "id": 0, "version": 0} for row in sorted(shown, key=lambda row: row["id"])[:2])
    own = ("name", "domain", "more", "specificId")
    assert {name: by_program[name] for name in by_program if name not in own} == {
        name: by_grid[name] for name in by_grid if name not in own
    }


def test_whoever_decided_since_is_named_and_nothing_is_changed(client: httpx.Client, service: Service) -> None:
    before = named(client, "Heron AG")
    assign_account(service, ANALYST, before["id"], 2, seen=0)
    for answer in (
        client.put(f"{HERON}/mapping", json={"account": "a1"}, headers=seen(before)),
        client.delete(f"{HERON}/mapping", headers=seen(before)),
        client.post(f"{HERON}/rejections", json={"account": "a1"}, headers=seen(before)),
        client.delete(f"{HERON}/rejections/a1", headers=seen(before)),
    ):
        assert problem(answer) == (412, "changed")
        assert "ana decided this row" in answer.json()["detail"]
        assert answer.json()["mapping"] == client.get(f"{HERON}/mapping").json()
    assert history(service) == [("ana", DecisionKind.MAP, "Heron Holding")]


def test_the_version_is_the_etag_of_the_mapping_and_of_each_decision(client: httpx.Client) -> None:
    before = client.get(f"{HERON}/mapping")
    after = client.put(f"{HERON}/mapping", json={"account": "a1"}, headers={"If-Match": before.headers["etag"]})
    now = client.get(f"{HERON}/mapping")
    assert before.headers["etag"] == '"0"'
    assert after.headers["etag"] == now.headers["etag"] == f'"{now.json()["version"]}"' != before.headers["etag"]
    assert now.json()["account"] == "a1"


@pytest.mark.parametrize(
    "version", ["0", 'W/"0"', "*", '""', '"0", "1"', '"-1"', '"x"', '"9007199254740992"', '"²"', '"1e3"']
)
def test_a_version_of_another_form_is_refused(client: httpx.Client, service: Service, version: str) -> None:
    answer = client.put(f"{HERON}/mapping", json={"account": "a1"}, headers={b"If-Match": version.encode()})  # type: ignore[dict-item]
    assert problem(answer) == (400, "malformed")
    assert history(service) == []


def test_without_a_version_nothing_is_decided(client: httpx.Client, service: Service) -> None:
    assert problem(client.put(f"{HERON}/mapping", json={"account": "a1"})) == (428, "no-version")
    assert problem(client.delete(f"{HERON}/mapping")) == (428, "no-version")
    assert history(service) == []


def test_an_account_that_nobody_knows_and_a_customer_that_nobody_knows(client: httpx.Client) -> None:
    assert problem(client.put(f"{HERON}/mapping", json={"account": "b9"}, headers=EMPTY)) == (404, "not-found")
    for path in ("/provider-accounts/99", "/provider-accounts/99/mapping", "/provider-accounts/x", "/accounts/b9"):
        assert problem(client.get(path)) == (404, "not-found")
    assert problem(client.put("/provider-accounts/99/mapping", json={"account": "a1"}, headers=EMPTY)) == (
        404,
        "not-found",
    )


def test_what_makes_no_sense_is_refused_with_the_service_s_sentence(client: httpx.Client) -> None:
    answer = client.delete(f"{HERON}/mapping", headers=EMPTY)
    assert problem(answer) == (409, "not-possible")
    assert "This provider account is not mapped." in answer.json()["detail"]


def test_a_unique_account_that_is_taken_is_refused(client: httpx.Client, service: Service) -> None:
    set_setting(service, Actor("ada", Role.ADMIN), "cardinality", "unique")
    client.put(f"{HERON}/mapping", json={"account": "a1"}, headers=EMPTY)
    answer = client.put("/provider-accounts/1/mapping", json={"account": "a1"}, headers=EMPTY)
    assert problem(answer) == (409, "policy")


# --- bodies ---

WRONG: list[tuple[Any, int, str]] = [
    (b"", 400, "malformed"),
    (b"{", 400, "malformed"),
    (b"[]", 400, "malformed"),
    (b'"a1"', 400, "malformed"),
    (b"\xff\xfe", 400, "malformed"),
    (b"[" * 4000, 400, "malformed"),
    (b"{}", 400, "malformed"),
    (b'{"account": null}', 400, "malformed"),
    (b'{"account": 1}', 400, "malformed"),
    (b'{"account": ""}', 400, "malformed"),
    (b'{"account": "a b"}', 400, "malformed"),
    (b'{"account": "a\\u0000"}', 400, "malformed"),
    (b'{"account": "a1", "acount": "a2"}', 400, "malformed"),
    (b'{"account": "' + b"a" * 65 + b'"}', 400, "malformed"),
    (b'{"account": "' + b"a" * 5000 + b'"}', 413, "too-large"),
]


@pytest.mark.parametrize(("body", "status", "kind"), WRONG, ids=range(len(WRONG)))
def test_a_body_of_another_shape_is_refused(
    client: httpx.Client, service: Service, body: bytes, status: int, kind: str
) -> None:
    headers = {**EMPTY, "Content-Type": "application/json"}
    assert problem(client.put(f"{HERON}/mapping", content=body, headers=headers)) == (status, kind)
    assert history(service) == []


@pytest.mark.parametrize("reason", ["a\\u0000", "\\ud800", "x" * 501])
def test_a_reason_that_no_database_keeps_is_refused(client: httpx.Client, reason: str) -> None:
    body = f'{{"account": "a1", "reason": "{reason}"}}'
    headers = {**EMPTY, "Content-Type": "application/json; charset=utf-8"}
    assert problem(client.post(f"{HERON}/rejections", content=body, headers=headers)) == (400, "malformed")


def test_a_body_that_is_not_called_json_is_refused(client: httpx.Client) -> None:
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "application/json-patch+json"):
        answer = client.put(f"{HERON}/mapping", content=b'{"account":"a1"}', headers={**EMPTY, "Content-Type": kind})
        assert problem(answer) == (415, "no-json")


def test_a_body_without_end_is_answered_before_it_ends(client: httpx.Client) -> None:
    url = client.base_url
    head = f"PUT /api/v1{HERON}/mapping HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: 99999999999\r\n"
    head += f'If-Match: "0"\r\nAuthorization: {client.headers["Authorization"]}\r\n\r\n'
    with socket.create_connection((url.host, url.port or 80), timeout=20) as connection:
        connection.sendall(head.encode() + b" " * 5000)
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_whoever_leaves_in_the_middle_of_a_question_has_asked_for_nothing(client: httpx.Client) -> None:
    url = client.base_url
    head = f"POST /api/v1/matches HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: 2\r\n"
    head += f"Content-Type: application/json\r\nAuthorization: {client.headers['Authorization']}\r\n\r\n"
    with socket.create_connection((url.host, url.port or 80), timeout=20) as connection:
        connection.sendall(head.encode())
        client.get("/runs")  # by then the server has the beginning, and reads on
    for _ in range(5):
        assert len(client.get("/runs").json()["items"]) == 1
