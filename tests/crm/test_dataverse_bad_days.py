"""What Dataverse says on bad days, over real sockets: spent links, several words about one record, who is kept out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from crm.test_dataverse import DELTA, account, api_requests, fail, open_crm
from fault_server import Answer, Bench, Request, in_turn, sign_in
from http_bench import guid

from w365.errors import AccessError, DeltaExpired, SignInRefused

EXPIRED = "Version stamp associated with the client has expired. Please perform a full sync."
UNREADABLE = "The delta token is not valid."


def gone(number: int) -> dict[str, Any]:
    return {"@odata.context": "https://o/$metadata#accounts/$deletedEntity", "id": guid(number), "reason": "deleted"}


def refusal(status: int, code: str, message: str = "No.") -> Answer:
    return Answer({"error": {"code": code, "message": message}}, status)


@pytest.mark.parametrize("status", [400, 403, 404, 410, 412, 500, 503])
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("0x80044352", EXPIRED),
        ("0x80060888", "Bad Request - Error in query syntax."),
        ("0X80041129", "Malformed XML in the Paging Cookie"),
        ("", UNREADABLE),
    ],
)
def test_a_spent_change_link_is_known_whatever_the_status(place: Bench, status: int, code: str, message: str) -> None:
    server = place.serve(sign_in(in_turn(refusal(status, code, message))))
    with open_crm(place, server) as crm, pytest.raises(DeltaExpired):
        list(crm.accounts(server.url + DELTA))
    assert len(api_requests(server)) == 1  # no repeat mends it


def test_a_server_error_that_may_pass_is_no_spent_link(place: Bench) -> None:
    script = in_turn(refusal(500, "0x80040216", "An unexpected error occurred."), Answer({"value": [account(1)]}))
    server = place.serve(sign_in(script))
    with open_crm(place, server) as crm:
        (page,) = crm.accounts(server.url + DELTA)
    assert len(page.changed) == 1


@pytest.mark.parametrize(
    ("rows", "changed", "deleted"),
    [
        ([gone(1), account(1)], [1], []),
        ([account(1), gone(1)], [], [1]),
        ([account(1), gone(1), account(1, name="Again")], [1], []),
        ([gone(1), account(1), gone(1)], [], [1]),
        ([account(1), account(2), account(1, name="Again"), gone(2)], [1], [2]),
        ([gone(1), account(1, accountid="{" + guid(1).upper() + "}")], [1], []),
        ([account(2), account(3), gone(1), account(1, statecode="odd")], [2, 3], []),
    ],
)
def test_of_what_happened_to_a_record_within_a_page_the_last_counts(
    place: Bench, rows: list[dict[str, Any]], changed: list[int], deleted: list[int]
) -> None:
    server = place.serve(sign_in(in_turn(Answer({"value": rows}))))
    with open_crm(place, server) as crm:
        (page,) = crm.accounts(server.url + DELTA)
    assert [each.crm_id for each in page.changed] == [guid(number) for number in changed]
    assert page.deleted == tuple(guid(number) for number in deleted)
    assert {each.name for each in page.changed} <= {"Again", "Account 1", "Account 2", "Account 3"}
    if "Again" in repr(rows):
        assert "Again" in repr(page.changed)


PRIVILEGE = "Principal user (Id=1, type=8, roleCount=1) is missing prvReadAccount privilege (Id=2) on OTC=1"


@pytest.mark.parametrize("status", [403, 500, 503])
@pytest.mark.parametrize(
    ("code", "message", "kind", "what", "do"),
    [
        ("0x80040220", PRIVILEGE, AccessError, "does not let the application read accounts", "prvReadAccount"),
        ("0x80048306", "SecLib::Check failed.", AccessError, "does not let the application read", "reads accounts"),
        ("0x80095ffe", "Access to your ip is blocked.", AccessError, "its IP firewall", "address of this machine"),
        ("0x80040225", "The specified user is disabled.", AccessError, "has disabled the application user", "enable"),
        ("0x8004d24b", "The user has no License.", AccessError, "finds no licence", "application user"),
        ("0x80072560", "No member.", SignInRefused, "does not know the application", "application user"),
    ],
)
def test_what_keeps_the_application_out_is_told_by_its_code(
    place: Bench, status: int, code: str, message: str, kind: type[Exception], what: str, do: str
) -> None:
    error = fail(place, in_turn(refusal(status, code, message)))
    assert type(error) is kind
    assert what in error.what
    assert f"code {code}" in error.what
    assert do in error.do


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ("The environment is in administration mode.", "is in administration mode"),
        ("Organization is in Admin Mode; only System Administrators may log in.", "is in administration mode"),
        ("The request is rejected as access to your ip is blocked.", "its IP firewall"),
        ("The user with SystemUserId=1 is disabled.", "has disabled the application user"),
        ("The user has not been assigned any License", "finds no licence"),
        ("The user is not a member of the organization.", "does not know the application"),
        ("Something else.", "does not let the application read accounts"),
    ],
)
def test_where_a_403_has_no_code_its_words_tell(place: Bench, message: str, what: str) -> None:
    assert what in fail(place, in_turn(refusal(403, "", message))).what


@pytest.mark.parametrize(
    ("link", "asked"),
    [
        ("accounts?$skiptoken=2", "/api/data/v9.2/accounts?$skiptoken=2"),
        ("/api/data/v9.2/accounts?$skiptoken=2", "/api/data/v9.2/accounts?$skiptoken=2"),
    ],
)
def test_a_relative_next_link_is_followed_and_a_relative_change_link_can_be_used(
    place: Bench, link: str, asked: str
) -> None:
    def script(request: Request) -> Answer:
        if "token" in request.target:
            return Answer({"value": [account(2)], "@odata.deltaLink": DELTA})
        return Answer({"value": [account(1)], "@odata.nextLink": link})

    server = place.serve(sign_in(script))
    with open_crm(place, server) as crm:
        pages = list(crm.accounts())
        assert pages[-1].delta_link == server.url + DELTA
        list(crm.accounts(pages[-1].delta_link))
    assert [request.target for request in api_requests(server)[1:]] == [asked, DELTA]


@pytest.mark.parametrize(
    ("odd", "names"),
    [
        ({"name": "x" * 10_000_000}, ["x" * 500]),
        ({"description": "x" * 10_000_000}, ["Account 1"]),
        ({"name": "\ud800"}, [""]),
        ({"accountid": "x" * 100_000}, []),
    ],
    ids=["long", "long-and-unknown", "half-a-letter", "no-id"],
)
def test_a_record_beyond_measure_costs_no_other(place: Bench, odd: dict[str, str], names: list[str]) -> None:
    records = [account(1, **odd), *(account(number) for number in range(2, 8))]
    server = place.serve(sign_in(in_turn(Answer(json.dumps({"value": records}).encode()))))
    with open_crm(place, server) as crm:
        (page,) = crm.accounts()
    assert [each.name for each in page.changed] == [*names, *(f"Account {number}" for number in range(2, 8))]
    assert len(page.rejected) == 1 - len(names)
