"""Where Partner Center keeps a customer's list of domains to itself: the customer's record, then Microsoft Graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fault_server import Answer, Bench, FaultServer, Request, in_turn, sign_in
from http_bench import conditions, connection_to, guid
from portals.centre import centre, listing, only, open_portal, read_all, record

from w365.connection import Connection
from w365.errors import W365Error
from w365.http.fields import FieldError
from w365.portals.partner_center.graph import GraphDomains
from w365.source_records import Customer, CustomerDomain

REFUSED = Answer({"code": 600003, "description": "No role."}, 403)


def by_id(answer: Answer | None) -> Callable[[Request], Answer | None]:
    """Refuse every list of domains; ``answer`` is the record of a customer."""

    def detail(request: Request) -> Answer | None:
        if request.path.endswith("customDomains"):
            return REFUSED
        return answer if request.path.count("/") == 3 else None

    return detail


def test_the_customers_record_is_asked_where_the_list_of_domains_is_refused(place: Bench) -> None:
    whole = Answer({**record(1), "customDomains": ["C1.example", "other.example", "c1.onmicrosoft.com"]})
    pages, _ = read_all(place, centre(lambda _: listing([record(1)]), by_id(whole)))
    customer = only(pages)
    assert [each.name for each in customer.domains or ()] == ["C1.example", "other.example", "c1.onmicrosoft.com"]
    assert (customer.domain_source, customer.note) == ("customer record", "")


@pytest.mark.parametrize("own", [record(1), {**record(1), "customDomains": []}, {**record(1), "customDomains": None}])
def test_a_record_without_domains_leaves_the_default_one_with_the_first_refusal(place: Bench, own: Any) -> None:
    customer = only(read_all(place, centre(lambda _: listing([record(1)]), by_id(Answer(own))))[0])
    assert customer.domains == (CustomerDomain("c1.example", is_default=True),)
    assert customer.domain_source == "default domain only"
    assert customer.note == "Only the default domain is known: the provider refuses it (403, code 600003)."


@pytest.mark.parametrize("own", [Answer([]), Answer({"customDomains": 5}), Answer({"customDomains": [5]})])
def test_a_record_of_another_shape_keeps_what_is_stored(place: Bench, own: Answer) -> None:
    customer = only(read_all(place, centre(lambda _: listing([record(1)]), by_id(own)))[0])
    assert customer.domains is None
    assert "answers differently than documented" in customer.note


def test_a_partner_whose_records_never_tell_domains_is_not_asked_for_each(place: Bench) -> None:
    records = [record(n) for n in range(200)]
    _, server = read_all(place, centre(lambda _: listing(records), by_id(Answer(record(1)))))
    asked = [path for path in server.paths() if path.count("/") == 3]
    assert 20 <= len(asked) <= 20 + 12


def test_verify_says_that_the_records_tell_the_domains(place: Bench) -> None:
    whole = Answer({**record(1), "customDomains": ["c1.example"]})
    server = place.serve(centre(lambda _: listing([record(1)]), by_id(whole)))
    with open_portal(place, server) as portal:
        assert "Domains are read from the record of a customer." in portal.verify()


def test_domains_refused_with_401_are_asked_for_elsewhere_too(place: Bench) -> None:
    whole = Answer({**record(1), "customDomains": ["c1.example", "other.example"]})

    def detail(request: Request) -> Answer | None:
        if request.path.endswith("customDomains"):
            return Answer(b"", 401)
        return whole if request.path.count("/") == 3 else None

    customer = only(read_all(place, centre(lambda _: listing([record(1)]), detail))[0])
    assert [each.name for each in customer.domains or ()] == ["c1.example", "other.example"]
    assert customer.note == ""


class Consent:
    """Keeps no token; the one there is never changes."""

    def redeem(
        self,
        exchange: Callable[[str], Mapping[str, Any]],
        check: Callable[[], None],
        *,
        is_own_tenant: bool = True,
    ) -> Mapping[str, Any]:
        check()
        return exchange("refresh-token" if not is_own_tenant else "own")


def graph_of(place: Bench, server: FaultServer) -> GraphDomains:
    plain = connection_to(place, server)
    values = {name: getattr(plain, name) for name in plain.__slots__ if name not in {"consent", "graph_url"}}
    connection = Connection(**values, consent=Consent(), graph_url=server.url)
    return GraphDomains(connection, conditions=conditions(place))


WHO = Customer(guid(1), "Customer 1", "a0.example", None, "", tenant_guid=guid(1))


def test_every_page_of_the_domains_in_graph_is_read_and_unverified_ones_are_left_out(place: Bench) -> None:
    def pages(request: Request) -> Answer:
        number = int(request.target.partition("skiptoken=")[2] or 0)
        named = [{"id": f"a{number}.example", "isVerified": True}, {"id": f"no{number}.example", "isVerified": False}]
        # The second is relative, as some gateways make them.
        host = "" if number else f"https://{request.headers['host']}"
        following = f"{host}/v1.0/domains?$skiptoken={number + 1}"
        return Answer({"value": named} | ({"@odata.nextLink": following} if number < 2 else {}))

    found = graph_of(place, place.serve(sign_in(pages))).read(WHO)
    assert [each.name for each in found] == ["a0.example", "a1.example", "a2.example"]
    assert found[0].is_default


@pytest.mark.parametrize("link", [5, "https://{host}/v1.0/domains?$skiptoken=1"])
def test_domains_in_graph_that_do_not_end_are_an_error(place: Bench, link: Any) -> None:
    def pages(request: Request) -> Answer:
        following = link.format(host=request.headers["host"]) if isinstance(link, str) else link
        return Answer({"value": [], "@odata.nextLink": following})

    with pytest.raises(FieldError, match="does not end"):
        graph_of(place, place.serve(sign_in(pages))).read(WHO)


def test_a_page_of_graph_elsewhere_gets_no_token(place: Bench) -> None:
    answer = Answer({"value": [], "@odata.nextLink": "https://evil.example/v1.0/domains"})
    with pytest.raises(W365Error, match=r"another place \(evil\.example\)"):
        graph_of(place, place.serve(sign_in(in_turn(answer)))).read(WHO)
