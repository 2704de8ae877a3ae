"""Customers with delegated administration and no purchase, over real sockets: Graph lists them where that is wanted."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from fault_server import Answer, Bench, FaultServer, Request
from http_bench import conditions, connection_to, guid
from portals.centre import centre, listing, record

from w365.portals.partner_center.connector import PartnerCenter, connect_partner_center
from w365.source_records import Customer, CustomerPage

GDAP = "delegated administration only (GDAP)"


def administered(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": guid(number), "tenantId": guid(number), "displayName": f"Tenant {number}", **changes}


def opened(place: Bench, server: FaultServer, *, is_wanted: bool = True) -> PartnerCenter:
    connection = dataclasses.replace(connection_to(place, server), graph_url=server.url, lists_gdap=is_wanted)
    return connect_partner_center(connection, conditions=conditions(place))


def read(portal: PartnerCenter, cursor: str | None = None) -> list[CustomerPage]:
    try:
        return list(portal.pages(cursor))
    finally:
        portal.close()


def customers(pages: list[CustomerPage]) -> list[Customer]:
    return [each for page in pages for each in page.customers]


def graph(answers: list[Answer]) -> Any:
    """Partner Center with one customer; Graph gives the answers one after another."""

    def detail(request: Request) -> Answer | None:
        return answers.pop(0) if "delegatedAdminCustomers" in request.path else None

    return centre(lambda _: listing([record(1)]), detail)


def test_they_are_not_asked_for_unless_wanted(place: Bench) -> None:
    server = place.serve(graph([]))
    pages = read(opened(place, server, is_wanted=False))
    assert [each.specific_id for each in customers(pages)] == [guid(1)]
    assert not any("delegatedAdmin" in path for path in server.paths())


def test_who_bought_nothing_is_listed_after_the_others_and_marked(place: Bench) -> None:
    first = Answer({"value": [administered(1), administered(2)], "@odata.nextLink": "delegatedAdminCustomers?page=2"})
    server = place.serve(graph([first, Answer({"value": [administered(3, id="other")]})]))
    pages = read(opened(place, server))
    assert [(each.specific_id, each.name, each.relationship) for each in customers(pages)] == [
        (guid(1), "Customer 1", "reseller"),
        (guid(2), "Tenant 2", GDAP),
        (guid(3), "Tenant 3", GDAP),
    ]
    assert [page.cursor is None for page in pages] == [False, True]
    assert {page.lack for page in pages} == {""}
    alone = customers(pages)[1]
    assert (alone.subscriptions, alone.domains, alone.tenant_guid) == ((), None, guid(2))
    assert alone.note == "Its domains are told by its own tenant alone, and to a person who signed in."
    assert not any(guid(2) in path for path in server.paths())


def test_a_sync_that_stopped_before_them_goes_on_with_all_of_them(place: Bench) -> None:
    answer = Answer({"value": [administered(2)]})
    server = place.serve(graph([answer, answer]))
    portal = opened(place, server)
    cursor = next(portal.pages()).cursor
    assert [each.specific_id for each in customers(read(portal, cursor))] == [guid(2)]


@pytest.mark.parametrize(
    "answer",
    [
        Answer({"error": {"code": "Authorization_RequestDenied", "message": "No."}}, 403),
        Answer(b"", 401),
        Answer(b"<html>", 200),
        Answer({"value": 5}),
        Answer({}, 429, {"Retry-After": "3600"}),
    ],
)
def test_a_list_that_graph_does_not_tell_costs_nothing_but_itself_and_is_said(place: Bench, answer: Answer) -> None:
    pages = read(opened(place, place.serve(graph([answer] * 9))))
    assert [each.specific_id for each in customers(pages)] == [guid(1)]
    assert pages[-1].lack.startswith("Microsoft Graph does not tell those with delegated administration only. ")


def test_a_bad_record_of_graph_is_rejected_by_itself(place: Bench) -> None:
    values = [administered(2, displayName=None), "text", administered(3)]
    pages = read(opened(place, place.serve(graph([Answer({"value": values})]))))
    assert [each.specific_id for each in customers(pages)] == [guid(1), guid(3)]
    assert len([each for page in pages for each in page.rejected]) == 2
