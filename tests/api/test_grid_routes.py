from __future__ import annotations

import datetime as dt
import itertools
import json
import logging
import socket
import threading
from typing import Any

import httpx
import pytest
from api.conftest import ACCOUNTS, ADMIN, ANALYST, BROWSER, CUSTOMERS, SECRET, VIEWER, Connect, Server

from w365.api import tokens
from w365.api.browsers import COOKIE
from w365.model import Actor, Role
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding.mapping import clear_mapping, park_row
from w365.source_records import CrmAccount
from w365.store.syncing.crm_accounts import store_account

ODD_NAME = CUSTOMERS[2].name


def rows(client: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/rows", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["rows"])


def row(client: httpx.Client, name: str) -> dict[str, Any]:
    return next(one for one in rows(client) if one["name"] == name)


def found(client: httpx.Client, text: str) -> list[dict[str, Any]]:
    return list(client.get("/api/accounts", params={"q": text}).json()["accounts"])


def save(client: httpx.Client, of: dict[str, Any], account: int | None, **changes: Any) -> Any:
    return client.post("/api/mapping", json={"row": of["id"], "account": account, "seen": of["version"]} | changes)


# --- who asks ---


@pytest.mark.parametrize("path", ["/api/rows", "/api/accounts?q=heron"])
@pytest.mark.parametrize(
    "token",
    [None, "", "nonsense", tokens.mint_token("a foreign key", ADMIN, tokens.browser_of(BROWSER))],
    ids=["none", "empty", "nonsense", "foreign"],
)
def test_without_a_token_of_this_app_nothing_is_told(client: httpx.Client, path: str, token: str | None) -> None:
    client.headers.pop(tokens.HEADER)
    answer = client.get(path, headers={} if token is None else {tokens.HEADER: token})
    assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert answer.json()["error"].endswith("Reload the page.")


def test_a_made_up_token_is_logged_with_where_it_came_from(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with Server() as server, httpx.Client(base_url=server.url, trust_env=False, verify=False) as client:
        server.get_service = lambda: service
        for token in ("made up", "made up again"):
            assert client.get("/api/rows", headers={tokens.HEADER: token}).status_code == 401
        old = tokens.mint_token(SECRET, ANALYST, tokens.browser_of(BROWSER))
        assert client.get("/api/rows", headers={tokens.HEADER: old}).status_code == 401
    told = [record.getMessage() for record in caplog.records if record.name == "w365.api.refusal_log"]
    assert [line.split(" from ")[0] for line in told] == [
        "refused (This page is not signed in.) GET '/api/rows'",
        "refused (This page was opened in another browser.) GET '/api/rows'",
    ]
    assert all("from 127.0.0.1" in line and "made up" not in line for line in told)


def test_without_a_token_nothing_is_saved(client: httpx.Client, connect: Connect) -> None:
    of = row(client, "Kestrel GmbH")
    assert save(connect(None), of, 1).status_code == 401
    assert row(client, "Kestrel GmbH") == of


def test_a_viewer_may_look_but_not_save(connect: Connect) -> None:
    client = connect(VIEWER)
    of = row(client, "Kestrel GmbH")
    answer = save(client, of, found(client, "heron")[0]["id"])
    assert answer.status_code == 403
    assert "needs the role analyst" in answer.json()["error"]
    assert answer.json()["row"] == of == row(client, "Kestrel GmbH")


def test_no_answer_is_kept_or_guessed_at_by_the_browser(client: httpx.Client) -> None:
    for answer in (client.get("/api/rows"), client.get("/api/rows?sort=x"), client.post("/api/mapping")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


# --- rows ---


def test_a_row_says_its_status_and_reason_in_words(client: httpx.Client) -> None:
    heron = row(client, "Heron AG")
    assert (heron["status"], heron["statusWord"], heron["hint"]) == (
        "conflict",
        "Conflict",
        "Choose: 2 accounts share the domain",
    )
    assert heron["mustChoose"]
    assert (heron["domain"], heron["more"]) == ("heron.de", 1)
    assert row(client, ODD_NAME)["why"] == "No domain"


def test_a_row_set_aside_says_the_reason_and_the_day(client: httpx.Client, service: Service) -> None:
    heron = row(client, "Heron AG")
    until = service.clock().date() + dt.timedelta(days=9)
    park_row(service, ANALYST, heron["id"], seen=heron["version"], reason="waits for a merger", until=until)
    assert row(client, "Heron AG")["why"] == f"Until {until}: waits for a merger"


def test_the_total_is_counted_unless_the_client_was_told_it(client: httpx.Client) -> None:
    assert client.get("/api/rows", params={"start": 0, "end": 1}).json()["total"] == 3
    assert client.get("/api/rows", params={"start": 1, "end": 2, "total": 77}).json()["total"] == 77


def test_blocks_side_by_side_give_every_row_once_in_order(client: httpx.Client) -> None:
    for descending in (0, 1):
        whole = [one["id"] for one in rows(client, sort="name", descending=descending)]
        parts = [rows(client, sort="name", descending=descending, start=at, end=at + 1) for at in range(3)]
        assert [one["id"] for one in itertools.chain(*parts)] == whole
    assert whole == [one["id"] for one in rows(client)][::-1]


COLUMNS = ["name", "domain", "account", "status", "reason", "seats", "provider", "specific_id", "decided"]


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_sorts(client: httpx.Client, column: str) -> None:
    assert len(rows(client, sort=column, descending=1)) == 3


def test_the_filter_parts_narrow_together(client: httpx.Client) -> None:
    assert [one["name"] for one in rows(client, status="conflict")] == ["Heron AG"]
    assert rows(client, status="conflict", text="kestrel") == []
    assert [one["name"] for one in rows(client, reason="no_domain")] == [ODD_NAME]
    assert len(client.get("/api/rows?status=conflict&status=unmapped").json()["rows"]) == 3
    assert rows(client, provider=999) == []
    assert rows(client, status="gone") == []


@pytest.mark.parametrize(
    "text", ["100%", "“Osprey”", "O'Neil", "<b>", "株式会社", "%", "_", "'; DROP TABLE worklist;--"]
)
def test_any_text_can_be_searched_for(client: httpx.Client, text: str) -> None:
    assert client.get("/api/rows", params={"text": text}).status_code == 200
    assert client.get("/api/accounts", params={"q": text}).status_code == 200


def test_names_come_back_as_they_are(client: httpx.Client) -> None:
    assert [one["name"] for one in rows(client, text="株式会社")] == [ODD_NAME]
    assert [one["name"] for one in found(client, "株式会社")] == ["100% “Osprey” 株式会社"]


def test_nul_and_half_characters_in_a_search_do_no_harm(client: httpx.Client) -> None:
    assert client.get("/api/rows?text=a%00b%ED%A0%80&start=0").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "sort=password",
        "status=open",
        "reason=x",
        "provider=1%20OR%201",
        "provider=-1",
        "start=5&end=5",
        "start=0&end=1001",
        "start=x",
        "end=99999999999999999999",
        "descending=maybe",
        "status=gone&status=held",
        "total=-1",
        "row=²",
        "status=back&status=gone",
        "since=yesterday",
        "since=999999999999999",
        "&".join(f"provider={one}" for one in range(51)),
    ],
)
def test_a_query_of_another_shape_is_refused_in_a_sentence(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/api/rows?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".")


def test_one_row_can_be_read_again(client: httpx.Client) -> None:
    heron = row(client, "Heron AG")
    assert rows(client, row=heron["id"]) == [heron]
    assert client.get("/api/rows?row=999").status_code == 404


# --- accounts ---


def test_before_anything_is_typed_the_candidates_of_the_row_are_shown(client: httpx.Client) -> None:
    heron = row(client, "Heron AG")
    accounts = client.get("/api/accounts", params={"q": " ", "row": heron["id"]}).json()["accounts"]
    assert {one["name"] for one in accounts} >= {"Heron", "Heron Holding"}
    assert all(one["reasons"] and one["score"] for one in accounts)


def test_what_is_typed_finds_the_candidates_of_the_row_first(client: httpx.Client, service: Service) -> None:
    """With their reasons, though an account with just this name would be first elsewhere; each account stands once."""
    with service.store.write() as connection:
        store_account(connection, CrmAccount("a4", "Hero"))
    heron = row(client, "Heron AG")["id"]

    def asked(text: str) -> list[tuple[str, bool]]:
        accounts = client.get("/api/accounts", params={"q": text, "row": heron}).json()["accounts"]
        return [(one["name"], bool(one["reasons"] and one["score"])) for one in accounts]

    assert [one["name"] for one in found(client, "hero")] == ["Hero", "Heron", "Heron Holding"]
    assert asked("hero") == [("Heron", True), ("Heron Holding", True), ("Hero", False)]
    assert asked("haron holding") == [("Heron Holding", True)]
    assert asked("osprey") == [(ACCOUNTS[2].name, False)]


def test_a_mistyped_name_is_found_and_said_to_be_spelt_differently(client: httpx.Client) -> None:
    (hit,) = found(client, "hreon holdng")
    assert (hit["name"], hit["reasons"], hit["isGuess"]) == ("Heron Holding", "Spelt a little differently", True)


def test_an_account_is_told_with_what_distinguishes_it(client: httpx.Client) -> None:
    assert found(client, "heron")[0] == {
        "id": found(client, "A-1")[0]["id"],
        "name": "Heron",
        "about": "A-1 · heron.de · Bonn · DE",
        "score": None,
        "isLikely": False,
        "isGuess": False,
        "reasons": "",
        "warning": "",
    }


def test_nothing_typed_and_no_row_finds_nothing(client: httpx.Client) -> None:
    assert client.get("/api/accounts").json() == {"accounts": [], "more": False}


# --- saving ---


def test_a_saved_mapping_comes_back_with_the_row_as_it_is_now(client: httpx.Client) -> None:
    of = row(client, "Kestrel GmbH")
    answer = save(client, of, found(client, "heron holding")[0]["id"])
    assert answer.status_code == 200
    saved = answer.json()["row"]
    assert (saved["accountName"], saved["status"], saved["why"]) == ("Heron Holding", "mapped", "By hand")
    assert saved["version"] > of["version"]
    assert row(client, "Kestrel GmbH") == saved


def test_clearing_unmaps(client: httpx.Client) -> None:
    saved = save(client, row(client, "Kestrel GmbH"), found(client, "heron")[0]["id"]).json()["row"]
    cleared = save(client, saved, None).json()["row"]
    assert (cleared["account"], cleared["accountName"], cleared["status"]) == (None, "", "unmapped")


def test_who_comes_second_is_told_who_decided_and_gets_their_row(connect: Connect) -> None:
    first, second = connect(ANALYST), connect(Actor("bea", Role.ANALYST))
    of = row(first, "Kestrel GmbH")
    heron, holding = (one["id"] for one in found(first, "heron"))
    saved = save(first, of, heron).json()["row"]
    answer = save(second, of, holding)
    assert answer.status_code == 409
    assert answer.json()["error"].startswith("ana decided this row")
    assert answer.json()["row"] == saved


def test_of_many_who_save_one_row_at_once_exactly_one_is_saved(connect: Connect) -> None:
    clients = [connect(Actor(f"p{number}", Role.ANALYST)) for number in range(6)]
    of = row(clients[0], "Kestrel GmbH")
    account = found(clients[0], "heron holding")[0]["id"]
    statuses: list[int] = []
    start = threading.Barrier(len(clients))

    def edit(client: httpx.Client) -> None:
        start.wait()
        statuses.append(save(client, of, account).status_code)

    threads = [threading.Thread(target=edit, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * 5


def test_a_unique_policy_refuses_naming_who_has_the_account(client: httpx.Client, service: Service) -> None:
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    account = found(client, "heron holding")[0]["id"]
    save(client, row(client, "Kestrel GmbH"), account)
    assert found(client, "heron holding")[0]["warning"] == "used by Kestrel GmbH at Harbour"
    answer = save(client, row(client, ODD_NAME), account)
    assert answer.status_code == 409
    assert "Kestrel GmbH" in answer.json()["error"]
    assert answer.json()["row"]["account"] is None


def test_an_unknown_account_or_row_is_not_found(client: httpx.Client) -> None:
    of = row(client, "Kestrel GmbH")
    assert save(client, of, 999).status_code == 404
    missing = save(client, of, 1, row=999)
    assert (missing.status_code, missing.json()["row"]) == (404, None)


def test_clearing_what_is_not_mapped_is_refused(client: httpx.Client) -> None:
    assert save(client, row(client, "Kestrel GmbH"), None).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '{"row": 1}',
        '{"row": 1, "account": 1, "seen": 0, "name": "x"}',
        '{"row": "1", "account": 1, "seen": 0}',
        '{"row": true, "account": 1, "seen": 0}',
        '{"row": 1, "account": 1.5, "seen": 0}',
        '{"row": -1, "account": 1, "seen": 0}',
        '{"row": 1, "account": 1, "seen": 99999999999999999999}',
        '{"row": 1, "account": NaN, "seen": 0}',
        "[" * 4_000,
        json.dumps({"row": 1, "account": 1, "seen": 0}) + " " * 5_000,
    ],
)
def test_a_body_of_another_shape_is_refused(client: httpx.Client, body: str) -> None:
    answer = client.post("/api/mapping", content=body)
    assert answer.status_code == 422
    assert "could not be read" in answer.json()["error"]


def test_a_look_never_saves(client: httpx.Client) -> None:
    assert client.get("/api/mapping").status_code == 405
    assert client.post("/api/rows").status_code == 405


def test_what_nobody_foresaw_is_told_with_a_reference_and_logged(
    client: httpx.Client, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Service:
        raise ZeroDivisionError("inner detail")

    server.get_service = broken
    with caplog.at_level(logging.ERROR):
        answer = client.get("/api/rows")
    reference = answer.json()["error"].rstrip(".").rsplit(" ", 1)[-1]
    assert answer.status_code == 500
    assert "inner detail" not in answer.text
    assert f"reference {reference}" in caplog.text
    assert "inner detail" in caplog.text


def test_a_clear_elsewhere_makes_the_grid_stale(client: httpx.Client, service: Service) -> None:
    saved = save(client, row(client, "Kestrel GmbH"), found(client, "heron")[0]["id"]).json()["row"]
    clear_mapping(service, ADMIN, saved["id"], seen=saved["version"])
    answer = save(client, saved, found(client, "heron holding")[0]["id"])
    assert (answer.status_code, answer.json()["row"]["account"]) == (409, None)


def test_the_key_never_leaves(client: httpx.Client) -> None:
    assert SECRET not in client.get("/api/rows").text


@pytest.mark.parametrize("path", ["/api/signed-in", "/api/mapping"])
def test_a_route_that_reads_a_body_takes_going_away_for_no_error(
    connect: Connect, server: Server, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(ANALYST)
    given = {**client.headers, "Host": f"127.0.0.1:{server.port}", "Cookie": f"{COOKIE}={BROWSER}"}
    lines = [
        f"POST {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in given.items()),
        "Content-Length: 9",
        "",
        "",
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as leaving:
        leaving.sendall("\r\n".join(lines).encode() + b"some")
        leaving.shutdown(socket.SHUT_WR)
        assert leaving.recv(1000) == b""
    assert client.get("/api/rows", params={"row": "1"}).status_code == 200
    assert not caplog.records
