"""The doors let in whoever comes by the app's own address from the app's own page, and nobody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

import pytest

from w365.api.door_rules import address_of, find_refusal
from w365.api.doors import why_not_open
from w365.api.visits import Connection, Visit
from w365.entrance import Entrance, read_entrance

LOCAL = {"host": "127.0.0.1:8501"}
BEHIND_TLS = {"W365_PUBLIC_URL": "https://W365.example/w365", "W365_SIGN_IN": "oidc"}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def entrance(settings: Mapping[str, str] | None = None) -> Entrance:
    return read_entrance(lambda name: (settings or {}).get(name, ""))


def kind_of_refusal(
    path: str = "/",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    settings: Mapping[str, str] | None = None,
    *,
    at: str = "127.0.0.1:8501",
    method: str = "GET",
    is_websocket: bool = False,
    is_tls: bool = False,
) -> str:
    """What find_refusal says of a visit that came in at an address; nothing where it may enter."""
    address, _, port = at.rpartition(":")
    connection = Connection(ipaddress.ip_address(address), int(port), is_tls, ipaddress.ip_address("127.0.0.1"))
    pairs = tuple(headers.items() if isinstance(headers, Mapping) else headers)
    refusal = find_refusal(Visit(is_websocket, method, path, pairs, connection), entrance(settings))
    return refusal.kind if refusal else ""


# --- addresses ---


@pytest.mark.parametrize(
    ("host", "at", "is_tls"),
    [
        ("127.0.0.1:8501", "127.0.0.1:8501", False),
        ("LocalHost:8501", "127.0.0.1:8501", False),
        ("localhost", "127.0.0.1:80", False),
        ("localhost:80", "127.0.0.1:80", False),
        ("127.0.0.1:443", "127.0.0.1:443", True),
        ("[::1]:8501", "::1:8501", False),
        ("localhost:8501", "::1:8501", False),
        ("127.0.0.2:8501", "127.0.0.2:8501", False),
    ],
)
def test_the_apps_own_host_may_enter(host: str, at: str, *, is_tls: bool) -> None:
    assert kind_of_refusal(headers={"host": host}, at=at, is_tls=is_tls) == ""


@pytest.mark.parametrize(
    "host",
    [
        "evil.test:8501",
        "127.0.0.1",
        "127.0.0.1:9155",
        "127.0.0.1:08501",
        "localhost.:8501",
        "me@127.0.0.1:8501",
        "127.0.0.1:8501@evil.test",
        "127.0.0.1:8501,evil.test",
        "[::1]:8501",
        "127.1:8501",
        "2130706433:8501",
        " ",
        "",
    ],
)
def test_any_other_host_stays_outside(host: str) -> None:
    assert kind_of_refusal(headers={"host": host}) == "host"


def test_no_host_and_two_hosts_stay_outside() -> None:
    assert kind_of_refusal() == "host"
    assert kind_of_refusal(headers=[("host", "127.0.0.1:8501"), ("host", "127.0.0.1:8501")]) == "host"


@pytest.mark.parametrize(
    ("host", "origin", "kind"),
    [
        ("w365.example", "https://w365.example", ""),
        ("w365.example:443", "https://w365.example", ""),
        ("127.0.0.1:8501", "https://w365.example", ""),
        ("w365.example", "http://w365.example", "origin"),
        ("w365.example", "https://w365.example:443", "origin"),
        ("w365.example", "https://W365.example", "origin"),
        ("w365.example", "https://w365.example.evil.test", "origin"),
        ("w365.example:8501", "https://w365.example", "host"),
    ],
)
def test_behind_tls_the_public_url_is_the_origin(host: str, origin: str, kind: str) -> None:
    assert kind_of_refusal("/w365/", {"host": host, "origin": origin}, BEHIND_TLS) == kind


# --- origins ---


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8501", "http://localhost:8501"])
def test_a_page_of_the_app_may_send(origin: str) -> None:
    for is_websocket, path in ((False, "/api/mapping"), (True, "/_stcore/stream"), (True, "/w365/_stcore/stream")):
        assert kind_of_refusal(path, {**LOCAL, "origin": origin}, is_websocket=is_websocket) == ""


@pytest.mark.parametrize(
    "origin",
    ["null", "", "http://127.0.0.1:9155", "https://127.0.0.1:8501", "http://127.0.0.1", "http://127.0.0.1:8501/"],
)
def test_a_page_of_any_other_origin_may_not(origin: str) -> None:
    for is_websocket, path in ((False, "/api/mapping"), (False, "/"), (True, "/_stcore/stream")):
        assert kind_of_refusal(path, {**LOCAL, "origin": origin}, is_websocket=is_websocket) == "origin"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_another_site_may_link_to_a_page_and_do_nothing_else(site: str) -> None:
    link = {**LOCAL, **LINK, "sec-fetch-site": site}
    assert kind_of_refusal("/provider_accounts", link) == ""
    for path in ("/api/rows", "/w365/api/rows", "/media/a.png", "/_stcore/health", "/component/a/index.html"):
        assert kind_of_refusal(path, link) == "site"
    assert kind_of_refusal("/", link, method="POST") == "site"
    assert kind_of_refusal("/", {**link, "sec-fetch-dest": "iframe"}) == "site"
    assert kind_of_refusal("/", {**link, "sec-fetch-mode": "no-cors"}) == "site"
    assert kind_of_refusal("/_stcore/stream", link, is_websocket=True) == "site"


@pytest.mark.parametrize("path", ["/api/signed-in", "/w365/api/signed-in"])
def test_the_answer_to_a_sign_in_may_come_from_its_page(path: str) -> None:
    answer = {**LOCAL, **LINK, "origin": "https://login.microsoftonline.com"}
    assert kind_of_refusal(path, answer, method="POST") == ""
    assert kind_of_refusal(path, answer, method="GET") == "origin"
    assert kind_of_refusal(path, {**answer, "host": "evil.test"}, method="POST") == "host"


# --- paths ---


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/agent/openapi.json",
        "/w365/_stcore/agent/mcp",
        "/_stcore",
        "/_stcore/",
        "/_stcore/metrics",
        "/_stcore/script-health-check",
        "/_stcore/health/_stcore/agent",
        "/auth/login",
        "/w365/auth/logout",
        "/oauth2callback",
    ],
)
def test_what_no_page_needs_is_closed(path: str) -> None:
    assert kind_of_refusal(path, LOCAL) == "closed"


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PATCH", "CONNECT", "get", ""])
def test_a_method_that_no_route_works_with_leads_nowhere(method: str) -> None:
    assert kind_of_refusal("/", LOCAL, method=method) == "method"


def test_a_websocket_has_one_place() -> None:
    for path in ("/", "/api/rows", "/_stcore/stream/more", "/_stcore/agent/mcp"):
        assert kind_of_refusal(path, {**LOCAL, "origin": "http://127.0.0.1:8501"}, is_websocket=True) == "closed"


@pytest.mark.parametrize(
    "path",
    [
        "//api/rows",
        "/w365//api/rows",
        "/w365/../api/rows",
        "/./api/rows",
        "/api/rows/..",
        "/%61pi/rows",
        "/api\\rows",
        "/api/rows;a",
        "/api/rows\x00",
        "http://127.0.0.1:8501/",
        "*",
        "",
    ],
)
def test_a_path_that_can_be_read_in_two_ways_leads_nowhere(path: str) -> None:
    assert kind_of_refusal(path, LOCAL) == "path"


# --- a sign-in, or this machine alone ---


def test_without_a_sign_in_only_an_address_of_this_machine_answers() -> None:
    assert kind_of_refusal(headers={"host": "10.0.0.5:8501"}, at="10.0.0.5:8501") == "address"
    signed_in = {"W365_SIGN_IN": "oidc"}
    assert kind_of_refusal(headers={"host": "10.0.0.5:8501"}, settings=signed_in, at="10.0.0.5:8501") == ""


@pytest.mark.parametrize("machines", ["10.0.0.9", "127.0.0.1, 10.0.0.9", "unknown", ""])
def test_without_a_sign_in_a_proxy_gets_nothing_for_others(machines: str) -> None:
    assert kind_of_refusal(headers={**LOCAL, "x-forwarded-for": machines}) == "sent on"
    assert kind_of_refusal(headers={**LOCAL, "x-forwarded-for": "127.0.0.1, ::1"}) == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1", "localhost", None])
def test_the_app_starts_where_only_this_machine_reaches_it(address: str | None) -> None:
    assert why_not_open(entrance(), address) == ""
    assert why_not_open(entrance({"W365_PUBLIC_URL": "http://localhost:9000/w365"}), address) == ""


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "", "10.0.0.5", "no-such-host.invalid", "the socket /run/w365", f"socket {'a' * 70}"]
)
def test_the_app_does_not_start_where_others_reach_it(address: str) -> None:
    assert "server.address" in why_not_open(entrance(), address)


@pytest.mark.parametrize("url", ["https://w365.example", "http://10.0.0.5:8501", "http://localhost.example"])
def test_the_app_does_not_start_behind_a_proxy_for_others(url: str) -> None:
    assert "W365_PUBLIC_URL" in why_not_open(entrance({"W365_PUBLIC_URL": url}), "127.0.0.1")


@pytest.mark.parametrize(
    "settings",
    [
        {"W365_SIGN_IN": "oidc", "W365_PUBLIC_URL": "https://w365.example"},
        {"W365_SIGN_IN": "proxy", "W365_TRUSTED_PROXIES": "10.0.0.7", "W365_PUBLIC_URL": "https://w365.example"},
    ],
)
def test_where_people_sign_in_others_may_reach_it(settings: dict[str, str]) -> None:
    assert why_not_open(entrance(settings), "0.0.0.0") == ""


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.7", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["203.0.113.9", "192.0.2.1, 10.0.0.7"], "192.0.2.1"),
        ("10.0.0.7", ["nonsense"], "10.0.0.7"),
        ("10.0.0.7", [], "10.0.0.7"),
        ("10.0.0.8", ["192.0.2.1"], "10.0.0.8"),
        ("127.0.0.1", ["192.0.2.1"], "127.0.0.1"),
    ],
)
def test_the_address_is_the_peers_or_whom_a_trusted_proxy_names_last(
    peer: str, forwarded: list[str], address: str
) -> None:
    connection = Connection(None, 8501, is_tls=False, peer=ipaddress.ip_address(peer))
    visit = Visit(False, "GET", "/", tuple(("x-forwarded-for", text) for text in forwarded), connection)
    settings = {"W365_SIGN_IN": "oidc", "W365_PUBLIC_URL": "https://w365.example", "W365_TRUSTED_PROXIES": "10.0.0.7"}
    assert address_of(visit, entrance(settings)) == address
