"""Microsoft's own published samples of accounts and contacts, and what becomes of each field when it drifts."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fault_server import Answer, Bench, in_turn, sign_in
from http_bench import conditions, connection_to

from w365.crm.dataverse import connect_dataverse
from w365.crm.records import ACCOUNT_COLUMNS, is_deleted, read_account, read_contact, read_deleted
from w365.errors import InputError, SourceBusy, SourceRefused
from w365.http.fields import FieldError
from w365.source_records import CrmAccount, CrmContact, NewAccount

RECORDINGS = Path(__file__).parents[2] / ".." / "shared" / "recordings"
NEW = RECORDINGS / "dataverse-docs-v92"

ACCOUNT = {
    "accountid": "60c4e274-0d87-e711-80e5-00155db19e6d",
    "name": "Contoso",
    "accountnumber": "A-1",
    "websiteurl": "contoso.com",
    "emailaddress1": "info@contoso.com",
    "address1_city": "Bonn",
    "address1_country": "Germany",
    "statecode": 0,
}
CONTACT = {
    "contactid": "49b0be2e-d01c-ed11-b83e-000d3a572421",
    "emailaddress1": "jane@contoso.com",
    "_parentcustomerid_value": "60c4e274-0d87-e711-80e5-00155db19e6d",
    "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account",
}
ODD: list[Any] = [None, 7, 1.5, True, [], ["x"], {}, {"x": 1}]


def recorded(path: Path) -> dict[str, Any]:
    if not path.is_file():
        pytest.skip(f"the recorded payload {path.name} is not beside this project")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def rows_of(pattern: str, table: str) -> list[dict[str, Any]]:
    found = []
    for path in sorted(RECORDINGS.glob(pattern)):
        content = recorded(path)
        is_list = f"/{table}?" in (content.get("request") or {}).get("url", "")
        body = content.get("response", {}).get("json")
        if is_list and isinstance(body, dict):
            found += body.get("value", [])
    return found


@pytest.mark.parametrize(("table", "fewest"), [("accounts", 10), ("contacts", 10)])
def test_every_recorded_row_is_read_or_rejected_by_name(table: str, fewest: int) -> None:
    if not RECORDINGS.is_dir():
        pytest.skip("the recorded payloads are not beside this project")
    rows = rows_of("dataverse-docs*/*.json", table)
    assert len(rows) >= fewest
    for row in rows:
        if is_deleted(row):
            assert len(read_deleted(row)) == 36
            continue
        # The samples select other columns than we do; what they leave out is filled up as null, as Dataverse sends it.
        read: Callable[[dict[str, Any]], CrmAccount | CrmContact] = (
            read_account if table == "accounts" else read_contact
        )
        blank = dict.fromkeys(ACCOUNT_COLUMNS if table == "accounts" else CONTACT)
        try:
            full = {**blank, "statecode": 0, **row}
            assert read(full).crm_id == row[f"{table[:-1]}id"]
        except FieldError as error:
            assert str(error) == f"{table[:-1]}id is not text.", row  # noqa: PT017 - some samples leave the id out


def test_the_recorded_delta_gives_changed_and_deleted() -> None:
    body = recorded(NEW / "accounts-delta-with-delete.json")["response"]["json"]
    first, second = body["value"]
    assert (is_deleted(first), is_deleted(second)) == (False, True)
    assert read_deleted(second) == "2e451703-c686-e711-80e5-00155db19e6d"
    with pytest.raises(FieldError, match="accountnumber is missing"):
        read_account(first)


def test_the_recorded_duplicate_answer_is_understood(place: Bench) -> None:
    response = recorded(NEW / "error-duplicate-detected.json")["response"]
    server = place.serve(sign_in(in_turn(Answer(response["json"], response["status"]))))
    connection = connection_to(place, server)
    with closing(connect_dataverse(connection, conditions=conditions(place))) as crm, pytest.raises(InputError):
        crm.create_account(NewAccount("Contoso"))


def test_the_recorded_error_with_annotations_is_understood(place: Bench) -> None:
    response = recorded(NEW / "error-with-annotations.json")["response"]
    server = place.serve(sign_in(in_turn(Answer(response["json"], response["status"]))))
    crm = connect_dataverse(connection_to(place, server), conditions=conditions(place))
    with closing(crm), pytest.raises(SourceRefused) as caught:
        crm.create_account(NewAccount("Contoso"))
    assert caught.value.what == ("Dataverse refused the request (400, code 0x80040265: “Example Error Message.”).")


def test_every_service_protection_code_is_understood(place: Bench) -> None:
    for entry in recorded(NEW / "service-protection-errors.json")["errors"]:
        body = {"error": {"code": entry["code"], "message": entry["message"]}}
        server = place.serve(sign_in(in_turn(Answer(body, 429, {"Retry-After": "900"}))))
        connection = connection_to(place, server)
        crm = connect_dataverse(connection, conditions=conditions(place))
        with closing(crm), pytest.raises(SourceBusy, match=entry["code"]):
            list(crm.accounts())


def drifts(record: dict[str, Any]) -> list[dict[str, Any]]:
    made = [{**record, key: odd} for key in record for odd in ODD]
    for key, value in record.items():
        rest = {name: kept for name, kept in record.items() if name != key}
        made += [rest, {**rest, key.upper(): value}]
    return made


@pytest.mark.parametrize(("record", "read"), [(ACCOUNT, read_account), (CONTACT, read_contact)])
def test_a_row_that_drifts_is_rejected_or_read_without_a_wrong_value(
    record: dict[str, Any], read: Callable[[dict[str, Any]], Any]
) -> None:
    true = read(record)
    for drifted in drifts(record):
        try:
            made = read(drifted)
        except FieldError as error:
            assert str(error).endswith(".")  # noqa: PT017 - both outcomes are right, a traceback is not
        else:
            is_other_state = drifted.get("statecode") == 7
            for name in type(true).__slots__:
                assert getattr(made, name) in {getattr(true, name), ""} or (name == "is_active" and is_other_state)
