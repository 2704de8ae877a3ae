"""Dataverse over real sockets: full reads, changes, new accounts, and what a person reads."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any
from urllib.parse import unquote

import pytest
from fault_server import Answer, Bench, FaultServer, Request, Script, in_turn, reset, sign_in
from http_bench import SECRET, conditions, connection_to, guid

from w365.crm import Crm
from w365.crm.dataverse import Dataverse, connect_dataverse
from w365.errors import (
    AccessError,
    ConfigurationError,
    DeltaExpired,
    InputError,
    SignInRefused,
    SourceBusy,
    SourceChanged,
    SourceUnreachable,
    W365Error,
)
from w365.source_records import CrmAccount, CrmContact, NewAccount, Rejected

PARENT = "_parentcustomerid_value"
PARENT_TABLE = f"{PARENT}@Microsoft.Dynamics.CRM.lookuplogicalname"


def account(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "@odata.etag": 'W/"1"',
        "accountid": guid(number),
        "name": f"Account {number}",
        "accountnumber": None,
        "websiteurl": "www.contoso.com",
        "emailaddress1": None,
        "address1_city": "Bonn",
        "address1_country": "Germany",
        "statecode": 0,
        **changes,
    }


def contact(number: int, mail: str | None, parent: str | None = None, table: str = "account") -> dict[str, Any]:
    made = {"contactid": guid(number), "emailaddress1": mail, PARENT: parent}
    return {**made, PARENT_TABLE: table} if parent else made


def open_crm(place: Bench, server: FaultServer, column: str | None = None) -> closing[Dataverse]:
    connection = connection_to(place, server)
    return closing(connect_dataverse(connection, tenant_guid_column=column, conditions=conditions(place)))


def fail(place: Bench, script: Script, since: str | None = None) -> W365Error:
    server = place.serve(sign_in(script))
    with open_crm(place, server) as crm, pytest.raises(W365Error) as caught:
        list(crm.accounts(server.url + since if since else None))
    assert SECRET not in repr(vars(caught.value))
    return caught.value


def api_requests(server: FaultServer) -> list[Request]:
    return [request for request in server.requests if request.path.startswith("/api/")]


def test_it_is_a_crm(place: Bench) -> None:
    server = place.serve(sign_in(in_turn(Answer({"value": []}))))
    with open_crm(place, server) as opened:
        crm: Crm = opened
        assert crm.waiting is None
        assert crm.verify() == ("Dataverse accepts the sign-in.", "Accounts can be read.", "Contacts can be read.")
    assert len(api_requests(server)) == 2


def test_all_accounts_are_read_page_by_page_with_a_link_for_the_next_time(place: Bench) -> None:
    cookie = "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page'%22%20/%3E"
    after = f"/api/data/v9.2/accounts?$select=name&$skiptoken={cookie}"

    def script(request: Request) -> Answer:
        base = f"https://{request.headers['host']}"
        if "skiptoken" in request.target:
            return Answer({"value": [account(2, statecode=1)], "@odata.deltaLink": f"{base}/delta"})
        return Answer({"value": [account(1, emailaddress1="info@contoso.com")], "@odata.nextLink": base + after})

    server = place.serve(sign_in(script))
    with open_crm(place, server) as crm:
        first, last = crm.accounts()
    assert first.changed == (
        CrmAccount(
            guid(1), "Account 1", website="www.contoso.com", email="info@contoso.com", city="Bonn", country="Germany"
        ),
    )
    assert first.delta_link is None
    assert last.delta_link == f"{server.url}/delta"
    assert last.changed[0].is_active is False
    one, two = api_requests(server)
    assert one.target == (
        "/api/data/v9.2/accounts?$select=accountid,name,accountnumber,websiteurl,emailaddress1,"
        "address1_city,address1_country,statecode"
    )
    assert two.target == after
    assert one.headers["prefer"] == two.headers["prefer"] == "odata.maxpagesize=5000,odata.track-changes"
    assert (one.headers["odata-version"], one.headers["if-none-match"]) == ("4.0", "null")


def test_of_a_contact_only_the_domain_arrives(place: Bench) -> None:
    rows = [
        contact(1, "Jane.Doe@Contoso.COM", "{" + guid(9).upper() + "}"),
        contact(2, None, guid(9)),
        contact(3, "a@b.example", guid(1), table="contact"),
        contact(4, "a@b.example"),
    ]
    server = place.serve(sign_in(in_turn(Answer({"value": rows}))))
    with open_crm(place, server) as crm:
        (page,) = crm.contacts()
    assert page.changed == (
        CrmContact(guid(1), guid(9), "contoso.com"),
        CrmContact(guid(2), guid(9), ""),
        CrmContact(guid(3), "", "b.example"),
        CrmContact(guid(4), "", "b.example"),
    )
    assert "jane" not in repr(page).lower()
    assert (
        'odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"'
        in api_requests(server)[0].headers["prefer"]
    )


def test_changes_bring_changed_and_deleted_rows_and_the_next_link(place: Bench) -> None:
    gone = {"@odata.context": "https://o/$metadata#contacts/$deletedEntity", "id": guid(5).upper(), "reason": "deleted"}
    columns = "contactid,emailaddress1,_parentcustomerid_value,statecode"
    link = f"/api/data/v9.2/contacts?$select={columns}&$deltatoken=919042%2108"
    body = {"value": [contact(1, "a@b.example"), gone], "@odata.deltaLink": "https://next"}
    server = place.serve(sign_in(in_turn(Answer(body))))
    with open_crm(place, server) as crm:
        (page,) = crm.contacts(server.url + link)
    assert (page.deleted, page.delta_link) == ((guid(5),), "https://next")
    assert len(page.changed) == 1
    assert api_requests(server)[0].target == link


DELTA = (
    "/api/data/v9.2/accounts?$select=accountid,name,accountnumber,websiteurl,emailaddress1,"
    "address1_city,address1_country,statecode&$deltatoken=1"
)


@pytest.mark.parametrize("status", [400, 410])
def test_an_expired_change_link_is_told_apart(place: Bench, status: int) -> None:
    body = {"error": {"code": "0x80044352", "message": "Version stamp associated with the client has expired."}}
    error = fail(place, in_turn(Answer(body, status)), since=DELTA)
    assert isinstance(error, DeltaExpired)
    assert error.what.startswith("Dataverse no longer takes the change link of accounts (")
    assert error.do == "All of them are read once more."


def test_a_change_link_made_for_other_columns_is_not_used(place: Bench) -> None:
    server = place.serve(sign_in(in_turn(Answer({"value": []}))))
    with open_crm(place, server, column="new_tenantid") as crm, pytest.raises(DeltaExpired):
        list(crm.accounts(server.url + DELTA))
    assert api_requests(server) == []


def test_a_change_link_of_another_host_gets_no_token(place: Bench) -> None:
    """It is of the address the CRM was reached at before: all is read once more at the present one."""
    server = place.serve(sign_in(in_turn(Answer({"value": []}))))
    with open_crm(place, server) as crm, pytest.raises(DeltaExpired):
        list(crm.accounts("https://evil.example" + DELTA))
    assert server.requests == []


def test_a_next_link_of_another_host_gets_no_token(place: Bench) -> None:
    body = {"value": [account(1)], "@odata.nextLink": "https://evil.example/api/data/v9.2/accounts?$skiptoken=x"}
    error = fail(place, in_turn(Answer(body)))
    assert isinstance(error, SourceChanged)
    assert "another place (evil.example)" in error.what
    assert error.kept == "The sign-in was not sent there. What was stored so far is kept."


def test_an_application_that_is_no_user_of_the_environment_is_told_apart(place: Bench) -> None:
    body = {"error": {"code": "0x80072560", "message": "The user is not a member of the organization."}}
    error = fail(place, in_turn(Answer(body, 403)))
    assert isinstance(error, SignInRefused)
    assert "does not know the application" in error.what
    assert "application user" in error.do


def test_a_table_without_change_tracking_is_read_whole(place: Bench) -> None:
    def script(request: Request) -> Answer:
        if "track-changes" in request.headers["prefer"]:
            return Answer({"error": {"code": "0x80072491", "message": "Change tracking is not enabled."}}, 400)
        return Answer({"value": [account(1)]})

    server = place.serve(sign_in(script))
    with open_crm(place, server) as crm:
        (page,) = crm.accounts()
    assert (len(page.changed), page.delta_link) == (1, None)


def test_a_list_that_leads_in_a_circle_is_found(place: Bench) -> None:
    def script(request: Request) -> Answer:
        link = f"https://{request.headers['host']}/api/data/v9.2/accounts?page=2"
        return Answer({"value": [account(1)], "@odata.nextLink": link})

    error = fail(place, script)
    assert isinstance(error, SourceChanged)
    assert "its list of accounts leads in a circle." in error.what


def test_twenty_empty_pages_are_too_many(place: Bench) -> None:
    count = iter(range(1000))

    def service(request: Request) -> Answer:
        base = f"https://{request.headers['host']}/api/data/v9.2/accounts"
        return Answer({"value": [], "@odata.nextLink": f"{base}?$skiptoken={next(count)}"})

    assert "leads in a circle" in fail(place, service).what
    assert next(count) == 20


def test_a_bad_row_is_rejected_and_the_same_defect_everywhere_is_a_change(place: Bench) -> None:
    rows = [account(1, statecode="Active"), account(2, accountid="x"), *(account(n) for n in range(3, 8))]
    server = place.serve(sign_in(in_turn(Answer({"value": rows}))))
    with open_crm(place, server) as crm:
        (page,) = crm.accounts()
    assert page.rejected == (
        Rejected(guid(1), "statecode is not a whole number."),
        Rejected("x", "accountid is not a GUID."),
    )
    lacking = [{k: v for k, v in account(n).items() if k != "websiteurl"} for n in range(6)]
    error = fail(place, in_turn(Answer({"value": lacking})))
    assert error.what == ("Dataverse answers differently than documented, in 6 of 6 records: websiteurl is missing.")


@pytest.mark.parametrize("body", [{}, [], {"value": None}, "x"])
def test_a_broken_envelope_is_a_change_of_the_source(place: Bench, body: Any) -> None:
    assert "the list of accounts is missing." in fail(place, in_turn(Answer(body))).what


def test_missing_permissions_are_named(place: Bench) -> None:
    body = {"error": {"code": "0x80040220", "message": "Principal user is missing prvReadAccount privilege."}}
    error = fail(place, in_turn(Answer(body, 403, {"x-ms-service-request-id": "s-1"})))
    assert isinstance(error, AccessError)
    assert error.what == (
        "Dataverse does not let the application read accounts (403, code 0x80040220: "
        "“Principal user is missing prvReadAccount privilege.”; request id s-1)."
    )
    assert "whole organisation" in error.do
    unknown = fail(place, in_turn(Answer(b"", 401)))
    assert isinstance(unknown, SignInRefused)
    assert "application user" in unknown.do


def test_service_protection_is_waited_for(place: Bench) -> None:
    body = {"error": {"code": "0x80072322", "message": "Number of requests exceeded the limit of 6000."}}
    server = place.serve(sign_in(in_turn(Answer(body, 429, {"Retry-After": "37"}), Answer({"value": []}))))
    with open_crm(place, server) as crm:
        assert len(list(crm.accounts())) == 1
    assert sum(place.clock.slept) == pytest.approx(37)


def test_the_tenant_column_is_selected_and_read(place: Bench) -> None:
    rows = [account(1, new_tenantid=guid(7).upper()), account(2, new_tenantid="unknown"), account(3, new_tenantid=None)]
    server = place.serve(sign_in(in_turn(Answer({"value": rows}))))
    with open_crm(place, server, column="new_tenantid") as crm:
        (page,) = crm.accounts()
    assert [each.tenant_guid for each in page.changed] == [guid(7), "", ""]
    assert api_requests(server)[0].target.endswith(",statecode,new_tenantid")


@pytest.mark.parametrize("column", ["", "a b", "name&$filter=1", "x'y", "Ä", "a" * 101, "A"])
def test_what_cannot_be_a_column_is_never_put_into_an_address(place: Bench, column: str) -> None:
    server = place.serve(in_turn(Answer(b"")))
    with pytest.raises(ConfigurationError, match="not a logical name"):
        connect_dataverse(connection_to(place, server), tenant_guid_column=column)
    assert server.requests == []


def test_an_account_is_created_with_duplicate_detection_and_read_back(place: Bench) -> None:
    def script(request: Request) -> Answer:
        sent = json.loads(request.body)
        return Answer({**account(1), **sent}, 201)

    server = place.serve(sign_in(script))
    with open_crm(place, server) as crm:
        made = crm.create_account(NewAccount(" Müller & Söhne 'GmbH' ", website="mueller.example"))
    assert (made.crm_id, made.name, made.website) == (guid(1), "Müller & Söhne 'GmbH'", "mueller.example")
    (request,) = api_requests(server)
    assert json.loads(request.body) == {"name": "Müller & Söhne 'GmbH'", "websiteurl": "mueller.example"}
    assert request.headers["mscrm.suppressduplicatedetection"] == "false"
    assert request.headers["prefer"] == "return=representation"
    assert unquote(request.target).startswith("/api/data/v9.2/accounts?$select=accountid,")


def test_an_account_created_without_a_body_is_known_by_its_address(place: Bench) -> None:
    headers = {"OData-EntityId": f"https://o/api/data/v9.2/accounts({guid(4).upper()})"}
    server = place.serve(sign_in(in_turn(Answer(b"", 204, headers))))
    with open_crm(place, server) as crm:
        assert crm.create_account(NewAccount("New")) == CrmAccount(guid(4), "New")


@pytest.mark.parametrize(
    ("status", "code"), [(412, "0x80040333"), (500, "0x80040333"), (412, ""), (400, "0x80060892"), (412, "0X80040237")]
)
def test_a_duplicate_is_named_with_what_to_do(place: Bench, status: int, code: str) -> None:
    body = {"error": {"code": code, "message": "A duplicate already exists."}}
    server = place.serve(sign_in(in_turn(Answer(body, status))))
    with open_crm(place, server) as crm, pytest.raises(InputError) as caught:
        crm.create_account(NewAccount("Contoso"))
    assert caught.value.what.startswith("Dataverse already has an account like “Contoso”; none was created (")
    assert caught.value.do == "Search for that account and map to it, or give the new one another name."
    assert len(api_requests(server)) == 1


def test_a_creation_of_unknown_outcome_is_not_repeated(place: Bench) -> None:
    server = place.serve(sign_in(in_turn(reset)))
    with open_crm(place, server) as crm, pytest.raises(SourceUnreachable) as caught:
        crm.create_account(NewAccount("Contoso"))
    assert caught.value.kept == "Whether the other side carried it out is not known."
    assert caught.value.do == "Look there before you try again."
    assert len(api_requests(server)) == 1


def test_a_busy_crm_is_not_kept_waiting_for_by_the_person_who_creates(place: Bench) -> None:
    server = place.serve(sign_in(in_turn(Answer({}, 429, {"Retry-After": "20"}))))
    with open_crm(place, server) as crm, pytest.raises(SourceBusy, match="asks to wait 20 seconds"):
        crm.create_account(NewAccount("Contoso"))
    assert place.clock.slept == []


@pytest.mark.parametrize("new", [NewAccount("  "), NewAccount("x" * 161), NewAccount("x", city="y" * 81)])
def test_an_account_the_crm_could_not_hold_is_refused_before_it_is_sent(place: Bench, new: NewAccount) -> None:
    server = place.serve(in_turn(Answer(b"")))
    with open_crm(place, server) as crm, pytest.raises(InputError):
        crm.create_account(new)
    assert server.requests == []
