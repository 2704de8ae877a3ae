"""A database with two customers and three accounts, made once and copied for each test, behind the routes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Self

import httpx
import pytest
import uvicorn
from fresh_stores import make_once
from starlette.applications import Starlette
from starlette.types import ASGIApp

from w365.api import tokens
from w365.api.browsers import COOKIE
from w365.api.routes import routes
from w365.config import Settings
from w365.jobs import execute_run
from w365.model import Actor, Role
from w365.service import Service
from w365.service.syncing import providers, runs
from w365.service.syncing.providers import ManualAccount
from w365.source_records import CrmAccount
from w365.store.db.engine import Store
from w365.store.syncing.crm_accounts import store_account

SECRET = "the key of these tests"
BROWSER = "the cookie of these tests"
ANALYST = Actor("ana", Role.ANALYST)
VIEWER = Actor("vic", Role.VIEWER)
ADMIN = Actor("ada", Role.ADMIN)
CUSTOMERS = (
    ManualAccount("1", "Kestrel GmbH", ("kestrel.de",), "DE"),
    ManualAccount("2", "Heron AG", ("heron.de", "heron.example"), "DE"),
    ManualAccount("3", "100% “Osprey” O'Neil <b>&co</b> 株式会社", (), "JP"),
)
ACCOUNTS = (
    CrmAccount("a1", "Heron", "A-1", website="https://heron.de", city="Bonn", country="DE"),
    CrmAccount("a2", "Heron Holding", "A-2", website="https://www.heron.de"),
    CrmAccount("a3", "100% “Osprey” 株式会社", "A-3"),
)


def no_connection(*_: object) -> None:
    raise AssertionError("these tests reach no provider and no CRM")


def make_service(store: Store) -> Service:
    settings = Settings(Path(), str(store.engine.url), SECRET, None, None, is_demo=False)
    return Service(store, settings, no_connection, no_connection)  # type: ignore[arg-type]


@pytest.fixture
def service(store: Store) -> Service:
    service = make_service(store)
    make_once(store, "two customers and three accounts", lambda: furnish(service))
    return service


def furnish(service: Service) -> None:
    store = service.store
    providers.prepare_providers(service)
    with store.write() as connection:
        for account in ACCOUNTS:
            store_account(connection, account)
    provider = providers.add_manual_provider(service, ADMIN, "Harbour")
    providers.add_manual_accounts(service, ADMIN, provider, CUSTOMERS)
    execute_run(service, runs.request_match(service, ADMIN))


class Server:
    """The routes, or an app of a test, on a real socket; each test says what service they work with."""

    def __init__(self, app: ASGIApp | None = None, lifespan: Literal["on", "off"] = "off") -> None:
        self.get_service: Callable[[], Service] = no_connection  # type: ignore[assignment]
        app = app or Starlette(routes=routes(self._service))
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan=lifespan))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def _service(self) -> Service:
        return self.get_service()

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


Connect = Callable[[Actor | None], httpx.Client]


@pytest.fixture
def connect(service: Service, server: Server) -> Iterator[Connect]:
    """A client of the routes with the token of an actor, or with none."""
    server.get_service = lambda: service
    clients: list[httpx.Client] = []

    def connected(actor: Actor | None) -> httpx.Client:
        headers = {tokens.HEADER: tokens.mint_token(SECRET, actor, tokens.browser_of(BROWSER))} if actor else {}
        # Without TLS there is nothing to verify, and to read all authorities takes longer than most of these tests.
        clients.append(
            httpx.Client(base_url=server.url, headers=headers, cookies={COOKIE: BROWSER}, trust_env=False, verify=False)
        )
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Connect) -> httpx.Client:
    return connect(ANALYST)
