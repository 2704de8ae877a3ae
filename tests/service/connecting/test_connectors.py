"""Every connector of the table is offered, opened and explained without the service knowing it by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from fresh_stores import put_migrated

from tests.servers import fiction, running
from w365 import connection
from w365.config import load_settings
from w365.connection import REACHES
from w365.demo.world import World
from w365.errors import ConfigurationError
from w365.jobs import execute_run
from w365.log import secrets_of
from w365.model import Actor, ProviderKind, Role, RunState
from w365.portals.connectors import CONNECTORS
from w365.service import Service
from w365.service.bootstrap import open_service
from w365.service.syncing.providers import add_manual_provider, list_providers, prepare_providers, verify_provider
from w365.service.syncing.runs import request_sync
from w365.store import tables as t

ADMIN = Actor("admin", Role.ADMIN)
PAX8 = {"W365_PAX8_CLIENT_ID": "id", "W365_PAX8_CLIENT_SECRET": "canary-secret"}

DATAVERSE = {
    "W365_DATAVERSE_URL": "https://crm.example",
    "W365_DATAVERSE_TENANT_ID": "tenant.example",
    "W365_DATAVERSE_CLIENT_ID": "id",
    "W365_DATAVERSE_CLIENT_SECRET": "secret",
}


def service_of(home: Path, **environment: str) -> Service:
    settings = load_settings({"W365_HOME": str(home), **environment}, home / "none.toml")
    if not (home / "w365.db").exists():
        put_migrated(home)
    return open_service(settings)


def names(service: Service) -> list[tuple[str, str]]:
    return [(one.name, one.missing) for one in list_providers(service, ADMIN)]


def test_every_kind_but_the_manual_one_has_one_connector_and_its_settings() -> None:
    assert {one.kind for one in CONNECTORS} == set(ProviderKind) - {ProviderKind.MANUAL}
    assert len({one.name.casefold() for one in CONNECTORS}) == len(CONNECTORS)
    assert {one.setting for one in CONNECTORS} == set(REACHES) - {connection.DATAVERSE}


def test_a_provider_is_listed_once_it_is_connected_and_stays_when_it_no_longer_is(tmp_path: Path) -> None:
    unconnected = (
        "Not connected. An admin connects it on the Providers page, or sets"
        " W365_PARTNER_CENTER_TENANT_ID, W365_PARTNER_CENTER_CLIENT_ID, W365_PARTNER_CENTER_CLIENT_SECRET"
        " in the environment."
    )
    database = {"W365_DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}"}
    before = service_of(tmp_path, **database, **DATAVERSE)
    assert names(before) == [("Partner Center", unconnected)]
    during = service_of(tmp_path, **database, **PAX8)
    prepare_providers(during)
    assert names(during) == [("Partner Center", unconnected), ("Pax8", "")]
    after = service_of(tmp_path, **database, **DATAVERSE)
    missing = (
        "Not connected. An admin connects it on the Providers page, or sets W365_PAX8_CLIENT_ID,"
        " W365_PAX8_CLIENT_SECRET in the environment."
    )
    assert names(after) == [("Partner Center", unconnected), ("Pax8", missing)]
    with pytest.raises(ConfigurationError, match="Not connected"):
        request_sync(after, ADMIN, "Pax8")
    with pytest.raises(ConfigurationError, match="Pax8 is not connected"), after.open_portal("Pax8", lambda: None):
        pass
    for service in (before, during, after):
        service.store.close()


def test_a_manual_provider_of_the_same_name_keeps_it(tmp_path: Path) -> None:
    database = {"W365_DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}"}
    before = service_of(tmp_path, **database, **DATAVERSE)
    add_manual_provider(before, ADMIN, "PAX8")
    before.store.close()
    connected = service_of(tmp_path, **database, **PAX8)
    assert [name for name, _ in names(connected)] == ["Partner Center", "PAX8", "Pax8 (2)"]
    with connected.open_portal("Pax8 (2)", lambda: None) as portal:
        assert portal.waiting is None
    with pytest.raises(ConfigurationError, match="PAX8 is not connected"), connected.open_portal("PAX8", lambda: None):
        pass
    connected.store.close()


def test_the_settings_of_pax8_are_checked_and_its_secret_is_known_to_the_log(tmp_path: Path) -> None:
    settings = load_settings({"W365_HOME": str(tmp_path), **PAX8}, tmp_path / "none.toml")
    found = settings.further[connection.PAX8]
    assert (found.url, found.authority, found.tenant_id) == ("https://api.pax8.com", "https://api.pax8.com", "")
    assert found.calls_per_minute == 1000
    assert not settings.is_demo
    assert "canary-secret" in secrets_of(settings)
    assert "canary-secret" not in repr(settings)
    for changes, said in (
        ({"W365_PAX8_CLIENT_SECRET": ""}, "The connection needs W365_PAX8_CLIENT_SECRET as well."),
        ({"W365_PAX8_URL": "http://api.pax8.com"}, "W365_PAX8_URL must be a plain https:// address."),
        ({"W365_PAX8_CALLS_PER_MINUTE": "x"}, "W365_PAX8_CALLS_PER_MINUTE must be a whole number"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            load_settings({"W365_HOME": str(tmp_path), **PAX8, **changes}, tmp_path / "none.toml")
        assert caught.value.what.startswith(said)
    unlimited = load_settings({"W365_HOME": str(tmp_path), **PAX8, "W365_PAX8_CALLS_PER_MINUTE": "0"})
    assert unlimited.further[connection.PAX8].calls_per_minute is None


def test_pax8_is_verified_and_synced_like_any_other_and_a_second_sync_changes_nothing(tmp_path: Path) -> None:
    world = World("pax8", (), (), (), companies=fiction().companies)
    with running(tmp_path / "demo", world) as servers:
        service = service_of(tmp_path, **servers.environment())
        assert verify_provider(service, ADMIN, "pax8")[1] == "Companies can be listed (140)."
        runs = [execute_run(service, request_sync(service, ADMIN, "Pax8")) for _ in range(2)]
        with service.store.read() as database:
            rows = database.scalar(sa.select(sa.func.count()).select_from(t.ProviderAccount))
            domains = database.scalar(sa.select(sa.func.count()).select_from(t.ProviderAccountDomain))
        service.store.close()
    assert [run.state for run in runs] == [RunState.DONE] * 2
    assert (runs[0].result["new"], runs[1].result["unchanged"], rows, domains) == (138, 138, 138, 133)
