"""Demo servers for any test: a world small enough to know by heart, and clients for it."""

from __future__ import annotations

import functools
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from w365.demo.servers import Servers, serve
from w365.demo.world import Account, Contact, Customer, Domain, Subscription, World
from w365.demo.world.fiction import fictional_world

ADATUM = "11111111-1111-4111-8111-000000000001"
BELLOWS = "11111111-1111-4111-8111-000000000002"
COHO = "11111111-1111-4111-8111-000000000003"
DEPARTED = "11111111-1111-4111-8111-000000000004"
LONELY = "11111111-1111-4111-8111-000000000005"
ADATUM_ACCOUNT = "22222222-2222-4222-8222-000000000001"
BELLOWS_ACCOUNT = "22222222-2222-4222-8222-000000000002"
BELLOWS_TWIN = "22222222-2222-4222-8222-000000000003"
COHO_ACCOUNT = "22222222-2222-4222-8222-000000000004"
INACTIVE_ACCOUNT = "22222222-2222-4222-8222-000000000005"


def small_world() -> World:
    """Five customers: found by a contact, a conflict of two, found by website, departed, without an own domain."""
    return World("small", _customers(), _accounts(), _contacts())


@functools.cache
def fiction() -> World:
    """The demo's fictional world, made once: it takes a quarter of a second."""
    return fictional_world()


_RUNNING: list[Path] = []
"""Where servers of this process stand at this moment: only one can stand at its address."""


@functools.cache
def _address() -> dict[str, bytes]:
    """Give the files that say where the servers of this process stand, and under which certificates."""
    with tempfile.TemporaryDirectory() as home, serve(small_world(), home=Path(home)):
        return {name: (Path(home) / name).read_bytes() for name in ("ca.pem", "server.pem", "ports.json")}


@contextmanager
def running(home: Path, world: World | None = None, calls_per_minute: int = 0) -> Iterator[Servers]:
    """Serve the world (the small one unless told) from this folder, where the servers before stood if that is free.

    Links that a database keeps lead there again, so that a synced one can be copied (`fresh_stores.make_once`).
    """
    if not _RUNNING and (not home.exists() or not any(home.iterdir())):
        home.mkdir(exist_ok=True, mode=0o700)
        for name, content in _address().items():
            (home / name).write_bytes(content)
    with serve(world or small_world(), home=home, calls_per_minute=calls_per_minute) as servers:
        _RUNNING.append(home)
        try:
            yield servers
        finally:
            _RUNNING.remove(home)


@contextmanager
def client(servers: Servers, service: str, audience: str = "") -> Iterator[httpx.Client]:
    """A client of ``partner_center`` or ``dataverse`` with a token from the token endpoint, trusting the demo's CA."""
    settings = servers.environment()
    prefix = f"W365_{service.upper()}"
    with httpx.Client(verify=_trust(servers), timeout=5) as http:
        answer = http.post(
            f"{settings['W365_AUTHORITY']}/{settings[f'{prefix}_TENANT_ID']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": settings[f"{prefix}_CLIENT_ID"],
                "client_secret": settings[f"{prefix}_CLIENT_SECRET"],
                "scope": f"{audience or settings[f'{prefix}_URL']}/.default",
            },
        )
        token = answer.raise_for_status().json()["access_token"]
        http.base_url = httpx.URL(settings[f"{prefix}_URL"])
        http.headers["authorization"] = f"Bearer {token}"
        yield http


def _trust(servers: Servers) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(servers.ca_bundle))


def _customers() -> tuple[Customer, ...]:
    seats = Subscription("33333333-3333-4333-8333-000000000001", "Microsoft 365 Business Basic", 12)
    old = Subscription("33333333-3333-4333-8333-000000000002", "Power BI Pro", 3, status="disabled", term="P1M")
    return (
        _customer(ADATUM, "Adatum Ltd", "adatum.co.uk", "adatum.com", country="GB", subscriptions=(seats, old)),
        _customer(BELLOWS, "Bellows College", "bellows.edu", country="US"),
        _customer(COHO, "Coho Winery GmbH", "xn--coho-gppner-0bb.de", "coho-winery.de", country="DE"),
        _customer(DEPARTED, "Departed Inc.", "departed.com", country="US", departed=True),
        _customer(LONELY, "Lonely Traders", country="US", relationship="advisor"),
    )


def _customer(customer_id: str, name: str, *names: str, **fields: Any) -> Customer:
    label = name.partition(" ")[0].lower()
    initial = Domain(f"{label}.onmicrosoft.com", is_initial=True, is_default=not names)
    own = tuple(Domain(found, is_default=found == names[0]) for found in names)
    pending = Domain(f"pending-{label}.com", is_verified=False)
    default = names[0] if names else initial.name
    return Customer(customer_id, name, default, (*own, initial, pending), **fields)


def _accounts() -> tuple[Account, ...]:
    return (
        Account(ADATUM_ACCOUNT, "Adatum Limited", "A-1", city="Leeds", country="GB"),
        Account(BELLOWS_ACCOUNT, "Bellows College", "A-2", website="https://www.bellows.edu/"),
        Account(BELLOWS_TWIN, "Bellows College Library", "A-3", email="desk@bellows.edu", parent_id=BELLOWS_ACCOUNT),
        Account(COHO_ACCOUNT, "Coho O'Winery", "A-4", website="http://WWW.Coho-Winery.de:8080/x", country="DE"),
        Account(INACTIVE_ACCOUNT, "Old Traders", "A-5", is_active=False),
    )


def _contacts() -> tuple[Contact, ...]:
    ids = [f"44444444-4444-4444-8444-00000000000{number}" for number in range(1, 6)]
    return (
        Contact(ids[0], "Ada", "Marsh", "Ada.Marsh@ADATUM.co.uk", ADATUM_ACCOUNT),
        Contact(ids[1], "Bo", "Hale", "bo@bellows.edu", BELLOWS_ACCOUNT),
        Contact(ids[2], "Chiara", "", "mailto:chiara@gmail.com", COHO_ACCOUNT),
        Contact(ids[3], "", "Desk", "", ids[1], parent_kind="contact"),
        Contact(ids[4], "Nobody", "Known", "not an address"),
    )
