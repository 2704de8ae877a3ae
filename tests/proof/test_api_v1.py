"""The interface for programs before two judges: Schemathesis, which asks what nobody thought of, and Prism."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from api.conftest import ADMIN, Server, furnish, make_service
from fresh_stores import put_migrated
from pypi import installed_from_pypi

from tests.proof.prism import prism
from w365.api.programs.examples import VALUES
from w365.model import Role
from w365.service import Service
from w365.service.people.service_tokens import make_token
from w365.source_records import CrmAccount
from w365.store.db.engine import open_store
from w365.store.syncing.crm_accounts import store_account

pytestmark = pytest.mark.proof

START = "from schemathesis.cli import schemathesis; schemathesis()"
SETTINGS = """
[checks.missing_required_header]
expected-statuses = [428]
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 412]
"""
"""The answers to a version that is missing (RFC 6585) or old, which Schemathesis does not expect of itself."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    home = tmp_path / "home"
    put_migrated(home)
    with closing(open_store(f"sqlite:///{home / 'w365.db'}")) as store:
        service = make_service(store)
        furnish(service)
        with store.write() as connection:
            store_account(connection, CrmAccount(VALUES["crm_id"], "Linnet", "A-9"))
        yield replace(service, settings=replace(service.settings, api_calls_per_minute=0))


@pytest.fixture
def server(service: Service) -> Iterator[Server]:
    with Server() as running:
        running.get_service = lambda: service
        yield running


@pytest.fixture
def bearer(service: Service) -> str:
    return f"Bearer {make_token(service, ADMIN, 'judge', Role.ANALYST, 1).secret}"


def judged(
    server: Server, bearer: str, folder: Path, description: str = "", *further: str
) -> subprocess.CompletedProcess[str]:
    """Let Schemathesis loose on the server, by the description that it serves or by another."""
    (folder / "schemathesis.toml").write_text(SETTINGS)
    command = [str(installed_from_pypi("schemathesis==4.32.5")), "-c", START, "run", "--no-color"]
    command += [
        description or f"{server.url}/api/v1/openapi.json",
        "--url",
        server.url,
        "-H",
        f"Authorization: {bearer}",
    ]
    command += ["--checks", "all", "--seed", "1", "--max-examples", "2"]
    command += further
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_schemathesis_breaks_nothing_and_finds_every_answer_as_described(
    server: Server, bearer: str, tmp_path: Path
) -> None:
    told = judged(server, bearer, tmp_path)
    assert told.returncode == 0, told.stdout
    assert "22 selected / 22 total" in told.stdout


def test_schemathesis_sees_what_is_wrong(server: Server, bearer: str, tmp_path: Path) -> None:
    """Without this the other test might pass because nobody looks."""
    served = httpx.get(f"{server.url}/api/v1/openapi.json", trust_env=False, verify=False)
    file = tmp_path / "wrong.json"
    file.write_text(served.text.replace('"is_connected":{"type":"boolean"', '"is_connected":{"type":"integer"', 1))
    told = judged(
        server, bearer, tmp_path, str(file), "--include-operation-id", "read_providers", "--phases", "fuzzing"
    )
    assert told.returncode == 1
    assert "Response violates schema" in told.stdout


def talk(url: str, bearer: str) -> list[httpx.Response]:
    """What a program says in a day."""
    headers, row = {"Authorization": bearer}, "/provider-accounts/2"
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, trust_env=False, verify=False) as client:
        version = {"If-Match": client.get(f"{row}/mapping").headers["etag"]}
        steps: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", "/service-account", {}),
            ("GET", "/providers", {}),
            ("GET", "/provider-accounts", {"params": {"status": "conflict", "text": "heron", "limit": 2}}),
            ("GET", row, {}),
            ("GET", f"{row}/candidates", {}),
            ("GET", "/accounts", {"params": {"text": "heron"}}),
            ("GET", "/accounts/a1", {}),
            ("PUT", f"{row}/mapping", {"json": {"account": "a1"}, "headers": version}),
            ("PUT", f"{row}/mapping", {"json": {"account": "a2"}, "headers": version}),
            ("GET", "/mappings", {}),
            ("GET", "/subscriptions", {}),
            ("GET", "/statistics", {}),
            ("GET", "/decisions", {"params": {"since": 0}}),
            ("POST", "/providers/1/syncs", {"json": {}}),
            ("POST", "/matches", {"json": {"full": False}}),
            ("GET", "/runs", {}),
            ("GET", "/runs/1", {}),
            ("GET", "/runs/999", {}),
        ]
        return [client.request(method, path, **further) for method, path, further in steps]


def test_prism_finds_every_question_and_answer_of_a_day_as_described(
    server: Server, bearer: str, tmp_path: Path
) -> None:
    description = httpx.get(f"{server.url}/api/v1/openapi.json", trust_env=False, verify=False).json()
    with prism(description, server.url, tmp_path) as proxy:
        answers = talk(proxy, bearer)
    assert [answer.headers.get("sl-violations") for answer in answers] == [None] * len(answers)
    refused = [answer.status_code for answer in answers if answer.status_code >= 400]
    assert refused == [412, 409, 404]


def test_prism_sees_what_is_wrong(server: Server, bearer: str, tmp_path: Path) -> None:
    description = httpx.get(f"{server.url}/api/v1/openapi.json", trust_env=False, verify=False).json()
    description["components"]["schemas"]["Provider"]["properties"]["name"] = {"type": "integer"}
    with prism(description, server.url, tmp_path) as proxy:
        answer = httpx.get(
            f"{proxy}/api/v1/providers", headers={"Authorization": bearer}, trust_env=False, verify=False
        )
    assert "name" in answer.headers["sl-violations"]
