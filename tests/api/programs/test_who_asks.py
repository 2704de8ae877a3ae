"""Who gets in to `/api/v1`: a service account by its token, and nobody else by anything else."""

from __future__ import annotations

import logging
from dataclasses import replace

import httpx
import pytest
from api.conftest import ADMIN, BROWSER, SECRET, Server
from api.programs.conftest import Program, make, problem

from w365.api import tokens
from w365.api.browsers import COOKIE
from w365.api.programs.operations import OPERATIONS, Operation
from w365.model import AuditKind, Role
from w365.service import Service
from w365.service.people.roles import list_audit_log
from w365.service.people.service_tokens import revoke_token

SESSION = tokens.mint_token(SECRET, ADMIN, tokens.browser_of(BROWSER))
BY_NAME = {"ids": lambda operation: operation.name}


def ask(client: httpx.Client, operation: Operation) -> httpx.Response:
    path = operation.path.format(id=1, account="a1", crm_id="a1")
    body = {"account": "a1"} if any(field.is_needed for field in operation.in_body) else None
    query = {"text": "heron"} if any(field.is_needed for field in operation.in_query) else None
    return client.request(operation.method, path, headers={"If-Match": '"0"'}, json=body, params=query)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer w365_made-up"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": f"Bearer {SESSION}"},
        {tokens.HEADER: SESSION},
        {tokens.HEADER: SESSION, "Cookie": f"{COOKIE}={BROWSER}"},
    ],
    ids=[
        "nothing",
        "empty",
        "no token",
        "made up",
        "basic",
        "a page's as bearer",
        "a page's",
        "a page's with its cookie",
    ],
)
def test_nothing_but_a_token_of_a_service_account_opens_anything(
    program: Program, server: Server, headers: dict[str, str]
) -> None:
    program()
    with httpx.Client(base_url=f"{server.url}/api/v1", trust_env=False, verify=False, headers=headers) as client:
        for operation in OPERATIONS:
            answer = ask(client, operation)
            assert problem(answer) == (401, "no-token")
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_of_a_service_account_opens_nothing_else(program: Program, server: Server) -> None:
    bearer = program(Role.ANALYST).headers["Authorization"]
    secret = bearer.removeprefix("Bearer ")
    with httpx.Client(base_url=server.url, trust_env=False, verify=False, cookies={COOKIE: BROWSER}) as client:
        for headers in ({"Authorization": bearer}, {tokens.HEADER: secret}, {tokens.HEADER: bearer}):
            assert client.get("/api/rows", headers=headers).status_code == 401
            assert client.get("/api/accounts?q=heron", headers=headers).status_code == 401
            assert client.post("/api/mapping", headers=headers, json={}).status_code == 401
            assert client.post("/api/token", headers=headers).status_code == 401


def test_a_cookie_or_a_page_s_token_beside_it_changes_nothing(program: Program) -> None:
    client = program(Role.VIEWER, **{tokens.HEADER: SESSION, "Cookie": f"{COOKIE}={BROWSER}"})
    assert client.get("/service-account").json()["role"] == "viewer"
    assert problem(client.delete("/provider-accounts/1/mapping", headers={"If-Match": '"0"'})) == (403, "forbidden")


def test_a_revoked_token_is_out_at_its_next_call(program: Program, service: Service) -> None:
    made = make(service)
    client = program(secret=made.secret)
    assert client.get("/service-account").json()["name"] == "service:billing"
    revoke_token(service, ADMIN, made.token.id)
    assert problem(client.get("/service-account")) == (401, "no-token")


@pytest.mark.parametrize("operation", OPERATIONS, **BY_NAME)
def test_each_operation_needs_the_role_that_the_description_says(program: Program, operation: Operation) -> None:
    answers = {role: ask(program(role), operation).status_code for role in (Role.VIEWER, Role.ANALYST)}
    assert {400, 422, 500}.isdisjoint(answers.values())
    assert {role for role, status in answers.items() if status != 403} == {operation.role, Role.ANALYST}


def test_a_refused_call_stands_in_the_audit_log_by_the_account_s_name(program: Program, service: Service) -> None:
    client = program(Role.VIEWER)
    for _ in range(3):
        client.post("/matches")
    about = [row.about for row in list_audit_log(service, ADMIN, AuditKind.REFUSAL, "service:billing", limit=9)]
    assert about == ["request_match needs the role analyst, not viewer"]


def test_where_made_up_tokens_come_from_is_logged_without_them(
    program: Program, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with Server() as server, httpx.Client(base_url=server.url, trust_env=False, verify=False) as client:
        server.get_service = lambda: service
        for _ in range(2):
            client.get("/api/v1/providers", headers={"Authorization": "Bearer w365_made-up"})
    told = [record.getMessage() for record in caplog.records if record.name == "w365.api.refusal_log"]
    assert len(told) == 1
    assert "from 127.0.0.1" in told[0]
    assert "made-up" not in told[0]


# --- how often ---


def test_a_token_that_called_too_often_is_told_when_to_go_on(
    program: Program, server: Server, service: Service
) -> None:
    settings = replace(service.settings, api_calls_per_minute=3)
    hurried, other = program(), program()
    server.get_service = lambda: replace(service, settings=settings)
    assert [hurried.get("/providers").status_code for _ in range(3)] == [200] * 3
    answer = hurried.get("/providers")
    assert problem(answer) == (429, "too-many")
    assert 15 <= int(answer.headers["retry-after"]) <= 20
    assert f"in {answer.headers['retry-after']} seconds" in answer.json()["detail"]
    assert other.get("/providers").status_code == 200


def test_no_secret_is_logged(program: Program, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "w365")
    client = program(Role.VIEWER)
    client.get("/providers")
    client.post("/matches")
    assert client.headers["Authorization"].removeprefix("Bearer ") not in caplog.text
