"""An indirect provider's customers over real sockets: through whom each is reached, and who is on their lists alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fault_server import Answer, Bench, FaultServer, Request, Script
from http_bench import conditions, connection_to, guid
from portals.centre import centre, listing, record

from w365.errors import SourceChanged
from w365.http.client import ApiClient
from w365.http.sign_in.app_tokens import AppTokens
from w365.http.wait import never_stop
from w365.portals.partner_center.connector import PartnerCenter
from w365.portals.partner_center.stop import StopSignal
from w365.source_records import Customer, Rejected

FIRST = {"id": guid(901), "name": "First Up", "relationshipType": "is_indirect_cloud_solution_provider_of"}
OTHER = {"id": guid(902), "name": "ReleCloud", "state": "Active"}
OWN = "/v1/customers?size=500"

Lists = dict[str, list[Any] | Answer]
"""What is listed: the partner's own customers under "", those of a reseller under its id."""


def partner(resellers: list[Any] | Answer, lists: Lists) -> Script:
    def customers(request: Request) -> Answer:
        wanted = parse_qs(urlsplit(request.target).query).get("filter")
        content = json.loads(wanted[0]) if wanted else {"Field": "", "Value": ""}
        assert content["Field"] in ("", "IndirectReseller")
        found = lists[content["Value"]]
        return found if isinstance(found, Answer) else listing(found)

    def relationships(request: Request) -> Answer | None:
        if request.path != "/v1/relationships":
            return None
        assert request.target.endswith("?relationship_type=IsIndirectCloudSolutionProviderOf")
        return resellers if isinstance(resellers, Answer) else Answer({"totalCount": 0, "items": resellers})

    return centre(customers, relationships)


@contextmanager
def opened(place: Bench, script: Script, *, has_person: bool = True) -> Iterator[tuple[PartnerCenter, FaultServer]]:
    server, around = place.serve(script), conditions(place)
    connection = connection_to(place, server)
    stop = StopSignal(never_stop)
    tokens = AppTokens("Partner Center", connection, "s/.default", conditions=around)
    client = ApiClient("Partner Center", connection, tokens, check=stop, conditions=around)
    with closing(PartnerCenter(client, stop, has_person=has_person)) as portal:
        yield portal, server


def told(customers: list[Customer]) -> dict[str, str]:
    return {one.specific_id: one.relationship for one in customers}


def test_every_customer_says_through_whom_it_is_reached_and_nobody_is_missed(place: Bench) -> None:
    braced = record(2, id="{" + guid(2).upper() + "}")
    lists: Lists = {"": [record(1), record(2), record(3)], guid(901): [braced, record(4)], guid(902): [record(2)]}
    with opened(place, partner([OTHER, FIRST], lists)) as (portal, server):
        pages = list(portal.pages())
        customers = [each for page in pages for each in page.customers]
        assert told(customers) == {
            guid(1): "reseller",
            guid(2): "reseller through First Up, ReleCloud",
            guid(3): "reseller",
            guid(4): "reseller through First Up",
        }
        assert len(customers) == 4
        assert server.paths().count(f"/v1/customers/{guid(2)}/customDomains") == 1
        assert [page.cursor is None for page in pages] == [False, True]
        again = [each for page in portal.pages(pages[0].cursor) for each in page.customers]
    assert told(again)[guid(4)] == "reseller through First Up"


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_partner_without_resellers_is_read_as_before(place: Bench, status: int) -> None:
    refusal = Answer({"code": 1002, "description": "Authorization Failed."}, status)
    with opened(place, partner(refusal, {"": [record(1)]})) as (portal, _):
        (page,) = portal.pages()
    assert told(list(page.customers)) == {guid(1): "reseller"}
    assert page.rejected == ()


def test_an_application_by_itself_does_not_ask(place: Bench) -> None:
    with opened(place, partner([FIRST], {"": [record(1)]}), has_person=False) as (portal, server):
        (page,) = portal.pages()
    assert told(list(page.customers)) == {guid(1): "reseller"}
    assert "/v1/relationships" not in server.paths()


def test_a_reseller_that_cannot_be_read_is_named_and_the_rest_goes_on(place: Bench) -> None:
    lists: Lists = {"": [record(1)], guid(901): Answer({"code": 5}, 403), guid(902): [record(1)]}
    odd = [FIRST, OTHER, {"name": "No Id"}, {"id": guid(903)}, 7]
    with opened(place, partner(odd, lists)) as (portal, _):
        (page,) = portal.pages()
    assert told(list(page.customers)) == {guid(1): "reseller through ReleCloud"}
    assert page.rejected == (
        Rejected("reseller record 3 of its page", "reseller: id is missing."),
        Rejected(f"reseller {guid(903)}", "reseller: name is missing."),
        Rejected("reseller record 5 of its page", "reseller: the record is not an object."),
        Rejected("reseller First Up", "its customers were not listed: the provider refuses it (403)."),
    )


def test_a_list_of_resellers_of_another_shape_is_a_change_of_the_source(place: Bench) -> None:
    with (
        opened(place, partner(Answer({"value": []}), {"": [record(1)]})) as (portal, _),
        pytest.raises(SourceChanged, match="the list of items is missing"),
    ):
        list(portal.pages())
