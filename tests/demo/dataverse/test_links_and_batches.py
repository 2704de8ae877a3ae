"""What clients of the demo's Dataverse ask besides rows and pages: expansions, links, counts, versions, batches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import ADATUM_ACCOUNT, BELLOWS_ACCOUNT, BELLOWS_TWIN, COHO_ACCOUNT, client, running
from w365.demo.servers import Servers

ROOT = "/api/data/v9.2"
ADA, BO = (f"44444444-4444-4444-8444-00000000000{number}" for number in (1, 2))
TWIN = f"{ROOT}/accounts({BELLOWS_TWIN})"


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
    with running(tmp_path) as servers, client(servers, "dataverse") as http:
        yield http


def numbers(answer: httpx.Response) -> list[str]:
    return [row["accountnumber"] for row in answer.raise_for_status().json()["value"]]


def test_several_orders_count_one_after_the_other(reader: httpx.Client) -> None:
    by = {"$select": "accountnumber", "$orderby": "statecode desc, address1_country desc,name"}
    assert numbers(reader.get(f"{ROOT}/accounts", params=by)) == ["A-5", "A-1", "A-4", "A-2", "A-3"]


def test_rows_are_counted(reader: httpx.Client) -> None:
    assert reader.get(f"{ROOT}/accounts/$count").text == "5"
    assert reader.get(f"{ROOT}/accounts/$count", params={"$filter": "statecode eq 0"}).text == "4"
    assert reader.get(f"{ROOT}/accounts({BELLOWS_ACCOUNT})/account_parent_account/$count").text == "1"
    assert reader.get(f"{ROOT}/accounts/$count?$top=1").status_code == 400


def test_one_level_is_expanded(reader: httpx.Client) -> None:
    options = "$select=emailaddress1,fullname;$filter=contains(fullname,'Bo');$orderby=fullname;$top=5"
    expand = f"parentaccountid($select=name),contact_customer_accounts({options})"
    query = {"$select": "name", "$expand": expand, "$filter": "startswith(name,'Bellows')", "$orderby": "name"}
    first, second = reader.get(f"{ROOT}/accounts", params=query).raise_for_status().json()["value"]
    assert first["parentaccountid"] is None
    assert [(row["contactid"], row["fullname"]) for row in first["contact_customer_accounts"]] == [(BO, "Bo Hale")]
    assert (second["parentaccountid"]["name"], second["contact_customer_accounts"]) == ("Bellows College", [])
    (kind,) = reader.get(f"{ROOT}/contacts({BO})?$expand=contact_customer_contacts").json()["contact_customer_contacts"]
    assert kind["lastname"] == "Desk"


def test_a_row_the_client_has_is_not_sent_again(reader: httpx.Client) -> None:
    answer = reader.get(TWIN)
    etag = answer.json()["@odata.etag"]
    assert answer.headers["etag"] == etag
    again = reader.get(TWIN, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert reader.get(TWIN, headers={"If-None-Match": 'W/"0"'}).status_code == 200
    assert reader.get(TWIN, headers={"If-None-Match": "null"}).status_code == 200


def test_what_a_row_leads_to_has_an_address(reader: httpx.Client) -> None:
    assert reader.get(f"{TWIN}/parentaccountid?$select=name").json()["name"] == "Bellows College"
    assert reader.get(f"{ROOT}/accounts({BELLOWS_ACCOUNT})/parentaccountid").status_code == 204
    contacts = reader.get(f"{ROOT}/accounts({ADATUM_ACCOUNT})/contact_customer_accounts?$select=fullname").json()
    assert [row["fullname"] for row in contacts["value"]] == ["Ada Marsh"]
    assert reader.get(f"{TWIN}/name").json()["value"] == "Bellows College Library"
    assert reader.get(f"{TWIN}/name/$value").text == "Bellows College Library"
    assert reader.get(f"{TWIN}/fax").status_code == 400
    assert reader.get(f"{TWIN}/name/x").status_code == 404


def test_a_lookup_is_linked_and_unlinked(http: httpx.Client) -> None:
    link = f"{TWIN}/parentaccountid/$ref"
    assert http.get(link).json()["@odata.id"].endswith(f"/accounts({BELLOWS_ACCOUNT})")
    before = http.get(TWIN).json()["@odata.etag"]
    for reference in (f"accounts({COHO_ACCOUNT})", f"{http.base_url}{ROOT}/accounts({COHO_ACCOUNT})"):
        assert http.put(link, json={"@odata.id": reference}).status_code == 204
        assert http.get(TWIN).json()["_parentaccountid_value"] == COHO_ACCOUNT
    assert http.get(TWIN).json()["@odata.etag"] != before
    for _ in range(2):  # what is not linked can be unlinked
        assert http.delete(link).status_code == 204
        assert http.get(TWIN).json()["_parentaccountid_value"] is None


def test_a_list_takes_in_a_row_and_gives_it_up(http: httpx.Client) -> None:
    contacts = f"{TWIN}/contact_customer_accounts"
    assert http.post(f"{contacts}/$ref", json={"@odata.id": f"contacts({ADA})"}).status_code == 204
    (linked,) = http.get(f"{contacts}/$ref").json()["value"]
    assert linked["@odata.id"].endswith(f"/contacts({ADA})")
    assert http.delete(f"{contacts}({BO})/$ref").status_code == 204  # is another account's, and stays so
    assert http.get(f"{ROOT}/contacts({BO})").json()["_parentcustomerid_value"] == BELLOWS_ACCOUNT
    for address in (f"{contacts}({ADA})/$ref", f"{contacts}/$ref?$id=contacts({ADA})"):
        http.post(f"{contacts}/$ref", json={"@odata.id": f"contacts({ADA})"})
        assert http.delete(address).status_code == 204
        assert http.get(f"{ROOT}/contacts({ADA})").json()["_parentcustomerid_value"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/parentaccountid/$ref", {"@odata.id": f"contacts({ADA})"}, 400),
        ("PUT", "/parentaccountid/$ref", {"@odata.id": f"accounts({ADA})"}, 404),
        ("PUT", "/parentaccountid/$ref", [], 400),
        ("POST", "/parentaccountid/$ref", {"@odata.id": f"accounts({COHO_ACCOUNT})"}, 405),
        ("PATCH", "/parentaccountid", {}, 404),
        ("DELETE", "/contact_customer_accounts/$ref", None, 400),
        ("PUT", "/nowhere/$ref", {}, 404),
        ("PUT", "/name", {"value": 5}, 400),
        ("PATCH", "/name", {"value": "x"}, 405),
    ],
)
def test_a_link_that_makes_no_sense_is_refused(
    http: httpx.Client, method: str, path: str, body: Any, status: int
) -> None:
    before = http.get(TWIN).json()
    assert http.request(method, TWIN + path, json=body).status_code == status
    assert http.get(TWIN).json() == before


def test_single_columns_are_written_and_emptied(http: httpx.Client) -> None:
    assert http.put(f"{TWIN}/websiteurl", json={"value": "bellows.edu"}).status_code == 204
    assert http.get(f"{TWIN}/websiteurl").json()["value"] == "bellows.edu"
    assert http.delete(f"{TWIN}/websiteurl").status_code == 204
    assert http.get(f"{TWIN}/websiteurl").status_code == 204


def part(method: str, path: str, body: Any = None, name: str = "") -> str:
    own = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
    own += f"Content-ID: {name}\r\n" if name else ""
    content = "" if body is None else json.dumps(body, ensure_ascii=False)
    return f"{own}\r\n{method} {path} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{content}\r\n"


def changes(*parts: str) -> str:
    inside = "".join(f"--set\r\n{each}\r\n" for each in parts)
    return f"Content-Type: multipart/mixed;boundary=set\r\n\r\n{inside}--set--\r\n"


def send(http: httpx.Client, *parts: str, **headers: str) -> httpx.Response:
    body = "".join(f"--b1\r\n{each}\r\n" for each in parts) + "--b1--\r\n"
    kind = {"content-type": 'multipart/mixed; boundary="b1"'}
    return http.post(f"{ROOT}/$batch", content=body.encode(), headers={**kind, **headers})


def statuses(answer: httpx.Response) -> list[int]:
    return [int(line.split(" ")[1]) for line in answer.text.splitlines() if line.startswith("HTTP/1.1 ")]


def test_a_batch_reads_and_writes_and_a_later_part_names_an_earlier_row(http: httpx.Client) -> None:
    made = [
        part("POST", f"{ROOT}/accounts", {"name": "Müller", "accountnumber": "A-9"}, "1"),
        part("POST", f"{ROOT}/contacts", {"lastname": "Ö$1", "parentcustomerid_account@odata.bind": "$1"}, "2"),
        part("PUT", "$1/parentaccountid/$ref", {"@odata.id": f"accounts({COHO_ACCOUNT})"}, "3"),
    ]
    after = "accounts?$filter=accountnumber%20eq%20'A-9'&$select=name&$expand=contact_customer_accounts,parentaccountid"
    answer = send(http, part("GET", f"{ROOT}/accounts/$count"), changes(*made), part("GET", after))
    assert (answer.status_code, statuses(answer)) == (200, [200, 204, 204, 204, 200])
    assert answer.headers["content-type"].startswith("multipart/mixed; boundary=batchresponse_")
    (row,) = json.loads(answer.text[answer.text.rindex('{"@odata.context"') : answer.text.rindex("}") + 1])["value"]
    assert (row["name"], row["parentaccountid"]["accountnumber"]) == ("Müller", "A-4")
    assert [each["lastname"] for each in row["contact_customer_accounts"]] == ["Ö$1"]


def test_of_a_change_set_nothing_stands_when_a_part_is_refused(http: httpx.Client) -> None:
    http.patch(TWIN, json={"telephone1": "1"}).raise_for_status()
    link = http.get(f"{ROOT}/accounts", headers={"Prefer": "odata.track-changes"}).json()["@odata.deltaLink"]
    bad = changes(
        part("POST", "accounts", {"name": "New"}, "1"),
        part("DELETE", f"accounts({COHO_ACCOUNT})", None, "2"),
        part("PATCH", f"accounts({BELLOWS_TWIN})", {"nosuch": 1}, "3"),
    )
    answer = send(http, bad, part("GET", "accounts/$count"))
    assert (answer.status_code, statuses(answer)) == (400, [400])
    answer = send(http, bad, part("GET", "accounts/$count"), Prefer="odata.continue-on-error")
    assert (answer.status_code, statuses(answer)) == (200, [400, 200])
    assert http.get(f"{ROOT}/accounts/$count").text == "5"
    assert http.get(link).json()["value"] == []
    http.patch(TWIN, json={"telephone1": "2"}).raise_for_status()
    assert [row["telephone1"] for row in http.get(link).json()["value"]] == ["2"]


@pytest.mark.parametrize(
    "body", [b"", b"no parts", b"--b1\r\nContent-Type: text/plain\r\n\r\nGET / HTTP/1.1\r\n\r\n--b1--"]
)
def test_what_is_no_batch_is_refused(reader: httpx.Client, body: bytes) -> None:
    kind = {"content-type": "multipart/mixed; boundary=b1"}
    assert reader.post(f"{ROOT}/$batch", content=body, headers=kind).status_code == 400
    assert send(reader, part("POST", "$batch", {})).status_code == 400


def test_definitions_are_filtered_selected_and_expanded_and_cannot_be_changed(reader: httpx.Client) -> None:
    tables = reader.get(
        f"{ROOT}/EntityDefinitions?$select=LogicalName&$filter=IsCustomEntity eq true"
        "&$expand=Attributes($select=LogicalName,AttributeType;$filter=AttributeType eq 'Lookup')"
    ).json()["value"]
    assert [(table["LogicalName"], table["Attributes"]) for table in tables] == [
        ("new_provideraccount", [{"LogicalName": "new_account", "AttributeType": "Lookup"}])
    ]
    columns = f"{ROOT}/EntityDefinitions(LogicalName='account')/Attributes"
    assert reader.get(f"{columns}(LogicalName='name')?$select=MaxLength").json()["MaxLength"] == 160
    assert reader.get(f"{columns}(LogicalName='nme')").status_code == 404
    assert reader.get(f"{columns}?$select=Nothing").status_code == 400
    assert reader.get(f"{columns}?fetchXml=x").status_code == 400
    assert reader.post(f"{ROOT}/EntityDefinitions", json={}).status_code == 405
    assert [each["name"] for each in reader.get(f"{ROOT}/").json()["value"]][:2] == ["accounts", "contacts"]
    assert 'NavigationProperty Name="parentaccountid" Type="mscrm.account"' in reader.get(f"{ROOT}/$metadata").text
