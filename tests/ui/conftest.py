"""Pages on a small database, without a server: the service with hand-written connectors."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fresh_stores import make_once, put_migrated
from stage import ADMIN, HOSTILE, FakeCrm, FakePortal, OnStage, World
from streamlit.components.v2 import manifest_scanner

from w365.config import Settings, load_settings
from w365.service import Service
from w365.service.configuring.settings import set_setting
from w365.service.syncing.providers import prepare_providers
from w365.source_records import Customer, CustomerDomain
from w365.store.db.engine import Store
from w365.ui.frame import app_runtime

# Every run of a page in a test has Streamlit look through all installed packages for components: half of its time.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def _main_stays() -> Iterator[None]:
    """Streamlit leaves a page's script behind as the main module, and every process started later would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    connections = {
        f"W365_{name}_{part}": value
        for name in ("PARTNER_CENTER", "DATAVERSE")
        for part, value in (
            ("URL", "https://127.0.0.1:9"),
            ("TENANT_ID", "fabrikam.example.com"),
            ("CLIENT_ID", "client"),
            ("CLIENT_SECRET", "a secret"),
        )
    }
    put_migrated(tmp_path / "home")
    own = {"W365_HOME": str(tmp_path / "home"), "W365_ALLOW_PRIVATE_ADDRESSES": "on"}
    return load_settings({**own, **connections}, tmp_path / "none.toml")


@pytest.fixture
def world(store: Store, settings: Settings) -> Iterator[World]:
    """Thirty customers: twenty with an account, ten without; Auto-Match is on and nothing was synced yet."""
    names = [HOSTILE, *(f"Customer {n}" for n in range(1, 30))]
    customers = [
        Customer(f"id-{n}", name, f"c{n}.de", (CustomerDomain(f"c{n}.de", is_default=True),), "domains")
        for n, name in enumerate(names)
    ]
    portal, crm = FakePortal(customers), FakeCrm([f"c{n}.de" for n in range(20)])

    @contextmanager
    def lend_portal(_name: str, _check: Callable[[], None]) -> Iterator[FakePortal]:
        yield portal

    @contextmanager
    def lend_crm(_check: Callable[[], None]) -> Iterator[FakeCrm]:
        yield crm

    service = Service(store, settings, lend_portal, lend_crm)  # type: ignore[arg-type]
    make_once(
        store,
        "Auto-Match is on",
        lambda: (prepare_providers(service), set_setting(service, ADMIN, "auto_match", "true")),
    )
    made = World(portal, crm, service)
    app_runtime.use(OnStage(service))  # type: ignore[arg-type]
    yield made
    app_runtime.use(None)
