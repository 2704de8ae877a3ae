"""Start and stop the HTTPS servers, in a thread of this process."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from w365.demo.certificates import ensure_certificates
from w365.demo.dataverse.server import DataverseServer
from w365.demo.entra.authority import Authority
from w365.demo.entra.graph import AUDIENCE as GRAPH
from w365.demo.entra.graph import GraphServer
from w365.demo.faults import Faults, make_application
from w365.demo.journal import Journal
from w365.demo.partner_center.audit import AuditRecords
from w365.demo.partner_center.server import AUDIENCE, PartnerCenterServer
from w365.demo.pax8.server import TOKEN_SECONDS, Pax8Server
from w365.demo.tokens import TokenIssuer
from w365.demo.wire import Service
from w365.demo.world import World
from w365.errors import ConfigurationError
from w365.own_files import opener

TENANT_ID = "3f0c9d52-1d0e-4a5e-9a57-6a4a6f0d9b10"
TENANT_NAME = "harbourlight.onmicrosoft.com"
PARTNER_CENTER_CLIENT_ID = "8a1f2b34-52a7-4b8e-93c5-0f6c2e7d4a11"
DATAVERSE_CLIENT_ID = "c27e6a90-7b3d-4f51-8e2a-5d9b1c0f3e22"
PAX8_CLIENT_ID = "e51d0c3b-0d7a-4c52-b0d9-94f0b7a6d533"
SERVICES = ("authority", "partner_center", "dataverse", "pax8", "graph")
START_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Servers:
    """The running servers. Append to ``faults`` to make something go wrong; ``faults.seen`` tells what was asked.

    While ``refusals`` holds the number of an Entra error, such as 7000222, the token endpoint answers with it.
    """

    world: World
    urls: Mapping[str, str]
    ca_bundle: Path
    client_secret: str = field(repr=False)
    faults: Faults
    tokens: TokenIssuer = field(repr=False)
    pax8_tokens: TokenIssuer = field(repr=False)
    refusals: list[int] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """Every setting that connects a client to these servers; to Pax8 only where the world has companies there."""
        pax8 = {
            "W365_PAX8_URL": self.urls["pax8"],
            "W365_PAX8_CLIENT_ID": PAX8_CLIENT_ID,
            "W365_PAX8_CLIENT_SECRET": self.client_secret,
            "W365_PAX8_CALLS_PER_MINUTE": "0",
        }
        return (pax8 if self.world.companies else {}) | {
            "W365_ALLOW_PRIVATE_ADDRESSES": "on",
            "W365_AUTHORITY": self.urls["authority"],
            "W365_GRAPH_URL": self.urls["graph"],
            "W365_CA_BUNDLE": str(self.ca_bundle),
            "W365_PARTNER_CENTER_URL": self.urls["partner_center"],
            "W365_PARTNER_CENTER_TENANT_ID": TENANT_ID,
            "W365_PARTNER_CENTER_CLIENT_ID": PARTNER_CENTER_CLIENT_ID,
            "W365_PARTNER_CENTER_CLIENT_SECRET": self.client_secret,
            "W365_PARTNER_CENTER_CALLS_PER_MINUTE": "0",
            "W365_DATAVERSE_URL": self.urls["dataverse"],
            "W365_DATAVERSE_TENANT_ID": TENANT_ID,
            "W365_DATAVERSE_CLIENT_ID": DATAVERSE_CLIENT_ID,
            "W365_DATAVERSE_CLIENT_SECRET": self.client_secret,
        }

    def expire_tokens(self) -> None:
        """Make every access token given out so far invalid."""
        self.tokens.revoke_all()
        self.pax8_tokens.revoke_all()


@contextmanager
def serve(
    world: World, *, home: Path, calls_per_minute: int = 0, tokens: TokenIssuer | None = None
) -> Iterator[Servers]:
    """Serve the world over HTTPS on 127.0.0.1 until the block ends.

    ``home`` keeps the certificates, the ports and what clients changed, so that a restart with the same world goes on
    where it stopped: accounts created are there and change links stay valid. ``calls_per_minute`` is Partner Center's
    limit, 0 for none. Raises ConfigurationError when ``home`` cannot be written or the servers do not start.
    """
    try:
        ca_bundle, certificate = ensure_certificates(home)
        sockets = _open_sockets(home / "ports.json")
    except OSError as error:
        raise ConfigurationError(
            f"The demo's data folder {home} cannot be used ({error.strerror}).", do="Choose another folder."
        ) from None
    urls = {
        name: f"https://127.0.0.1:{opened.getsockname()[1]}" for name, opened in zip(SERVICES, sockets, strict=True)
    }
    issued = tokens or TokenIssuer()
    pax8_tokens = TokenIssuer(issued.clock, TOKEN_SECONDS)
    servers = Servers(world, urls, ca_bundle, secrets.token_urlsafe(24), Faults(), issued, pax8_tokens)
    services = _make_services(servers, home, calls_per_minute)
    running = [
        uvicorn.Server(_configure_server(make_application(name, services[name], servers.faults), certificate))
        for name in SERVICES
    ]
    with ExitStack() as stack:
        for opened in sockets:
            stack.enter_context(opened)
        stack.enter_context(_run_in_thread(running, sockets))
        yield servers


def _make_services(servers: Servers, home: Path, calls_per_minute: int) -> dict[str, Service]:
    urls, tokens = servers.urls, servers.tokens
    audiences = frozenset({AUDIENCE, urls["partner_center"]})
    clients = dict.fromkeys((PARTNER_CENTER_CLIENT_ID, DATAVERSE_CLIENT_ID), servers.client_secret)
    tenants = frozenset({TENANT_ID, TENANT_NAME})
    return {
        "authority": Authority(
            urls["authority"],
            TENANT_ID,
            tenants,
            clients,
            audiences | {urls["dataverse"], GRAPH},
            tokens,
            servers.refusals,
            customers=frozenset(customer.id for customer in servers.world.customers if not customer.departed),
        ),
        "partner_center": PartnerCenterServer(
            servers.world,
            tokens,
            audiences,
            calls_per_minute,
            journal=Journal(home / "customers.jsonl", servers.world.fingerprint),
            audit=AuditRecords(home / "audit.jsonl"),
        ),
        "dataverse": DataverseServer(
            urls["dataverse"],
            servers.world,
            Journal(home / "changes.jsonl", servers.world.fingerprint),
            tokens,
            DATAVERSE_CLIENT_ID,
            f"{urls['authority']}/{TENANT_ID}/oauth2/authorize",
        ),
        "graph": GraphServer(servers.world, tokens),
        "pax8": Pax8Server(servers.world, servers.pax8_tokens, {PAX8_CLIENT_ID: servers.client_secret}),
    }


def _configure_server(served: object, certificate: Path) -> uvicorn.Config:
    return uvicorn.Config(
        served,  # type: ignore[arg-type]  # uvicorn's own ASGI types are TypedDicts a year for each version
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        ssl_certfile=str(certificate),
    )


@contextmanager
def _run_in_thread(running: list[uvicorn.Server], sockets: list[socket.socket]) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=_run_servers, args=(loop, running, sockets, stop), name="w365-demo", daemon=True)
    thread.start()
    try:
        _wait_until_started(running, thread)
        yield
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def _run_servers(
    loop: asyncio.AbstractEventLoop, running: list[uvicorn.Server], sockets: list[socket.socket], stop: asyncio.Event
) -> None:
    async def serve_all() -> None:
        # Outside the main thread uvicorn leaves signals alone.
        pairs = zip(running, sockets, strict=True)
        serving = [asyncio.create_task(server.serve(sockets=[opened])) for server, opened in pairs]
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([*serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        await _stop_servers(running, [*serving, stopping])

    asyncio.set_event_loop(loop)
    loop.run_until_complete(serve_all())
    asyncio.set_event_loop(None)


async def _stop_servers(running: list[uvicorn.Server], tasks: list[asyncio.Task[Any]]) -> None:
    """End at once: uvicorn's own end looks ten times a second whether every client has left, and clients stay."""
    for server in running:
        for listening in getattr(server, "servers", []):
            listening.close()
    _drop_connections(running)
    tasks += [task for server in running for task in server.server_state.tasks]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.01)


def _drop_connections(running: list[uvicorn.Server]) -> None:
    # A polite TLS farewell would wait for the answer of clients that keep idle connections open.
    for server in running:
        for connection in list(server.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()


def _wait_until_started(running: list[uvicorn.Server], thread: threading.Thread) -> None:
    pause = threading.Event()
    for _ in range(int(START_SECONDS / 0.005)):
        if all(server.started for server in running):
            return
        if not thread.is_alive():
            break
        pause.wait(0.005)
    raise ConfigurationError("The demo servers did not start.", do="Try again; see the log for the reason.")


def _open_sockets(memory: Path) -> list[socket.socket]:
    """Open one listening socket a service, on the ports of the last time where they are free.

    Change links carry the address, so they outlive a restart only if the port does.
    """
    ports = _read_ports(memory)
    opened = [_open_socket(ports.get(name, 0)) for name in SERVICES]
    if ports.keys() != set(SERVICES):
        ports = {name: each.getsockname()[1] for name, each in zip(SERVICES, opened, strict=True)}
        with open(memory, "w", encoding="ascii", opener=opener) as file:
            json.dump(ports, file)
    return opened


def _read_ports(memory: Path) -> dict[str, int]:
    try:
        content = json.loads(memory.read_text(encoding="ascii"))
        return {name: int(content[name]) for name in SERVICES if name in content}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _open_socket(port: int) -> socket.socket:
    # asyncio switches Nagle's delay off only where the protocol is named; without it every answer waits 40 ms.
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        # Elsewhere this option would let two processes share one port.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(("127.0.0.1", port))
    except OSError:
        opened.bind(("127.0.0.1", 0))
    return opened
