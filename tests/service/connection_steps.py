"""Services on databases of one's own, in which a test connects what it needs."""

from __future__ import annotations

from pathlib import Path

from fresh_stores import put_migrated

from w365.config import load_settings
from w365.demo.servers import TENANT_ID, Servers
from w365.model import Actor, Role
from w365.service import Service
from w365.service.bootstrap import open_service
from w365.service.syncing.providers import list_providers
from w365.store.db.engine import Store

ADMIN = Actor("ada", Role.ADMIN)
ANALYST = Actor("ben", Role.ANALYST)
CANARY = "canary-secret-4711"
KEY = "a key that is long enough to encrypt"
PARTS = {
    "URL": "https://pc.example",
    "TENANT_ID": "partner.example",
    "CLIENT_ID": "client-1",
    "CLIENT_SECRET": CANARY,
}
ONE = "1"
"""The target of the provider that every new database lists."""


def opened(home: Path, store: Store | None = None, **environment: str) -> Service:
    """Open a service on this store; without one on a database in its home."""
    if store:
        environment = {"W365_DATABASE_URL": str(store.engine.url), **environment}
    elif "W365_DATABASE_URL" not in environment and not (home / "w365.db").exists():
        put_migrated(home)
    own = {"W365_HOME": str(home), "W365_DEMO": "off", "W365_SECRET_KEY": KEY, "W365_ALLOW_PRIVATE_ADDRESSES": "on"}
    values = {**own, **environment}
    return open_service(load_settings(values, home / "none.toml"), store)


def parts_for(servers: Servers, service: str, client_id: str) -> dict[str, str]:
    return {
        "URL": servers.urls[service],
        "TENANT_ID": TENANT_ID,
        "CLIENT_ID": client_id,
        "CLIENT_SECRET": servers.client_secret,
    }


def missing(service: Service) -> dict[str, str]:
    return {one.name: one.missing for one in list_providers(service, ADMIN)}


def bytes_of(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
