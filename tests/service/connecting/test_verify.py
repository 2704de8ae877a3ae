"""Verify connection on real sockets: each thing that can be missing is named for what it is."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from connection_steps import ADMIN, ONE, opened, parts_for

from tests.servers import running
from w365.demo.faults import Fault
from w365.demo.servers import DATAVERSE_CLIENT_ID, PARTNER_CENTER_CLIENT_ID, Servers
from w365.errors import W365Error
from w365.service import Service
from w365.service.connecting.stored_connections import save_connection
from w365.service.syncing.providers import verify_crm, verify_provider
from w365.store.runs import CRM


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("verify")) as started:
        yield started


@pytest.fixture(autouse=True)
def _well_again(servers: Servers) -> Iterator[None]:
    yield
    servers.faults.clear()


def connected(servers: Servers, home: Path, *, is_trusted: bool = True, **changes: str) -> Service:
    trust = {"W365_CA_BUNDLE": str(servers.ca_bundle)} if is_trusted else {}
    service = opened(home, W365_AUTHORITY=servers.urls["authority"], **trust)
    parts = parts_for(servers, "partner_center", PARTNER_CENTER_CLIENT_ID) | {"CALLS_PER_MINUTE": "0"}
    save_connection(service, ADMIN, ONE, parts | changes)
    return service


def fail(service: Service) -> str:
    with pytest.raises(W365Error) as caught:
        verify_provider(service, ADMIN, "Partner Center")
    service.store.close()
    return str(caught.value)


LONG_AGO = {"date": formatdate(1_700_000_000, usegmt=True)}
WRONG_AUDIENCE = {"code": 900420, "description": "Wrong audience."}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            Fault(service="partner_center", status=403, body={"code": 600006, "description": "Not allowed."}, times=0),
            "Partner Center does not let the application list customers (403, code 600006",
        ),
        (
            Fault(service="partner_center", status=200, body="<html>Welcome", times=0),
            "Partner Center answered with a web page instead of data.",
        ),
        (
            Fault(service="authority", status=200, body="<html>Welcome", times=0),
            "The sign-in service at 127.0.0.1 answered with a web page instead of data.",
        ),
        (
            Fault(service="partner_center", status=401, headers=LONG_AGO, times=0),
            "The clock of this machine is",
        ),
        (
            Fault(service="partner_center", status=401, body=WRONG_AUDIENCE, times=0),
            "Partner Center does not accept the sign-in of the application (401, code 900420",
        ),
    ],
)
def test_what_the_service_objects_to_is_named(servers: Servers, tmp_path: Path, fault: Fault, said: str) -> None:
    servers.faults.append(fault)
    assert said in fail(connected(servers, tmp_path))


def test_a_certificate_that_is_not_trusted_is_named_with_what_to_do(servers: Servers, tmp_path: Path) -> None:
    said = fail(connected(servers, tmp_path, is_trusted=False))
    assert "certificate" in said
    assert "W365_CA_BUNDLE" in said


def test_a_wrong_tenant_is_named(servers: Servers, tmp_path: Path) -> None:
    assert "(AADSTS90002)" in fail(connected(servers, tmp_path, TENANT_ID="contoso.example"))


def test_an_application_that_dataverse_does_not_know_is_named(servers: Servers, tmp_path: Path) -> None:
    service = connected(servers, tmp_path)
    save_connection(service, ADMIN, CRM, parts_for(servers, "dataverse", DATAVERSE_CLIENT_ID))
    servers.faults.append(Fault(service="dataverse", status=403, body={"error": {"code": "0x80040220"}}, times=0))
    with pytest.raises(W365Error, match="does not let the application read accounts"):
        verify_crm(service, ADMIN)
    service.store.close()
