"""Programs that come with a token of their own, before the same small database as the grid's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from api.conftest import ADMIN, Server, connect, server, service

from w365.model import Role
from w365.service import Service
from w365.service.people.service_tokens import NewToken, make_token

__all__ = ["connect", "server", "service"]

Program = Callable[..., httpx.Client]


def make(service: Service, role: Role = Role.ANALYST, name: str = "billing", days: int = 1) -> NewToken:
    return make_token(service, ADMIN, name, role, days)


@pytest.fixture
def program(service: Service, server: Server) -> Iterator[Program]:
    """A client of a service account with a role, or with the secret that is given."""
    server.get_service = lambda: service
    clients: list[httpx.Client] = []

    def came(role: Role = Role.ANALYST, *, secret: str = "", **headers: str) -> httpx.Client:
        brought = {"Authorization": f"Bearer {secret or make(service, role).secret}"} | headers
        url = f"{server.url}/api/v1"
        clients.append(httpx.Client(base_url=url, headers=brought, trust_env=False, verify=False))
        return clients[-1]

    yield came
    for client in clients:
        client.close()


@pytest.fixture
def client(program: Program) -> httpx.Client:
    return program()


def named(client: httpx.Client, name: str) -> dict[str, Any]:
    """The line of a provider account."""
    items: list[dict[str, Any]] = client.get("/provider-accounts").json()["items"]
    return next(item for item in items if item["name"] == name)


def seen(row: dict[str, Any]) -> dict[str, str]:
    return {"If-Match": f'"{row["version"]}"'}


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and kind of a refusal, which has the form that is promised."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"].endswith(".")
    assert body["detail"].endswith(".")
    return answer.status_code, body["type"].removeprefix("urn:w365:problem:")
