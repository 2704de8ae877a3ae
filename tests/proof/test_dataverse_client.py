"""Microsoft's own Python client against the demo's Dataverse: what pages, creates and reads back speaks it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError

from tests.servers import ADATUM_ACCOUNT, BELLOWS_ACCOUNT, client, running, small_world
from w365.demo.servers import Servers

pytestmark = pytest.mark.proof


class AccessToken(NamedTuple):
    """What the client takes from a credential."""

    token: str
    expires_on: int


class Credential:
    """A token from the demo's authority; it notes what it was asked for."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self.scopes: set[str] = set()

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes |= set(scopes)
        with client(self._servers, "dataverse") as signed_in:
            token = signed_in.headers["authorization"].removeprefix("Bearer ")
        return AccessToken(token, int(time.time()) + 3600)


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    with running(tmp_path) as servers:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(servers.ca_bundle))  # the client's requests knows no other way
        yield servers


@contextmanager
def microsofts(servers: Servers) -> Iterator[DataverseClient]:
    with DataverseClient(servers.urls["dataverse"], Credential(servers)) as found:
        yield found


def test_it_asks_for_a_token_of_the_environment_itself(servers: Servers) -> None:
    credential = Credential(servers)
    with DataverseClient(servers.urls["dataverse"], credential) as found:
        found.records.list("account", select=["name"], top=1)
    assert credential.scopes == {f"{servers.urls['dataverse']}/.default"}


def test_it_pages_through_all_accounts(servers: Servers) -> None:
    with microsofts(servers) as found:
        pages = list(found.records.list_pages("account", select=["name", "accountid"], page_size=2))
    assert [len(list(page)) for page in pages] == [2, 2, 1]
    ids = [record["accountid"] for page in pages for record in page]
    assert sorted(ids) == sorted(account.id for account in small_world().accounts)


def test_it_filters_sorts_and_expands(servers: Servers) -> None:
    with microsofts(servers) as found:
        active = found.records.list(
            "account", filter="statecode eq 0 and startswith(name,'Bell')", select=["name"], orderby=["name desc"]
        )
        of_one = found.records.list("contact", filter=f"_parentcustomerid_value eq {ADATUM_ACCOUNT}")
    assert [each["name"] for each in active] == ["Bellows College Library", "Bellows College"]
    assert [each["emailaddress1"] for each in of_one] == ["Ada.Marsh@ADATUM.co.uk"]


def test_what_it_creates_can_be_read_changed_and_deleted(servers: Servers) -> None:
    with microsofts(servers) as found:
        created = found.records.create("account", {"name": "O'Neil & Söhne", "websiteurl": "oneil.example"})
        read = found.records.retrieve("account", created, select=["name", "websiteurl", "statecode"])
        assert read is not None
        assert (read["name"], read["websiteurl"], read["statecode"]) == ("O'Neil & Söhne", "oneil.example", 0)
        found.records.update("account", created, {"telephone1": "555-0100"})
        read = found.records.retrieve("account", created, select=["telephone1"])
        assert read is not None
        assert read["telephone1"] == "555-0100"
        found.records.delete("account", created)
        assert found.records.retrieve("account", created) is None


def test_it_reads_lookups_with_their_table(servers: Servers) -> None:
    with microsofts(servers) as found:
        (child,) = found.records.list(
            "account", filter=f"_parentaccountid_value eq {BELLOWS_ACCOUNT}", include_annotations="*"
        )
    assert child["name"] == "Bellows College Library"
    assert child["_parentaccountid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"


def test_it_understands_the_refusal_of_a_column_that_is_not_there(servers: Servers) -> None:
    with microsofts(servers) as found, pytest.raises(HttpError) as caught:
        found.records.list("account", select=["nosuchcolumn"])
    assert caught.value.status_code == 400
    assert "nosuchcolumn" in str(caught.value)
