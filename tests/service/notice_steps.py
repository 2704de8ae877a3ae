"""A mail server, a webhook, and a service whose scheduled runs of a morning are told to them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import email
import email.policy
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from fault_server import Answer, FaultServer
from service.fakes import ADMIN, FakeClock, FakePortal, account, contact, customer, make_service, pages_of
from service.fakes import FakeCrm as Crm
from smtp_server import SmtpServer

from w365.addresses import AddressRange
from w365.channels import Channels, Mail
from w365.entrance import Entrance
from w365.jobs import execute_run
from w365.service import Service
from w365.service.configuring import settings as configuration
from w365.service.syncing.scheduler import start_due
from w365.service.syncing.schedules import Daily, save_schedules
from w365.service.telling.notices import note_to_tell, tell_ended
from w365.store.configuring.settings import SPECS
from w365.store.db.engine import Store

PASSWORD = "canary-p@ss"
KEY = "the key of this test"
PORTAL = pages_of([customer("p1", "one.com"), customer("p2", "two.com")])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_bundle(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def smtp(authority: trustme.CA) -> Iterator[SmtpServer]:
    server = SmtpServer(authority)
    yield server
    server.close()


@pytest.fixture
def hook(authority: trustme.CA) -> Iterator[FaultServer]:
    server = FaultServer(authority, lambda _: Answer())
    yield server
    server.close()


def mail_to(server: SmtpServer) -> Mail:
    recipients = ("ops@example.com", "desk@example.com")
    return Mail("localhost", server.port, server.is_tls, "app", PASSWORD, "app@example.com", recipients)


@dataclasses.dataclass
class Morning:
    """A service with schedules of one provider and the CRM at 6 o'clock, and what is told of them."""

    service: Service
    clock: FakeClock
    portal: FakePortal

    def start(self, day: int = 3) -> list[int]:
        self.clock.at = dt.datetime(2026, 11, day, 6, tzinfo=dt.UTC)
        return start_due(self.service, note_to_tell)

    def run(self, day: int = 3) -> None:
        for run_id in self.start(day):
            execute_run(self.service, run_id)
        self.clock.forward(minutes=1)

    def tell(self, **later: float) -> int:
        self.clock.forward(**later)
        return tell_ended(self.service)


def morning(store: Store, home: Path, ca_bundle: str, channels: Channels) -> Morning:
    clock, portal, crm = FakeClock(), FakePortal(PORTAL), Crm()
    crm.put(account("a1"), contact("c1", "a1", "one.com"))
    made = make_service(store, home, portal=portal, crm=crm, clock=clock)
    address = "https://accounts.example.com"
    here = dataclasses.replace(channels, allowed=AddressRange.LOOPBACK)
    settings = dataclasses.replace(
        made.settings, channels=here, ca_bundle=ca_bundle, secret_key=KEY, entrance=Entrance(public_url=address)
    )
    service = dataclasses.replace(made, settings=settings)
    guards = {name: "false" for name in SPECS if name.startswith("guard_")}
    configuration.set_settings(service, ADMIN, {"schedule_zone": "UTC", "auto_match": "true", **guards})
    six = Daily(is_on=True, at=dt.time(6))
    save_schedules(service, ADMIN, {"1": six, "crm": six})
    return Morning(service, clock, portal)


def read_mail(text: str) -> tuple[str, str]:
    message = email.message_from_string(text, policy=email.policy.default)
    body = message.get_body()
    assert body
    return str(message["Subject"]), body.get_content()
