from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import ADATUM_ACCOUNT, BELLOWS_ACCOUNT, COHO_ACCOUNT, INACTIVE_ACCOUNT, client, running, small_world
from w365.demo.partner_center.server import AUDIENCE
from w365.demo.servers import Servers

ROOT = "/api/data/v9.2"
TRACK = {"Prefer": "odata.track-changes,odata.maxpagesize=2"}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers for tests that only read, or are refused."""
    with running(tmp_path_factory.mktemp("demo")) as servers:
        yield servers


@pytest.fixture
def reader(untouched: Servers) -> Iterator[httpx.Client]:
    with client(untouched, "dataverse") as http:
        yield http


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of servers whose rows may be changed."""
    with running(tmp_path) as servers, client(servers, "dataverse") as http:
        yield http


def read_all(http: httpx.Client, address: str, prefer: dict[str, str]) -> tuple[list[Any], Any]:
    rows, page = [], {"@odata.nextLink": address}
    while "@odata.nextLink" in page:
        page = http.get(page["@odata.nextLink"], headers=prefer).raise_for_status().json()
        rows += page["value"]
    return rows, page


def create(http: httpx.Client, **values: Any) -> str:
    answer = http.post(f"{ROOT}/accounts", json=values)
    assert answer.status_code == 204
    return answer.headers["odata-entityid"].rpartition("(")[2].rstrip(")")


@pytest.mark.parametrize("order", ["", "&$orderby=name desc"])
@pytest.mark.parametrize("prefer", [{"Prefer": "odata.maxpagesize=2"}, TRACK])
def test_paging_to_the_end_gives_every_row_once(reader: httpx.Client, prefer: dict[str, str], order: str) -> None:
    if order and prefer is TRACK:
        assert reader.get(f"{ROOT}/accounts?$select=name{order}", headers=prefer).status_code == 400
        return
    rows, _ = read_all(reader, f"{ROOT}/accounts?$select=name{order}", prefer)
    assert sorted(row["accountid"] for row in rows) == [account.id for account in small_world().accounts]
    assert set(rows[0]) == {"@odata.etag", "name", "accountid"}


def test_changes_come_through_the_change_link(http: httpx.Client) -> None:
    _, page = read_all(http, f"{ROOT}/accounts?$select=name", TRACK)
    new_id = create(http, name="Newcomer")
    http.patch(f"{ROOT}/accounts({ADATUM_ACCOUNT})", json={"name": "Adatum plc"}, headers={"If-Match": "*"})
    http.delete(f"{ROOT}/accounts({COHO_ACCOUNT})")
    rows, page = read_all(http, page["@odata.deltaLink"], TRACK)
    assert [row.get("name") for row in rows] == ["Newcomer", "Adatum plc", None]
    assert rows[0]["accountid"] == new_id
    assert rows[2]["@odata.context"].endswith("#accounts/$deletedEntity")
    assert (rows[2]["id"], rows[2]["reason"]) == (COHO_ACCOUNT, "deleted")
    assert read_all(http, page["@odata.deltaLink"], TRACK)[0] == []


def test_deleting_an_account_deletes_its_contacts(http: httpx.Client) -> None:
    _, page = read_all(http, f"{ROOT}/contacts?$select=emailaddress1", TRACK)
    http.delete(f"{ROOT}/accounts({ADATUM_ACCOUNT})")
    rows, _ = read_all(http, page["@odata.deltaLink"], TRACK)
    assert [row["id"] for row in rows] == [small_world().contacts[0].id]


@pytest.mark.parametrize(
    "token",
    [
        "1000000!another!11/22/2026 10:00:00",
        "nonsense",
        "99999999!FINGERPRINT!11/22/2066 10:00:00",
        "1000000!FINGERPRINT!01/01/2020 10:00:00",
    ],
)
def test_a_change_link_of_another_world_or_time_is_expired(reader: httpx.Client, token: str) -> None:
    token = token.replace("FINGERPRINT", small_world().fingerprint)
    answer = reader.get(f"{ROOT}/accounts", params={"$select": "name", "$deltatoken": token})
    assert answer.status_code == 410
    assert answer.json()["error"]["code"] == "0x80044352"


def test_what_was_created_outlives_a_restart_and_so_do_change_links(tmp_path: Path) -> None:
    with running(tmp_path) as servers, client(servers, "dataverse") as http:
        _, page = read_all(http, f"{ROOT}/accounts?$select=name", TRACK)
        new_id = create(http, name="Stays")
    with (tmp_path / "changes.jsonl").open("a") as file:
        file.write('{"torn by a crash')
    with running(tmp_path) as servers, client(servers, "dataverse") as http:
        assert http.get(f"{ROOT}/accounts({new_id})").json()["name"] == "Stays"
        create(http, name="Later")
        rows, _ = read_all(http, page["@odata.deltaLink"], TRACK)
        assert [row["name"] for row in rows] == ["Stays", "Later"]


def test_two_servers_on_one_folder_see_each_others_changes(tmp_path: Path) -> None:
    with (
        running(tmp_path) as first_servers,
        running(tmp_path) as second_servers,
        client(first_servers, "dataverse") as first,
        client(second_servers, "dataverse") as second,
    ):
        new_id = create(first, name="Shared")
        seen = second.get(f"{ROOT}/accounts({new_id})").json()
        assert seen == first.get(f"{ROOT}/accounts({new_id})").json() | {"@odata.context": seen["@odata.context"]}


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        ("name eq 'coho o''winery'", ["A-4"]),
        ("startswith(name,'bellows')", ["A-2", "A-3"]),
        ("contains(websiteurl,'winery') and statecode eq 0", ["A-4"]),
        ("statecode ne 0", ["A-5"]),
        ("websiteurl ne null", ["A-2", "A-4"]),
        (f"_parentaccountid_value eq {BELLOWS_ACCOUNT}", ["A-3"]),
        (f"accountid eq '{BELLOWS_ACCOUNT}' or (not contains(name,'e') and statecode eq 1)", ["A-2"]),
        ("versionnumber le 1", ["A-1"]),
        ("Microsoft.Dynamics.CRM.In(PropertyName='accountnumber',PropertyValues=['a-1','A-4','x'])", ["A-1", "A-4"]),
        ("not Microsoft.Dynamics.CRM.In(PropertyName='statecode',PropertyValues=['0'])", ["A-5"]),
    ],
)
def test_a_filter_keeps_the_rows_it_names(reader: httpx.Client, condition: str, numbers: list[str]) -> None:
    answer = reader.get(f"{ROOT}/accounts", params={"$select": "accountnumber", "$filter": condition})
    assert [row["accountnumber"] for row in answer.json()["value"]] == numbers


@pytest.mark.parametrize(
    "query",
    [
        "$filter=name eq",
        "$filter=tolower(name) eq 'x'",
        "$filter=nme eq 'x'",
        "$filter=name eq 'x' x",
        "$filter=name eq 'x",
        "$skip=5",
        "$expand=primarycontactid",
        "$expand=contact_customer_accounts($expand=parentcustomerid_account)",
        "$expand=contact_customer_accounts($select=name)",
        "$expand=contact_customer_accounts($select=fullname",
        "$expand=,",
        "$apply=groupby((statecode))",
        "$search=x",
        "fetchXml=<fetch><entity name='account'/></fetch>",
        "sql=SELECT name FROM account",
        "savedQuery=00000000-0000-4000-8000-000000000001",
        "$filter=Microsoft.Dynamics.CRM.In(PropertyName='nme',PropertyValues=['a'])",
        "$filter=Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=['a')",
        "$filter=Microsoft.Dynamics.CRM.Under(PropertyName='name',PropertyValues=['a'])",
        "$orderby=name desc,nme",
        "$orderby=name sideways",
        "$orderby=nme",
        "$top=x",
        "$skiptoken=x",
    ],
)
def test_what_is_not_understood_is_refused(reader: httpx.Client, query: str) -> None:
    answer = reader.get(f"{ROOT}/accounts?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_an_unknown_column_is_named(reader: httpx.Client) -> None:
    answer = reader.get(f"{ROOT}/accounts?$select=name,fax99")
    assert answer.status_code == 400
    message = "Could not find a property named 'fax99' on type 'Microsoft.Dynamics.CRM.account'."
    assert answer.json()["error"]["message"] == message


def test_count_top_and_order(reader: httpx.Client) -> None:
    answer = reader.get(f"{ROOT}/accounts?$select=name&$orderby=name desc&$top=1&$count=true").json()
    assert answer["@odata.count"] == 5
    assert [row["name"] for row in answer["value"]] == ["Old Traders"]
    assert "@odata.nextLink" not in answer


def test_annotations_tell_which_table_a_lookup_means(reader: httpx.Client) -> None:
    prefer = {"Prefer": 'odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"'}
    rows = reader.get(f"{ROOT}/contacts?$select=_parentcustomerid_value", headers=prefer).json()["value"]
    kinds = [row.get("_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname") for row in rows]
    assert kinds == ["account", "account", "account", "contact", None]
    plain = reader.get(f"{ROOT}/contacts?$select=_parentcustomerid_value").json()["value"]
    assert not any("lookuplogicalname" in key for row in plain for key in row)


def test_a_created_row_is_shown_when_asked_for(http: httpx.Client) -> None:
    prefer = {"Prefer": "return=representation"}
    answer = http.post(f"{ROOT}/accounts?$select=name", json={"name": "Shown"}, headers=prefer)
    assert answer.status_code == 201
    assert answer.json()["name"] == "Shown"
    assert answer.headers["odata-entityid"].endswith(f"({answer.json()['accountid']})")


def test_a_duplicate_is_refused_only_when_detection_is_on(http: httpx.Client) -> None:
    detect = {"MSCRM.SuppressDuplicateDetection": "false"}
    answer = http.post(f"{ROOT}/accounts", json={"name": "ADATUM limited"}, headers=detect)
    assert answer.status_code == 412
    assert answer.json()["error"]["code"] == "0x80040333"
    create(http, name="Adatum Limited")


@pytest.mark.parametrize(
    "values", [{"nme": "x"}, {"name": "x" * 161}, {"name": 5}, ["x"], {"primary@odata.bind": "/accounts(x)"}]
)
def test_a_payload_that_does_not_fit_changes_nothing(reader: httpx.Client, values: Any) -> None:
    assert reader.post(f"{ROOT}/accounts", json=values).status_code == 400
    assert len(read_all(reader, f"{ROOT}/accounts", {})[0]) == 5


def test_lookups_are_written_through_their_navigation_property(http: httpx.Client) -> None:
    answer = http.post(
        f"{ROOT}/contacts",
        json={
            "firstname": "Eva",
            "lastname": "Grau",
            "parentcustomerid_account@odata.bind": f"/accounts({COHO_ACCOUNT})",
        },
        headers={"Prefer": "return=representation"},
    ).json()
    assert (answer["fullname"], answer["_parentcustomerid_value"]) == ("Eva Grau", COHO_ACCOUNT)


def test_conditions_guard_an_update(http: httpx.Client) -> None:
    address = f"{ROOT}/accounts({INACTIVE_ACCOUNT})"
    etag = http.get(address).json()["@odata.etag"]
    missing = f"{ROOT}/accounts(99999999-9999-4999-8999-999999999999)"
    assert http.patch(missing, json={"name": "x"}, headers={"If-Match": "*"}).status_code == 404
    assert http.patch(address, json={"name": "x"}, headers={"If-None-Match": "*"}).status_code == 412
    changed = http.patch(address, json={"name": "x"}, headers={"If-Match": etag})
    assert (changed.status_code, "content-length" in changed.headers) == (204, False)
    assert http.patch(address, json={"name": "y"}, headers={"If-Match": etag}).status_code == 412
    assert http.get(address).json()["name"] == "x"
    assert http.patch(missing, json={"name": "made"}).status_code == 204
    assert http.get(missing).json()["name"] == "made"


def test_metadata_names_the_entity_set(reader: httpx.Client) -> None:
    query = {"$select": "LogicalName,EntitySetName", "$filter": "LogicalName eq 'account'"}
    listed = reader.get(f"{ROOT}/EntityDefinitions", params=query).json()["value"]
    assert [(row["LogicalName"], row["EntitySetName"]) for row in listed] == [("account", "accounts")]
    definition = reader.get(f"{ROOT}/EntityDefinitions(LogicalName='contact')?$select=PrimaryIdAttribute").json()
    assert definition["PrimaryIdAttribute"] == "contactid"


def test_the_columns_of_one_kind_can_be_asked_for(reader: httpx.Client) -> None:
    columns = f"{ROOT}/EntityDefinitions(LogicalName='account')/Attributes"
    lookups = reader.get(f"{columns}/Microsoft.Dynamics.CRM.LookupAttributeMetadata").json()["value"]
    assert [column["LogicalName"] for column in lookups] == ["parentaccountid"]
    assert len(reader.get(columns).json()["value"]) > 10
    assert reader.get(f"{ROOT}/EntityDefinitions(LogicalName='account')/Sharing").status_code == 404


def test_a_token_for_another_audience_or_another_application_is_refused(untouched: Servers) -> None:
    with client(untouched, "dataverse", AUDIENCE) as http:
        answer = http.get(f"{ROOT}/WhoAmI")
        assert answer.status_code == 401
        assert untouched.urls["authority"] in answer.headers["www-authenticate"]
    with client(untouched, "partner_center", untouched.urls["dataverse"]) as http:
        assert http.get(f"{untouched.urls['dataverse']}{ROOT}/WhoAmI").status_code == 403
