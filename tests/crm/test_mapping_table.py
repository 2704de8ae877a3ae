"""Mappings in a table of Dataverse, over real sockets to the demo's server: what is written once stays once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from fault_server import FakeClock
from http_bench import CALM

from tests.servers import ADATUM, ADATUM_ACCOUNT, BELLOWS_ACCOUNT, COHO_ACCOUNT, client, running
from w365.addresses import AddressRange
from w365.connection import Connection
from w365.crm.dataverse import Dataverse, connect_dataverse
from w365.crm.mappings import RemoteMapping
from w365.crm.tables import MappingPlace
from w365.demo.faults import Fault
from w365.demo.servers import DATAVERSE_CLIENT_ID, TENANT_ID, Servers
from w365.errors import AccessError, ConfigurationError, InputError, SourceBusy, SourceRefused, SourceUnreachable
from w365.http.conditions import Conditions
from w365.http.rate_limit import RateLimiters
from w365.http.wait import Clock

SET = "/api/data/v9.2/new_provideraccounts"
PLACE = MappingPlace("new_provideraccount", "new_specificaccountid", "new_provider", "new_account")
WITHOUT_PROVIDER = MappingPlace("new_provideraccount", "new_specificaccountid", "", "new_account")
AWKWARD = "O'Neil & Söhne/1?x=(a)%27"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with running(tmp_path) as started:
        yield started


@pytest.fixture
def http(servers: Servers) -> Iterator[httpx.Client]:
    with client(servers, "dataverse") as opened:
        yield opened


@pytest.fixture
def crm(servers: Servers) -> Iterator[Dataverse]:
    fake = FakeClock()
    clock = Clock(fake.monotonic, fake.wall, fake.sleep, lambda: 1.0)
    connection = Connection(
        servers.urls["dataverse"],
        servers.urls["authority"],
        TENANT_ID,
        DATAVERSE_CLIENT_ID,
        servers.client_secret,
        ca_bundle=str(servers.ca_bundle),
        allowed=AddressRange.LOOPBACK,
    )
    made = connect_dataverse(connection, conditions=Conditions(clock, CALM, RateLimiters(clock)))
    with closing(made) as opened:
        yield opened


def rows_there(http: httpx.Client) -> list[tuple[str, str, str]]:
    rows = http.get(SET).raise_for_status().json()["value"]
    return [(row["new_provider"], row["new_specificaccountid"], row["_new_account_value"]) for row in rows]


def test_tables_and_columns_are_found_through_metadata(crm: Dataverse) -> None:
    assert crm.metadata().tables() == ("new_provideraccount", "account", "contact")
    columns = crm.metadata().columns("new_provideraccount")
    assert columns.texts == ("new_name", "new_provider", "new_specificaccountid")
    assert columns.lookups == ("new_account",)
    assert crm.mappings(PLACE).shape.has_key
    assert not crm.mappings(WITHOUT_PROVIDER).shape.has_key


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (MappingPlace("new_gone", "a", "", "b"), "does not have this table or does not show it: new_gone"),
        (MappingPlace("x') or ('", "a", "", "b"), "is not the logical name of a table"),
        (MappingPlace("new_provideraccount", "new_gone", "", "new_account"), "has no column “new_gone”"),
        (MappingPlace("new_provideraccount", "new_name", "", "new_name"), "“new_name” is no lookup to accounts"),
        (MappingPlace("new_provideraccount", "new_account", "", "new_account"), "holds neither text nor ids"),
    ],
)
def test_what_is_missing_is_named(crm: Dataverse, place: MappingPlace, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said.replace("(", r"\(").replace(")", r"\)")):
        crm.mappings(place)


@pytest.mark.parametrize("place", [PLACE, WITHOUT_PROVIDER])
@pytest.mark.parametrize("specific_id", [ADATUM, AWKWARD])
def test_a_row_is_made_changed_and_cleared_and_never_doubled(
    crm: Dataverse, http: httpx.Client, place: MappingPlace, specific_id: str
) -> None:
    table = crm.mappings(place)
    provider = "Partner Center" if place is PLACE else None
    for account in (ADATUM_ACCOUNT, ADATUM_ACCOUNT, BELLOWS_ACCOUNT, ""):
        written = table.put(specific_id, "Partner Center", account, frozenset({ADATUM_ACCOUNT, BELLOWS_ACCOUNT}))
        assert written is not None
        assert written.account == account
        assert rows_there(http) == [(provider, specific_id, account or None)]
        (page,) = table.pages()
        assert page.changed[0].row_id == written.row_id
    assert table.put("another", "Partner Center", "", frozenset()) is None


def test_what_somebody_else_wrote_is_returned_and_left(crm: Dataverse, http: httpx.Client) -> None:
    table = crm.mappings(PLACE)
    table.put(ADATUM, "Partner Center", BELLOWS_ACCOUNT, frozenset())
    for wanted in (ADATUM_ACCOUNT, ""):
        found = table.put(ADATUM, "Partner Center", wanted, frozenset())
        assert isinstance(found, RemoteMapping)
        assert found.account == BELLOWS_ACCOUNT
    assert rows_there(http) == [("Partner Center", ADATUM, BELLOWS_ACCOUNT)]


@pytest.mark.parametrize("place", [PLACE, WITHOUT_PROVIDER])
def test_a_repeat_after_the_answer_was_lost_makes_no_second_row(
    crm: Dataverse, http: httpx.Client, servers: Servers, place: MappingPlace
) -> None:
    table = crm.mappings(place)
    for account in (ADATUM_ACCOUNT, BELLOWS_ACCOUNT):
        lost = Fault(service="dataverse", method="PATCH", lose=True)
        servers.faults[:] = [lost]
        written = table.put(ADATUM, "Partner Center", account, frozenset({ADATUM_ACCOUNT}))
        assert lost.hits == 1
        assert sum(one.method == "PATCH" for one in servers.faults.seen) >= 2
        assert written is not None
        assert [row[1:] for row in rows_there(http)] == [(ADATUM, account)]


def _older(body: bytes) -> bytes:
    """The row as it was before its last change."""
    page = json.loads(body)
    page["value"][0] |= {"@odata.etag": 'W/"1"', "_new_account_value": ADATUM_ACCOUNT}
    return json.dumps(page).encode()


def _nothing(body: bytes) -> bytes:
    return json.dumps({**json.loads(body), "value": []}).encode()


@pytest.mark.parametrize("seen", [_older, _nothing])
@pytest.mark.parametrize("place", [PLACE, WITHOUT_PROVIDER])
def test_what_changed_between_reading_and_writing_is_read_again_and_not_overwritten(
    crm: Dataverse, http: httpx.Client, servers: Servers, place: MappingPlace, seen: Callable[[bytes], bytes]
) -> None:
    table = crm.mappings(place)
    table.put(ADATUM, "Partner Center", COHO_ACCOUNT, frozenset())
    stale = Fault(service="dataverse", method="GET", path_contains="$filter", edit=seen)
    servers.faults[:] = [stale]
    found = table.put(ADATUM, "Partner Center", BELLOWS_ACCOUNT, frozenset({ADATUM_ACCOUNT}))
    assert stale.hits == 1
    assert found is not None
    assert found.account == COHO_ACCOUNT
    assert [row[1:] for row in rows_there(http)] == [(ADATUM, COHO_ACCOUNT)]


SAYS_NO = {"error": {"code": "0x80048d19", "message": "An @odata.bind of null is not supported."}}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(service="dataverse", method="PATCH", status=204, times=0),
        Fault(service="dataverse", method="PATCH", status=400, body=SAYS_NO, times=0),
        Fault(service="dataverse", method="PATCH", status=500, body=SAYS_NO, times=0),
    ],
    ids=["ignored", "refused", "server-error"],
)
def test_what_is_not_cleared_by_a_change_is_cleared_by_its_link(
    crm: Dataverse, http: httpx.Client, servers: Servers, fault: Fault
) -> None:
    table = crm.mappings(PLACE)
    table.put(ADATUM, "Partner Center", ADATUM_ACCOUNT, frozenset())
    servers.faults[:] = [fault]
    cleared = table.put(ADATUM, "Partner Center", "", frozenset({ADATUM_ACCOUNT}))
    assert cleared is not None
    assert cleared.account == ""
    assert servers.faults.seen[-2].target.endswith("/new_Account/$ref")
    assert servers.faults.seen[-1].method == "GET"  # what counts was read
    assert rows_there(http) == [("Partner Center", ADATUM, None)]


@pytest.mark.parametrize(
    ("before", "account"), [("", ADATUM_ACCOUNT), (ADATUM_ACCOUNT, BELLOWS_ACCOUNT), (ADATUM_ACCOUNT, "")]
)
def test_what_was_accepted_and_not_done_is_no_success(
    crm: Dataverse, http: httpx.Client, servers: Servers, before: str, account: str
) -> None:
    table = crm.mappings(PLACE)
    table.put(ADATUM, "Partner Center", before, frozenset())
    servers.faults[:] = [Fault(service="dataverse", method=each, status=204, times=0) for each in ("PATCH", "DELETE")]
    with pytest.raises(InputError, match=r"accepted the change, but the row of .* says what it said before"):
        table.put(ADATUM, "Partner Center", account, frozenset({ADATUM_ACCOUNT}))
    assert [row[2] for row in rows_there(http)] == ([before] if before else [])


@pytest.mark.parametrize("status", [404, 405])
def test_where_links_are_not_known_the_refusal_says_so(crm: Dataverse, servers: Servers, status: int) -> None:
    table = crm.mappings(PLACE)
    table.put(ADATUM, "Partner Center", ADATUM_ACCOUNT, frozenset())
    unknown = Fault(service="dataverse", path_contains="$ref", status=status, times=0)
    servers.faults[:] = [unknown, Fault(service="dataverse", method="PATCH", status=204, times=0)]
    with pytest.raises(SourceRefused, match=f"refused the request .{status}"):
        table.put(ADATUM, "Partner Center", "", frozenset({ADATUM_ACCOUNT}))
    assert unknown.hits == 1


def test_a_write_that_was_done_though_no_answer_ever_came_is_a_success(
    crm: Dataverse, http: httpx.Client, servers: Servers
) -> None:
    table = crm.mappings(PLACE)
    servers.faults[:] = [Fault(service="dataverse", method="PATCH", lose=True, times=0)]
    written = table.put(ADATUM, "Partner Center", ADATUM_ACCOUNT, frozenset())
    assert written is not None
    assert (written.account, written.row_id) == (ADATUM_ACCOUNT, row_id_of(http))


def row_id_of(http: httpx.Client) -> str:
    (row,) = http.get(SET).raise_for_status().json()["value"]
    return str(row["new_provideraccountid"])


def test_a_server_error_that_stays_is_said_once_the_row_was_read(
    crm: Dataverse, http: httpx.Client, servers: Servers
) -> None:
    table = crm.mappings(PLACE)
    servers.faults[:] = [Fault(service="dataverse", method="PATCH", status=500, times=0)]
    with pytest.raises(SourceUnreachable, match="server error"):
        table.put(ADATUM, "Partner Center", ADATUM_ACCOUNT, frozenset())
    assert servers.faults.seen[-1].method == "GET"
    assert rows_there(http) == []


def test_refusals_are_said_for_what_they_are(crm: Dataverse, http: httpx.Client, servers: Servers) -> None:
    table = crm.mappings(PLACE)
    with pytest.raises(InputError, match="no longer has the account"):
        table.put(ADATUM, "Partner Center", ADATUM, frozenset())  # no account has this id
    denied = {"error": {"code": "0x80040220", "message": "Principal user is missing prvCreatenew_provideraccount"}}
    servers.faults[:] = [Fault(service="dataverse", method="PATCH", status=403, body=denied, times=0)]
    with pytest.raises(AccessError, match="does not let the application write to new_provideraccount") as caught:
        table.put(ADATUM, "Partner Center", ADATUM_ACCOUNT, frozenset())
    assert "creates and changes rows" in caught.value.do
    servers.faults[:] = [Fault(service="dataverse", path_contains="EntityDefinitions", status=403, body=denied)]
    with pytest.raises(AccessError, match="definitions of tables"):
        crm.mappings(PLACE)
    assert rows_there(http) == []


def test_service_protection_is_waited_for_and_a_pause_too_long_ends_it(
    crm: Dataverse, http: httpx.Client, servers: Servers
) -> None:
    table = crm.mappings(PLACE)
    busy = {"error": {"code": "0x80072322", "message": "Number of requests exceeded the limit of 6000"}}
    limit = Fault(service="dataverse", method="PATCH", status=429, headers={"retry-after": "7"}, body=busy, times=2)
    servers.faults[:] = [limit]
    assert table.put(ADATUM, "Partner Center", ADATUM_ACCOUNT, frozenset()) is not None
    assert limit.hits == 2
    assert len(rows_there(http)) == 1
    servers.faults[:] = [Fault(service="dataverse", status=429, headers={"retry-after": "3600"}, body=busy, times=0)]
    with pytest.raises(SourceBusy):
        table.put(ADATUM, "Partner Center", "", frozenset({ADATUM_ACCOUNT}))


def test_two_rows_for_one_customer_are_refused(crm: Dataverse, http: httpx.Client) -> None:
    for provider in ("Partner Center", "Pax8"):
        http.post(SET, json={"new_specificaccountid": ADATUM, "new_provider": provider}).raise_for_status()
    with pytest.raises(InputError, match="more than one row"):
        crm.mappings(WITHOUT_PROVIDER).put(ADATUM, "", ADATUM_ACCOUNT, frozenset())
    written = crm.mappings(PLACE).put(ADATUM, "Pax8", ADATUM_ACCOUNT, frozenset())
    assert written is not None
    assert ("Partner Center", ADATUM, None) in rows_there(http)
