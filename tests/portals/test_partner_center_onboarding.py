"""Creating a customer at Partner Center over real sockets: once, with every refusal in words."""

from __future__ import annotations

import dataclasses
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from onboarding_world import DOMAIN, HASTY, NEW, changed, connection_to

from tests.servers import running
from w365.demo.faults import Fault
from w365.demo.servers import Servers
from w365.errors import AccessError, AddressRefused, InputError, SourceChanged, SourceRefused, SourceUnreachable
from w365.portals.connectors import CONNECTORS
from w365.portals.onboarding import OnboardingPortal, onboarding_of
from w365.portals.partner_center.connector import PartnerCenter, connect_partner_center
from w365.portals.pax8 import Pax8


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with running(tmp_path / "demo") as servers:
        yield servers


@pytest.fixture
def portal(servers: Servers, tmp_path: Path) -> Iterator[PartnerCenter]:
    connection = connection_to(servers, tmp_path)
    with closing(connect_partner_center(connection, conditions=HASTY)) as portal:
        yield portal


@pytest.fixture
def onboarding(portal: PartnerCenter) -> OnboardingPortal:
    return onboarding_of(portal, "Partner Center")


def new_id() -> str:
    return str(uuid.uuid4())


def test_a_free_domain_an_address_and_a_link_are_asked_for(onboarding: OnboardingPortal) -> None:
    assert onboarding.is_free(DOMAIN)
    assert not onboarding.is_free("adatum.onmicrosoft.com")
    onboarding.check_address(NEW)
    assert "invType=ResellerRelationship" in onboarding.request_link()


def test_an_invalid_address_is_said_in_the_providers_words(onboarding: OnboardingPortal) -> None:
    with pytest.raises(AddressRefused, match="does not accept the address: The postal code is not valid in GB") as said:
        onboarding.check_address(changed(postal_code="12"))
    assert said.value.kept == "Nothing was created."
    with pytest.raises(AddressRefused, match="does not accept the address: The postal code is not valid in GB"):
        onboarding.create(changed(postal_code="12"), new_id())


def test_a_corrected_address_is_said_from_the_json_inside_the_documented_answer(
    onboarding: OnboardingPortal, servers: Servers
) -> None:
    details = "Field - &#39;City&#39; is corrected from OldValue: &#39;Redmond&#39; to NewValue: &#39;BELLEVUE&#39;."
    corrected = {"country": "US", "region": "WA", "city": "BELLEVUE", "address_line1": "One Microsoft Way"}
    inside = {"code": "60071", "reason": f"ZipCityInvalid - Details: {details}", "corrected_address": corrected}
    for description, said in (
        (json.dumps(inside), ": Field - 'City' is corrected from OldValue: 'Redmond' to NewValue: 'BELLEVUE'."),
        (json.dumps(inside).replace("Redmond", "R" * 200), f"OldValue: '{'R' * 20}"),  # cut off by its length
        ('{"code": "60071"}', "does not accept the address."),
    ):
        body = {"code": 2007, "description": description, "data": [], "source": "PartnerFD"}
        servers.faults.append(Fault("partner_center", "/v1/validations/address", "POST", status=400, body=body))
        with pytest.raises(AddressRefused, match=re.escape(said)) as refused:
            onboarding.check_address(NEW)
        assert "{" not in str(refused.value)
        servers.faults.clear()


def test_a_created_customer_is_listed_and_its_password_is_in_no_text(
    onboarding: OnboardingPortal, portal: PartnerCenter
) -> None:
    made = onboarding.create(NEW, new_id())
    assert made.credentials
    assert made.credentials.user_name == "admin"
    assert len(made.credentials.password) >= 8
    assert made.credentials.password not in repr(made) + str(made)
    assert onboarding.find(DOMAIN.upper()) == dataclasses.replace(made.customer, country="")
    assert not onboarding.is_free(DOMAIN)
    listed = [one.name for page in portal.pages() for one in page.customers]
    assert listed.count("Fabrikam Leeds") == 1


def test_the_same_request_id_makes_one_customer_and_another_one_is_refused(onboarding: OnboardingPortal) -> None:
    request_id = new_id()
    made = onboarding.create(NEW, request_id)
    assert onboarding.create(NEW, request_id) == made
    with pytest.raises(SourceRefused, match="The domain is taken") as said:
        onboarding.create(NEW, new_id())
    assert said.value.status == 409


def test_it_is_sent_once_and_a_lost_answer_leaves_open_whether_it_was_done(
    onboarding: OnboardingPortal, servers: Servers
) -> None:
    servers.faults.append(Fault("partner_center", "/v1/customers", "POST", drip=0.05, times=2))
    request_id = new_id()
    with pytest.raises(SourceUnreachable, match="did not arrive in time") as said:
        onboarding.create(NEW, request_id)
    assert said.value.kept == "Whether the other side carried it out is not known."
    assert sum(seen.method == "POST" and seen.target == "/v1/customers" for seen in servers.faults.seen) == 1
    servers.faults.clear()
    assert onboarding.find(DOMAIN)
    assert onboarding.create(NEW, request_id).credentials


def test_an_answer_of_another_shape_leaves_it_open_too_and_quotes_nothing(
    onboarding: OnboardingPortal, servers: Servers
) -> None:
    body = b'{"id": 7, "userCredentials": {"userName": "admin", "password": "Not4YourLog"}}'
    servers.faults.append(Fault("partner_center", "/v1/customers", "POST", status=201, body=body))
    with pytest.raises(SourceChanged, match="The customer may have been created") as said:
        onboarding.create(NEW, new_id())
    assert "Not4YourLog" not in repr(vars(said.value)) + repr(said.value)


def test_a_missing_role_is_named(onboarding: OnboardingPortal, servers: Servers) -> None:
    refusal = {"code": 600006, "description": "The requested action is not allowed.", "data": [], "source": "PartnerFD"}
    servers.faults.append(Fault("partner_center", "/v1/customers", "POST", status=403, body=refusal))
    with pytest.raises(AccessError, match=r"does not let the application create customers.*600006.*Admin agent"):
        onboarding.create(NEW, new_id())


def test_what_was_created_outlives_a_restart_of_the_demo_without_its_password(tmp_path: Path) -> None:
    request_id, home = new_id(), tmp_path / "demo"
    for is_again in (False, True):
        with running(home) as servers, closing(connect_partner_center(connection_to(servers, tmp_path))) as portal:
            made = portal.onboarding.create(NEW, request_id)
            assert (made.credentials is None) == is_again
            if made.credentials:
                password = made.credentials.password
    assert all(password.encode() not in file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_a_provider_without_it_says_so() -> None:
    assert {one.name for one in CONNECTORS if one.onboards} == {"Partner Center"}
    with pytest.raises(InputError, match="Customers cannot be created at Pax8 from here"):
        onboarding_of(object.__new__(Pax8), "Pax8")
