"""Pages on a small database, without a server: the service with hand-written connectors."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from w365.config import Settings, load_settings
from w365.errors import W365Error
from w365.jobs import Queue, execute
from w365.model import Actor, ChangePage, CrmAccount, CrmContact, Customer, CustomerDomain, CustomerPage, Role
from w365.service import Service
from w365.service.configuration import set_setting
from w365.service.providers import PARTNER_CENTER, prepare, request_crm_sync, request_sync
from w365.store.engine import Store
from w365.ui import backstage
from w365.ui.backstage import Parts

ROOT = Path(__file__).resolve().parents[2]
ADMIN = Actor("ana", Role.ADMIN)
HOSTILE = "<script>alert(1)</script> :red[hot] $x$"


class FakePortal:
    """Lists the customers it was given."""

    waiting = None

    def __init__(self, customers: list[Customer]) -> None:
        self.customers = customers

    def verify(self) -> tuple[str, ...]:
        return ("It works.",)

    def pages(self, cursor: str | None = None) -> Iterator[CustomerPage]:
        yield CustomerPage(tuple(self.customers), total=len(self.customers))

    def close(self) -> None:
        return


class FakeCrm:
    """Has one account with one contact for each domain it was given."""

    waiting = None

    def __init__(self, domains: list[str]) -> None:
        self.domains = domains

    def accounts(self, since: str | None = None) -> Iterator[ChangePage[CrmAccount]]:
        yield ChangePage(tuple(CrmAccount(f"a{n}", f"Account {one}") for n, one in enumerate(self.domains)))

    def contacts(self, since: str | None = None) -> Iterator[ChangePage[CrmContact]]:
        yield ChangePage(tuple(CrmContact(f"c{n}", f"a{n}", one) for n, one in enumerate(self.domains)))

    def close(self) -> None:
        return


@dataclasses.dataclass
class World:
    """What the fakes answer, for tests to change, and the service on it."""

    portal: FakePortal
    crm: FakeCrm
    service: Service
    queue: Queue

    def sync(self) -> None:
        execute(self.service, request_crm_sync(self.service, ADMIN))
        execute(self.service, request_sync(self.service, ADMIN, PARTNER_CENTER))

    def open(self, page: str) -> AppTest:
        """Run a page as the app does: through the main script."""
        test = AppTest.from_file(str(ROOT / "w365" / "ui" / "main.py"), default_timeout=20)
        test.run()
        if page != "overview":
            test.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
        return test


class OnStage:
    """A backstage with everything there, or with what keeps it from it."""

    def __init__(self, parts: Parts | None, error: W365Error | None = None) -> None:
        self._parts, self._error = parts, error

    def parts(self) -> Parts:
        if self._error is not None:
            raise self._error
        assert self._parts is not None
        return self._parts


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
    return load_settings({"W365_HOME": str(tmp_path / "home"), **connections}, tmp_path / "none.toml")


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
    prepare(service)
    set_setting(service, ADMIN, "auto_match", "true")
    made = World(portal, crm, service, Queue(service))
    backstage.use(OnStage(Parts(service, made.queue)))  # type: ignore[arg-type]
    yield made
    backstage.use(None)
