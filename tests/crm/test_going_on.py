"""A full read of Dataverse that was interrupted goes on at the link its last page gave, over real sockets."""

from __future__ import annotations

from typing import Any

import pytest
from crm.test_dataverse import account, api_requests, open_crm
from fault_server import Answer, Bench, Request, sign_in
from http_bench import guid

from w365.errors import DeltaExpired

COOKIE = "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e%22%20/%3E"
SELECTED = "accountid,name,accountnumber,websiteurl,emailaddress1,address1_city,address1_country,statecode"
PLACE = f"/api/data/v9.2/accounts?$select={SELECTED}&$skiptoken={COOKIE}"


def three_pages(request: Request) -> Answer:
    base = f"https://{request.headers['host']}"
    if "third" in request.target:
        return Answer({"value": [account(3)], "@odata.deltaLink": f"{base}/delta"})
    if "skiptoken" in request.target:
        return Answer({"value": [account(2)], "@odata.nextLink": f"{base}{PLACE}third"})
    return Answer({"value": [account(1)], "@odata.nextLink": base + PLACE})


def test_each_page_of_a_full_read_says_where_the_next_one_is(place: Bench) -> None:
    server = place.serve(sign_in(three_pages))
    with open_crm(place, server) as crm:
        cursors = [page.cursor for page in crm.accounts()]
    assert cursors == [server.url + PLACE, server.url + PLACE + "third", None]


def test_it_goes_on_at_that_very_address_and_gets_the_link_for_the_next_time(place: Bench) -> None:
    server = place.serve(sign_in(three_pages))
    with open_crm(place, server) as crm:
        pages = list(crm.accounts(cursor=server.url + PLACE))
    assert [one.crm_id for page in pages for one in page.changed] == [guid(2), guid(3)]
    assert pages[-1].delta_link == f"{server.url}/delta"
    asked = api_requests(server)
    assert [one.target for one in asked] == [PLACE, PLACE + "third"]
    assert {one.headers["prefer"] for one in asked} == {"odata.maxpagesize=5000,odata.track-changes"}


@pytest.mark.parametrize("status", [400, 404, 410, 412])
def test_a_place_that_is_no_longer_taken_is_told_apart(place: Bench, status: int) -> None:
    body = {"error": {"code": "0x80040203", "message": "The paging cookie is not valid."}}
    server = place.serve(sign_in(lambda _: Answer(body, status)))
    with open_crm(place, server) as crm, pytest.raises(DeltaExpired):
        list(crm.accounts(cursor=server.url + PLACE))


@pytest.mark.parametrize(
    ("cursor", "column"),
    [
        ("https://evil.example" + PLACE, None),
        ("{here}" + PLACE, "new_tenantid"),
        ("{here}/api/data/v9.2/accounts?$skiptoken=x", None),
    ],
)
def test_a_place_of_another_host_or_other_columns_is_not_asked_for(place: Bench, cursor: str, column: Any) -> None:
    server = place.serve(sign_in(three_pages))
    with open_crm(place, server, column) as crm, pytest.raises(DeltaExpired):
        list(crm.accounts(cursor=cursor.format(here=server.url)))
    assert api_requests(server) == []
