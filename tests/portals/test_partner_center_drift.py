"""Microsoft's published samples of every answer we read, each field drifted, read by the connector over real sockets.

Whatever drifts, what comes is a rejected record, an error with a name, or the true value or none: never a wrong one.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from drifting import drifts
from fault_server import Answer, Bench, Request, sign_in
from http_bench import conditions, connection_to

from w365.errors import SourceError
from w365.http.client import ApiClient
from w365.http.fields import loose_moment
from w365.http.sign_in.app_tokens import AppTokens
from w365.http.wait import never_stop
from w365.portals.partner_center.connector import PartnerCenter
from w365.portals.partner_center.stop import StopSignal
from w365.source_records import Customer, CustomerDomain

RECORDINGS = Path(__file__).parents[2] / ".." / "shared" / "recordings" / "partner-center-docs"
pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings lie beside the project, not in it")

LIST = "/v1/customers"
AUDIT = "/v1/auditrecords"
RESELLERS = "/v1/relationships"
DEPTH = {LIST: 4, "customDomains": 3, "subscriptions": 3, RESELLERS: 3, AUDIT: 3}
"""How deep a body is read; deeper are links and attributes, of which nothing is used."""


def recorded(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))["response"]["json"]


def true_bodies() -> dict[str, Any]:
    """One customer, its subscriptions, a reseller and an audit record, as published; no domains answer is."""
    customers = recorded("get-customers-of-an-indirect-reseller")
    following = recorded("get-invoice-unbilled-recon-lineitems")["links"]["next"] | {
        "uri": "/customers?seekOperation=Next"
    }
    return {
        LIST: customers | {"items": customers["items"][:1], "links": {"next": following}},
        "customDomains": {"totalCount": 1, "items": ["own.example"]},
        "subscriptions": first_only(recorded("get-all-of-a-customer-s-subscriptions")),
        RESELLERS: first_only(recorded("retrieve-a-list-of-indirect-resellers")),
        AUDIT: first_only(recorded("get-a-record-of-partner-center-activity-by-user")) | {"links": {}},
    }


def first_only(body: dict[str, Any]) -> dict[str, Any]:
    """The samples announce more than the one item that some of them are cut to."""
    return body | {"items": body["items"][:1], "totalCount": 1}


class Service:
    """Partner Center with these bodies; the list's second page is empty."""

    def __init__(self) -> None:
        self.bodies = true_bodies()

    def __call__(self, request: Request) -> Answer:
        kind = request.path if request.path in self.bodies else request.path.rpartition("/")[2]
        is_second = "seekOperation=Next" in request.target
        return Answer({"totalCount": 0, "items": []} if is_second else self.bodies[kind])


def open_portal(place: Bench, service: Service) -> closing[PartnerCenter]:
    around = conditions(place)
    connection = connection_to(place, place.serve(sign_in(service)))
    tokens = AppTokens("Partner Center", connection, "s/.default", conditions=around)
    client = ApiClient("Partner Center", connection, tokens, conditions=around)
    return closing(PartnerCenter(client, StopSignal(never_stop), 2, has_person=True))


def values_of(customer: Customer) -> dict[str, Any]:
    """Its values by name, those of subscriptions as well; which source and which note they have may differ."""
    values = {field.name: getattr(customer, field.name) for field in dataclasses.fields(customer)}
    for name in ("note", "domain_source", "subscriptions"):
        del values[name]
    for subscription in customer.subscriptions or ():
        values |= {f"bought.{name}": value for name, value in dataclasses.asdict(subscription).items()}
    return values


def allowed_values(true: Customer) -> dict[str, set[str]]:
    """The true values, and what stands for them where a field is missing."""
    allowed = {name: {repr(value)} for name, value in values_of(true).items()}
    for name in ("default_domain", "tenant_guid", "bought.offer_name", "bought.term"):
        allowed[name].add(repr(""))
    default = dataclasses.replace(CustomerDomain(true.default_domain), is_default=True)
    bought = true_bodies()["subscriptions"]["items"][0]
    allowed["domains"] |= {repr(None), repr((default,))}
    allowed["bought.offer_name"].add(repr(bought["friendlyName"]))
    allowed["bought.started_at"] |= {repr(None), repr(loose_moment(bought["creationDate"]))}
    channels = ("", " through First Up Consultants", f" through {true_bodies()[RESELLERS]['items'][0]['id']}")
    allowed["relationship"] = {repr(f"{word}{channel}".strip()) for word in ("reseller", "") for channel in channels}
    return allowed


@pytest.mark.parametrize("kind", [LIST, "customDomains", "subscriptions", RESELLERS])
def test_whatever_drifts_no_customer_gets_a_wrong_value(place: Bench, kind: str) -> None:
    service = Service()
    with open_portal(place, service) as portal:
        ((true,),) = (page.customers for page in portal.pages() if page.customers)
        assert true.relationship == "reseller through First Up Consultants"
        allowed = allowed_values(true)
        changed = list(drifts(service.bodies[kind], DEPTH[kind]))
        assert len(changed) >= 20
        for label, body in changed:
            service.bodies[kind] = body
            try:
                pages = list(portal.pages())
            except SourceError as error:
                assert error.what.endswith("."), label  # noqa: PT017 - both outcomes are right
                continue
            for customer in (one for page in pages for one in page.customers):
                wrong = {name: value for name, value in values_of(customer).items() if repr(value) not in allowed[name]}
                assert not wrong, label


def test_whatever_drifts_an_audit_record_names_its_customer_or_is_an_error(place: Bench) -> None:
    service = Service()
    since = dt.datetime.fromtimestamp(place.clock.wall(), dt.UTC)
    with open_portal(place, service) as portal:
        true = portal.changed_since(since)
        assert len(true) == 1
        for label, body in drifts(service.bodies[AUDIT], DEPTH[AUDIT]):
            service.bodies[AUDIT] = body
            try:
                found = portal.changed_since(since)
            except SourceError:
                continue
            assert found == true or (not found and "customerId is None" in label), label
