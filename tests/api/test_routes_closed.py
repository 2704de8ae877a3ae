"""Every route that the app answers is closed to who is not signed in, or stands here as open, with its reason."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from team_app import MARKERS, Person, Team, running_team

from w365.entrance import SignInMode
from w365.model import Role
from w365.service.access import local_user
from w365.service.people.service_tokens import make_token

ROOT = Path(__file__).parents[2]
WHO = ("nobody", "viewer", "analyst", "admin")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
REFUSED = {401, 403, 404, 405}
EDIT = json.dumps({"row": 1, "account": 1, "seen": 0})


@dataclass(frozen=True)
class Place:
    """What a route answers to each of WHO at `path`. One that is open says why it may be."""

    path: str
    answers: tuple[int, int, int, int]
    open_because: str = ""


EVERYBODY, NEVER = (200, 200, 200, 200), (404, 404, 404, 404)
SIGNS_IN = "It begins or ends a sign-in at the identity provider, and is where that answers to; it tells nothing."
BEGUN = "Entra posts the answer to a sign-in that an admin began; without its state, which it is worth once, nothing."
DESCRIBED = "It describes the interface for programs, the same for everybody, with made-up names."
TO_PROGRAMS = (401, 401, 401, 401)
"""These ask for the token of a service account; nobody's session is one."""
_ROW, _NO = "/api/v1/provider-accounts/{id}", "/api/v1/provider-accounts/1"
WATCHED = "Load balancers and monitors ask it, from this machine or where the settings say; no name stands in it."
ROUTES = {
    **{("GET", f"/{name}"): Place(f"/{name}", EVERYBODY, WATCHED) for name in ("healthz", "readyz", "metrics")},
    ("GET", "/api/rows"): Place("/api/rows", (401, 200, 200, 200)),
    ("GET", "/api/accounts"): Place("/api/accounts?q=osprey", (401, 200, 200, 200)),
    ("POST", "/api/mapping"): Place("/api/mapping", (401, 403, 200, 409)),
    ("POST", "/api/token"): Place("/api/token", (401, 200, 200, 200)),
    ("GET", "/api/downloads/{name}"): Place("/api/downloads/guessed", (401, 401, 401, 401)),
    ("GET", "/api/v1/openapi.json"): Place("/api/v1/openapi.json", EVERYBODY, DESCRIBED),
    **{
        ("GET", f"/api/v1/{name}"): Place(f"/api/v1/{name}", TO_PROGRAMS)
        for name in (
            "service-account",
            "providers",
            "provider-accounts",
            "mappings",
            "subscriptions",
            "decisions",
            "runs",
        )
    },
    ("GET", "/api/v1/accounts"): Place("/api/v1/accounts?text=osprey", TO_PROGRAMS),
    ("GET", "/api/v1/accounts/{crm_id}"): Place("/api/v1/accounts/a0", TO_PROGRAMS),
    ("GET", "/api/v1/statistics"): Place("/api/v1/statistics", TO_PROGRAMS),
    ("GET", _ROW): Place(_NO, TO_PROGRAMS),
    ("GET", f"{_ROW}/candidates"): Place(f"{_NO}/candidates", TO_PROGRAMS),
    **{(method, f"{_ROW}/mapping"): Place(f"{_NO}/mapping", TO_PROGRAMS) for method in ("GET", "PUT", "DELETE")},
    ("POST", f"{_ROW}/rejections"): Place(f"{_NO}/rejections", TO_PROGRAMS),
    ("DELETE", f"{_ROW}/rejections/{{account}}"): Place(f"{_NO}/rejections/a0", TO_PROGRAMS),
    ("POST", "/api/v1/providers/{id}/syncs"): Place("/api/v1/providers/1/syncs", TO_PROGRAMS),
    ("POST", "/api/v1/crm/syncs"): Place("/api/v1/crm/syncs", TO_PROGRAMS),
    ("POST", "/api/v1/matches"): Place("/api/v1/matches", TO_PROGRAMS),
    ("GET", "/api/v1/runs/{id}"): Place("/api/v1/runs/1", TO_PROGRAMS),
    ("POST", "/api/v1/runs/{id}/cancel"): Place("/api/v1/runs/1/cancel", TO_PROGRAMS),
    ("ANY", "/api/v1"): Place("/api/v1", NEVER),
    ("ANY", "/api/v1/{rest:path}"): Place("/api/v1/nothing/here", NEVER),
    ("POST", "/api/signed-in"): Place("/api/signed-in", (400, 400, 400, 400), BEGUN),
    ("POST", "/{base:path}/api/signed-in"): Place("/w365/api/signed-in", (400, 400, 400, 400), BEGUN),
    ("GET", "/media/{file_id:path}"): Place("{media}", (401, 200, 200, 200)),
    ("PUT", "/_stcore/upload_file/{session_id}/{file_id}"): Place("/_stcore/upload_file/a/b", (401, 401, 400, 400)),
    ("DELETE", "/_stcore/upload_file/{session_id}/{file_id}"): Place("/_stcore/upload_file/a/b", (401, 401, 204, 204)),
    ("GET", "/_stcore/metrics"): Place("/_stcore/metrics", NEVER),
    ("GET", "/_stcore/health"): Place("/_stcore/health", EVERYBODY, "A monitor asks it; it says ok."),
    ("GET", "/_stcore/host-config"): Place(
        "/_stcore/host-config", EVERYBODY, "The shell asks it before it connects; it says how Streamlit is set."
    ),
    ("GET", "/component/{path:path}"): Place(
        "/component/st_aggrid.AgGrid.agGrid/index.html", EVERYBODY, "The published code of the grid, without any row."
    ),
    ("GET", "/_stcore/bidi-components/{path:path}"): Place("/_stcore/bidi-components/none", NEVER),
    ("WEBSOCKET", "/_stcore/stream"): Place(
        "", (101, 101, 101, 101), "It draws the way in; what it tells nobody is in test_signed_out_tabs.py."
    ),
    ("GET", "/auth/login"): Place("/auth/login", (302, 302, 302, 302), SIGNS_IN),
    ("GET", "/auth/logout"): Place("/auth/logout", (302, 302, 302, 302), SIGNS_IN),
    ("GET", "/oauth2callback"): Place("/oauth2callback", (302, 302, 302, 302), SIGNS_IN),
    **{("ANY", f"/_stcore/agent/{name}"): Place(f"/_stcore/agent/{name}", NEVER) for name in ("interact", "mcp")},
    ("ANY", "/_stcore/agent/openapi.json"): Place("/_stcore/agent/openapi.json", NEVER),
    ("GET", ""): Place("/overview", EVERYBODY, "The shell: Streamlit's page and scripts, the same for everybody."),
}
OPTIONS_TOO = {key for key in ROUTES if key[1].startswith(("/_stcore", "/media", "/component"))}

LIST_ROUTES = """
import json
from app import app
routes = [(route.path, sorted(getattr(route, "methods", None) or []), type(route).__name__)
          for route in app._build_starlette_app().routes]
print(json.dumps(routes))
"""


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with running_team(tmp_path_factory.mktemp("team") / "home", SignInMode.OIDC) as running:
        await_worker(running)
        yield running


def await_worker(team: Team) -> None:
    until = time.monotonic() + 60
    while ask(team, team.nobody(), "GET", "/readyz").status_code != 200:
        assert time.monotonic() < until, "no worker was seen"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def people(team: Team) -> Mapping[str, Person]:
    signed_in = {role: team.sign_in(role, role) for role in WHO[1:]}
    with team.stream(signed_in["viewer"]) as stream:
        stream.open("provider_accounts")  # Streamlit knows the grid's files once it was drawn
    return {"nobody": team.nobody()} | signed_in


def listed_routes(home: Path) -> Iterator[tuple[str, str]]:
    """Each method and path of the app's own route table; HEAD goes with GET, and OPTIONS is refused everywhere."""
    run = subprocess.run(
        [sys.executable, "-c", LIST_ROUTES], cwd=ROOT, env={"W365_HOME": str(home)}, capture_output=True, check=True
    )
    for path, methods, kind in json.loads(run.stdout):
        if kind == "WebSocketRoute":
            yield "WEBSOCKET", path
        elif {"PATCH", "DELETE"} <= set(methods):
            yield "ANY", path
        else:
            yield from ((method, path) for method in set(methods or ["GET"]) - {"HEAD", "OPTIONS"})


def test_every_route_of_the_app_stands_here(tmp_path: Path) -> None:
    assert set(listed_routes(tmp_path)) == set(ROUTES)


def test_what_is_open_says_why() -> None:
    is_open = {key for key, place in ROUTES.items() if place.answers[0] not in REFUSED}
    assert is_open == {key for key, place in ROUTES.items() if place.open_because}


def ask(team: Team, person: Person, method: str, path: str) -> httpx.Response:
    xsrf = generate_xsrf_token_string()
    headers = {
        **person.headers,
        "Cookie": f"{person.cookie_header()}; _streamlit_xsrf={xsrf}",
        "X-Xsrftoken": xsrf,
        "Accept-Encoding": "identity",
    }
    upload = {"files": {"file": ("a.csv", b"a,b")}} if "upload_file" in path else {"content": EDIT}
    body = upload if method in ("POST", "PUT", "PATCH") else {}
    return httpx.request(
        method,
        team.address + path,
        headers=headers,
        trust_env=False,
        verify=False,
        **body,  # type: ignore[arg-type]
    )


def path_of(team: Team, people: Mapping[str, Person], place: Place) -> str:
    """The path to ask for; of a file that a page holds, one that it holds now, as it was chosen there."""
    if place.path != "{media}":
        return place.path
    with team.stream(people["analyst"]) as stream:
        buttons = [message.delta.new_element.download_button for message in stream.open("import")]
        chosen = BackMsg()
        request = chosen.backend_operation_request
        request.request_id, request.session_id = "1", stream.session
        request.deferred_file.file_id = next(filter(None, (button.deferred_file_id for button in buttons)))
        stream.tell(chosen)
        content = stream.hear("/media/")[-1].SerializeToString()
    media = re.search(rb"/media/[0-9a-f]+\.xlsx", content)
    assert media, content
    return media[0].decode()


def of_route(key: tuple[str, str]) -> set[str]:
    method = key[0]
    if method == "GET" and key[1] != "/api/downloads/{name}":  # a HEAD would use its link up
        return {"GET", "HEAD"}
    return set(METHODS) if method == "ANY" else {method}


HTTP_ROUTES = [key for key in ROUTES if key[0] != "WEBSOCKET"]


@pytest.mark.parametrize("key", HTTP_ROUTES, ids=" ".join)
def test_each_route_answers_each_role_as_it_stands_here(
    team: Team, people: Mapping[str, Person], key: tuple[str, str]
) -> None:
    place = ROUTES[key]
    with (
        team.stream(people["analyst"]) if "{media}" in place.path or "upload" in place.path else nullcontext() as stream
    ):
        if stream:
            stream.open("import")  # so that its files are held while they are asked for
        path = path_of(team, people, place)
        for method in of_route(key):
            answers = tuple(ask(team, person, method, path).status_code for person in people.values())
            refused = key[0] == "ANY" and method in ("PATCH", "OPTIONS", "TRACE", "PROPFIND")
            assert answers == ((405,) * 4 if refused else place.answers), method


@pytest.mark.parametrize("path", sorted({place.path for place in ROUTES.values() if place.path}))
def test_any_other_method_gets_a_refusal_or_the_shell(team: Team, people: Mapping[str, Person], path: str) -> None:
    path = path.replace("{media}", "/media/a.csv")
    expected = {method for key, place in ROUTES.items() if place.path == path for method in of_route(key)}
    shell = ask(team, people["nobody"], "GET", "/overview")
    for method in set(METHODS) - expected:
        for person in people.values():
            answer = ask(team, person, method, path)
            is_shell = answer.headers.get("content-length") == str(len(shell.content))
            assert answer.status_code in REFUSED or (is_shell and answer.text in ("", shell.text)), method


def test_nobody_is_told_a_name_by_any_route(team: Team, people: Mapping[str, Person]) -> None:
    def told_to(person: Person) -> set[str]:
        paths = [ROUTES[key].path for key in HTTP_ROUTES if key[0] == "GET"]
        texts = [ask(team, person, "GET", path).text for path in paths if path != "{media}"]
        return {marker for marker in MARKERS if any(marker in text for text in texts)}

    assert told_to(people["nobody"]) == set()
    assert told_to(people["viewer"]) == set(MARKERS)


def test_every_answer_carries_the_headers_that_bind_a_browser(team: Team, people: Mapping[str, Person]) -> None:
    """Refusals of the doors, of held files and of Streamlit's own routes included."""
    for path in ("/overview", "/api/rows", "/media/a.csv", "/_stcore/metrics", "/auth/login", "/_stcore/health"):
        for headers in (ask(team, people["nobody"], method, path).headers for method in ("GET", "OPTIONS")):
            assert "base-uri 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
            assert "no-" in headers["cache-control"]


def test_no_page_of_another_site_may_steer_a_page(team: Team, people: Mapping[str, Person]) -> None:
    """Streamlit lets its own cloud do so, by messages to the frame that a page would stand in."""
    assert ask(team, people["nobody"], "GET", "/_stcore/host-config").json()["allowedOrigins"] == []


def test_a_program_comes_without_origin_and_cookie_and_no_page_of_another_site_can_come_as_one(team: Team) -> None:
    secret = make_token(team.service, local_user(), "billing", Role.VIEWER, 1).secret

    def come(path: str, **headers: str) -> httpx.Response:
        brought = {"Authorization": f"Bearer {secret}"} | headers
        return httpx.get(team.address + path, headers=brought, trust_env=False, verify=False)

    assert come("/api/v1/provider-accounts").json()["items"][0]["name"] == "Kestrel 0"
    for foreign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}):
        assert come("/api/v1/provider-accounts", **foreign).status_code in (403, 421)
    for path in ("/api/rows", "/api/accounts?q=osprey", "/media/a.csv"):
        assert come(path).status_code == 401
