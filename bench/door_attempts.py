"""Ways to get in at the app that `bench/doors.py` tries, and those that it has to let in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from w365.api import tokens
from w365.api.browsers import COOKIE, name_browser

STREAM = "/_stcore/stream"
LINK = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")


@dataclass(frozen=True)
class Knock:
    """A request that is sent as it stands here; ``{port}``, ``{token}`` and ``{cookie}`` are filled in.

    ``server_holds``: Streamlit or uvicorn refuse it by themselves, also without the doors. ``may_enter``: it has to.
    """

    name: str
    line: str = "GET /"
    headers: Sequence[str] = ("Host: 127.0.0.1:{port}",)
    body: str = ""
    server_holds: bool = False
    may_enter: bool = False


@dataclass(frozen=True)
class Stream:
    """A websocket that is begun with this Host, Origin and further headers."""

    name: str
    host: str = "127.0.0.1:{port}"
    origin: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = STREAM
    server_holds: bool = False
    may_enter: bool = False


@dataclass(frozen=True)
class Start:
    """A start of the app where everybody would be an admin; ``{port}`` and ``{home}`` are filled in."""

    name: str
    command: str
    environment: Mapping[str, str] = field(default_factory=dict)
    server_holds: bool = False
    may_enter: bool = False


Attempt = Knock | Stream | Start

OWN = "Host: 127.0.0.1:{port}"
REBOUND = "Host: evil.test:{port}"
OTHER_PORT = "Origin: http://127.0.0.1:9155"
SIGNED = (tokens.HEADER + ": {token}", "Cookie: " + COOKIE + "={cookie}")
JSON = "Content-Type: application/json"
EDIT = '{"row": 1, "account": null, "seen": 0}'
UPLOAD = "PUT /_stcore/upload_file/a/b"
ROWS = "GET /api/rows"
STREAMLIT = "streamlit run {app} --server.port {port}"

STREAMS = (
    Stream("websocket of a rebound name", "evil.test:{port}", "http://evil.test:{port}"),
    Stream("websocket of another port's page", origin="http://127.0.0.1:9155"),
    Stream("websocket of a foreign page", origin="https://evil.test", server_holds=True),
    Stream("websocket of a page without an origin (null)", origin="null", server_holds=True),
    Stream("websocket of the same host by https", origin="https://127.0.0.1:{port}"),
    Stream("websocket of a host with a dot", "localhost.:{port}", "http://localhost.:{port}"),
    Stream("websocket without Origin"),
    Stream("websocket without Origin, with a guessed cookie", headers={"Cookie": f"{COOKIE}=guessed"}),
    Stream(
        "websocket without Origin, with a cookie signed by another key",
        headers={"Cookie": f"{COOKIE}={name_browser(['another'])}"},
    ),
    Stream("websocket of another port by its fetch metadata", headers={"Sec-Fetch-Site": "same-site"}),
    Stream("websocket of a foreign page at a route", origin="https://evil.test", path="/api/rows", server_holds=True),
    Stream("the app's own websocket", origin="http://127.0.0.1:{port}", may_enter=True),
    Stream("its websocket by localhost", "localhost:{port}", "http://localhost:{port}", may_enter=True),
    Stream("a websocket with the app's cookie", headers={"Cookie": COOKIE + "={cookie}"}, may_enter=True),
)
HOSTS = (
    Knock("page of a rebound name", headers=(REBOUND,)),
    Knock("page of a host with a dot", headers=("Host: localhost.:{port}",)),
    Knock("page of another port's name", headers=("Host: 127.0.0.1:9155",)),
    Knock("page of a host without its port", headers=("Host: 127.0.0.1",)),
    Knock("page of a host with a user", headers=("Host: 127.0.0.1:{port}@evil.test",)),
    Knock("page of no host", headers=(), server_holds=True),
    Knock("page of an empty host", headers=("Host:",)),
    Knock("page of two hosts", headers=(OWN, REBOUND), server_holds=True),
    Knock("page with a whole address for a path", "GET http://evil.test/"),
    Knock("rows of a rebound name", ROWS, (REBOUND, *SIGNED)),
    Knock("download of a rebound name", "GET /api/downloads/a", (REBOUND,)),
    Knock("upload of a rebound name", UPLOAD, (REBOUND,), body="x"),
    Knock("file of a rebound name", "GET /media/a.png", (REBOUND,)),
    Knock("health of a rebound name", "GET /_stcore/health", (REBOUND,)),
    Knock("host configuration of a rebound name", "GET /_stcore/host-config", (REBOUND,)),
    Knock("agent of a rebound name", "GET /_stcore/agent/openapi.json", (REBOUND,)),
)
PAGES = (
    Knock("page for another machine behind a proxy", headers=(OWN, "X-Forwarded-For: 10.0.0.9")),
    Knock("rows for another port's page", ROWS, (OWN, *SIGNED, OTHER_PORT)),
    Knock("rows for a page without an origin (null)", ROWS, (OWN, *SIGNED, "Origin: null")),
    Knock("rows for two origins", ROWS, (OWN, *SIGNED, "Origin: http://127.0.0.1:{port}", OTHER_PORT)),
    Knock("rows embedded by another port", ROWS, (OWN, *SIGNED, "Sec-Fetch-Site: same-site")),
    Knock("rows by a link of a foreign page", ROWS, (OWN, *SIGNED, *LINK)),
    Knock("edit by a foreign page", "POST /api/mapping", (OWN, *SIGNED, JSON, "Origin: https://evil.test"), EDIT),
    Knock("edit by fetch metadata", "POST /api/mapping", (OWN, *SIGNED, JSON, "Sec-Fetch-Site: cross-site"), EDIT),
    Knock("upload by another port's page", UPLOAD, (OWN, OTHER_PORT), body="x"),
    Knock("picture embedded by another port", "GET /media/a.png", (OWN, "Sec-Fetch-Site: same-site")),
    Knock("health for another port's page", "GET /_stcore/health", (OWN, OTHER_PORT)),
    Knock("page framed by a foreign one", headers=(OWN, *LINK[:2], "Sec-Fetch-Dest: iframe")),
    Knock("form posted to a page", "POST /", (OWN, *LINK)),
)
PATHS = (
    Knock("agent's description", "GET /_stcore/agent/openapi.json"),
    Knock("agent", "POST /_stcore/agent/interact", (OWN, JSON), "{}"),
    Knock("metrics", "GET /_stcore/metrics"),
    Knock("sign-in that is not set up", "GET /auth/login"),
    Knock("rows by an encoded path", "GET /%61pi/rows", (OWN, *SIGNED, *LINK)),
    Knock("agent by an encoded path", "GET /_stcore/%61gent/openapi.json"),
    Knock("rows by two slashes", "GET //api/rows", (OWN, *SIGNED), server_holds=True),
    Knock("rows by a way back", "GET /w365/../api/rows", (OWN, *SIGNED), server_holds=True),
    Knock("agent by an encoded way back", "GET /x/%2e%2e/_stcore/agent/openapi.json", server_holds=True),
)
WELCOME = (
    Knock("the page", may_enter=True),
    Knock("the page by localhost", headers=("Host: LOCALHOST:{port}",), may_enter=True),
    Knock("the page by a link of a mail", headers=(OWN, *LINK), may_enter=True),
    Knock("rows for the app's own page", ROWS, (OWN, *SIGNED, "Sec-Fetch-Site: same-origin"), may_enter=True),
    Knock("a return from Entra", "POST /api/signed-in", (OWN, *LINK, "Origin: null"), "state=x", may_enter=True),
)
STARTS = (
    Start("start at every address", STREAMLIT + " --server.address 0.0.0.0"),
    Start("start at every IPv6 address", STREAMLIT + " --server.address ::"),
    Start("start by the environment", STREAMLIT, {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}),
    Start("start behind a proxy for all", STREAMLIT, {"W365_PUBLIC_URL": "https://w365.example"}),
    Start("start by uvicorn", "uvicorn {module} --host 0.0.0.0 --port {port}"),
    Start("start at a socket for all", "uvicorn {module} --uds {home}/socket"),
)
VISITS: Sequence[Attempt] = (*STREAMS, *HOSTS, *PAGES, *PATHS, *WELCOME)
