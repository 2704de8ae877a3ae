"""Refused for want of multi-factor authentication: a person is to sign in; tenant and application are right."""

from __future__ import annotations

import dataclasses
from contextlib import closing

import pytest
from fault_server import Answer, Bench, FaultServer
from http_bench import conditions, connection_to, failing
from portals.centre import centre, fail, listing, record

from w365.errors import SignInRefused
from w365.http.client import ApiClient
from w365.http.sign_in.app_tokens import AppTokens
from w365.http.wait import never_stop
from w365.portals.partner_center.connector import PartnerCenter
from w365.portals.partner_center.stop import StopSignal

NOT_COMPLIANT = {"isMfaCompliant": "False"}
REFUSALS = {
    "900421": Answer({"code": 900421, "description": "Access denied."}, 401),
    "900420": Answer({"code": "900420", "description": "MFA required."}, 401),
    "900421 with 403": Answer({"code": "900421"}, 403),
    "900329": Answer({"code": 900329, "description": "The operation needs an application and a user."}, 403),
    "the header alone": Answer(b"", 401, NOT_COMPLIANT),
    "the body alone": Answer({"isMfaCompliant": False}, 401),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_list_refused_for_want_of_mfa_asks_for_a_person_and_mfa(place: Bench, name: str) -> None:
    error = fail(place, centre(lambda _: REFUSALS[name]))
    assert isinstance(error, SignInRefused)
    assert error.what.startswith("Partner Center wants a person who signed in with multi-factor authentication (40")
    assert "have an admin sign in there with multi-factor authentication" in error.do
    assert "tenant" not in str(error)


def test_a_token_for_somebody_else_has_the_code_but_not_the_meaning(place: Bench) -> None:
    answer = Answer({"code": 900420, "description": "The audience of the token is not accepted."}, 401)
    assert "does not accept the sign-in of the application" in fail(place, centre(lambda _: answer)).what


def with_person(place: Bench, server: FaultServer) -> closing[PartnerCenter]:
    connection, around = connection_to(place, server), conditions(place)
    tokens = AppTokens("Partner Center", connection, "s/.default", conditions=around)
    client = ApiClient("Partner Center", connection, tokens, conditions=around)
    return closing(PartnerCenter(client, StopSignal(never_stop), 2, has_person=True))


def test_verify_asks_whether_the_sign_in_has_mfa_and_names_it_while_calls_are_still_answered(place: Bench) -> None:
    answer = listing([record(1)])
    server = place.serve(centre(lambda _: dataclasses.replace(answer, headers=NOT_COMPLIANT)))
    with with_person(place, server) as portal:
        error = failing(portal.verify)
    assert isinstance(error, SignInRefused)
    assert error.what == "Partner Center says that the sign-in was made without multi-factor authentication."
    assert [each.headers.get("validatemfa") for each in server.requests if each.path == "/v1/customers"] == ["true"]
    server.script = centre(lambda _: dataclasses.replace(answer, headers={"isMfaCompliant": "true"}))
    with with_person(place, server) as portal:
        assert "Customers can be listed." in portal.verify()


def test_creating_a_customer_without_mfa_is_named_as_that(place: Bench) -> None:
    server = place.serve(centre(lambda _: listing([]), lambda _: REFUSALS["900421"]))
    with with_person(place, server) as portal:
        assert isinstance(failing(portal.onboarding.request_link), SignInRefused)


def test_resellers_refused_for_want_of_mfa_end_the_sync_and_are_not_taken_for_none(place: Bench) -> None:
    server = place.serve(centre(lambda _: listing([record(1)]), lambda _: REFUSALS["900421"]))
    with with_person(place, server) as portal:
        assert isinstance(failing(lambda: list(portal.pages())), SignInRefused)
