"""Partner Center's audit records over real sockets, and a sync of what they name."""

from __future__ import annotations

import datetime as dt
import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fault_server import Answer, Bench, Request, Script, sign_in
from http_bench import guid
from portals.centre import listing, open_portal, record

from w365.errors import SourceChanged, SourceRefused
from w365.portals.protocol import TellsChanges

RECORDED = (
    Path(__file__).parents[2]
    / ".."
    / "shared"
    / "recordings"
    / "partner-center-docs"
    / "get-a-record-of-partner-center-activity-by-user.json"
)


def serving(audit: Answer, customers: list[Any] | None = None) -> Script:
    def service(request: Request) -> Answer:
        if request.path == "/v1/auditrecords":
            return audit
        if request.path == "/v1/customers":
            return listing(customers or [])
        return Answer(["own.example"] if request.path.endswith("customDomains") else {"items": []})

    return sign_in(service)


def audit(*records: Any) -> Answer:
    return Answer({"totalCount": len(records), "items": list(records)})


def of(customer_id: Any) -> dict[str, Any]:
    return {"customerId": customer_id, "operationType": "a_new_word", "operationStatus": "succeeded"}


def since(place: Bench, days: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(place.clock.wall(), dt.UTC) - dt.timedelta(days=days)


def test_each_customer_named_comes_once_whatever_was_done_to_it(place: Bench) -> None:
    server = place.serve(serving(audit(of(guid(1)), of("{" + guid(1).upper() + "}"), of(guid(2)), of(None))))
    with open_portal(place, server) as portal:
        assert isinstance(portal, TellsChanges)
        assert portal.changed_since(since(place, 3)) == {guid(1), guid(2)}
    (asked,) = [parse_qs(urlsplit(one.target).query) for one in server.requests if one.path == "/v1/auditrecords"]
    assert asked == {"startDate": [f"{since(place, 3):%Y-%m-%d}"], "size": ["500"]}


def test_a_long_time_is_asked_for_in_spans_that_leave_no_day_out(place: Bench) -> None:
    server = place.serve(serving(audit()))
    with open_portal(place, server) as portal:
        portal.changed_since(since(place, 80))
    asked = [parse_qs(urlsplit(one.target).query) for one in server.requests if one.path == "/v1/auditrecords"]
    spans = [(one["startDate"][0], one.get("endDate", [f"{since(place, 0):%Y-%m-%d}"])[0]) for one in asked]
    days = [tuple(map(dt.date.fromisoformat, span)) for span in spans]
    assert days[0][0] == since(place, 80).date()
    assert "endDate" not in asked[-1]
    assert all((end - begin).days <= 30 for begin, end in days)
    assert all(later[0] <= earlier[1] for earlier, later in pairwise(days))


@pytest.mark.parametrize(("days", "questions"), [(29, 1), (30, 2)])
def test_up_to_29_days_are_one_question(place: Bench, days: int, questions: int) -> None:
    server = place.serve(serving(audit()))
    with open_portal(place, server) as portal:
        portal.changed_since(since(place, days))
    assert [one.path for one in server.requests].count("/v1/auditrecords") == questions


def test_records_of_89_days_are_asked_for(place: Bench) -> None:
    with open_portal(place, place.serve(serving(audit(of(guid(1)))))) as portal:
        assert portal.changed_since(since(place, 89)) == {guid(1)}


def test_what_is_older_than_the_records_is_refused_unasked(place: Bench) -> None:
    server = place.serve(serving(audit()))
    with open_portal(place, server) as portal, pytest.raises(SourceRefused):
        portal.changed_since(since(place, 89.0001))
    assert server.requests == []


@pytest.mark.parametrize("odd", [{}, {"customerId": 7}, {"customerId": "text"}, {"customerid": guid(1)}, "text", None])
def test_a_record_that_cannot_be_read_is_not_passed_over(place: Bench, odd: Any) -> None:
    server = place.serve(serving(audit(of(guid(1)), odd)))
    with open_portal(place, server) as portal, pytest.raises(SourceChanged, match="An audit record of Partner Center"):
        portal.changed_since(since(place, 1))


def test_only_the_chosen_customers_are_read_whole_and_come(place: Bench) -> None:
    server = place.serve(serving(audit(), [record(1), record(2), record(3)]))
    with open_portal(place, server) as portal:
        (page,) = portal.pages(choose=lambda customers: customers[1:2])
    assert [one.specific_id for one in page.customers] == [guid(2)]
    assert sorted(path for path in server.paths() if path.startswith("/v1/")) == [
        "/v1/customers",
        f"/v1/customers/{guid(2)}/customDomains",
        f"/v1/customers/{guid(2)}/subscriptions",
    ]


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recordings lie beside the project, not in it")
def test_the_published_sample_names_its_customer(place: Bench) -> None:
    body = json.loads(RECORDED.read_text(encoding="utf-8"))["response"]["json"]
    server = place.serve(serving(Answer(body)))
    with open_portal(place, server) as portal:
        assert portal.changed_since(since(place, 1)) == {"0c39d6d5-c70d-4c55-bc02-f620844f3fd1"}


def test_records_that_go_on_without_a_link_are_not_taken_for_all(place: Bench) -> None:
    cut = Answer({"totalCount": 1, "items": [of(guid(1))], "continuationToken": "more"})
    with (
        open_portal(place, place.serve(serving(cut))) as portal,
        pytest.raises(SourceChanged, match="goes on, but not where"),
    ):
        portal.changed_since(since(place, 3))
