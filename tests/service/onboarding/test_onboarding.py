"""Onboarding against the demo's Partner Center over real sockets: one customer, mapped, its password kept nowhere."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from onboarding_world import HASTY, NEW, connection_to
from service.fakes import (
    ADMIN,
    ANALYST,
    VIEWER,
    FakeCrm,
    account,
    account_id_of,
    crm_sync,
    make_service,
    rows_of,
    set_provider_cardinality,
    sync,
)

from tests.servers import running
from w365.demo.faults import Fault
from w365.demo.servers import Servers
from w365.errors import AccessError, FormRefused, InputError, PolicyBreach, SourceError, SourceRefused
from w365.model import Cardinality, Origin, Status
from w365.portals.partner_center.connector import connect_partner_center
from w365.service import Service
from w365.service.deciding import mapping
from w365.service.onboarding import create
from w365.service.onboarding.complete import Onboarded, complete_onboarding, store_created
from w365.service.onboarding.create import finish_onboarding, give_up, list_open, onboard_customer
from w365.service.onboarding.provider import open_provider
from w365.service.reading import records
from w365.service.syncing.providers import PARTNER_CENTER
from w365.service.syncing.runs import request_sync
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.onboarding.created_customers import State
from w365.store.reading.worklist import Filter, Row
from w365.store.runs import claim_run
from w365.store.syncing.gone_customers import mark_gone

TEXTS = {name: text for name, text in dataclasses.asdict(NEW).items() if name != "domain"} | {"prefix": "fabrikamleeds"}
LOST = Fault("partner_center", "/v1/customers", "POST", drip=0.05)
SILENT = Fault("partner_center", "/v1/customers", "POST", reset=True)
NO_LOOK = Fault("partner_center", "filter=", "GET", status=503, times=9)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with running(tmp_path / "demo") as servers:
        yield servers


@pytest.fixture
def service(store: Store, home: Path, servers: Servers) -> Service:
    crm = FakeCrm()
    crm.put(account("a1", name="Fabrikam Leeds"), account("a2", name="Another"))
    connection = connection_to(servers, home)
    made = dataclasses.replace(
        make_service(store, home, crm=crm),
        open_portal=lambda _, check: closing(connect_partner_center(connection, check=check, conditions=HASTY)),
    )
    crm_sync(made)
    return made


def start(service: Service, **texts: str) -> Onboarded:
    return onboard_customer(service, ANALYST, 1, account_id_of(service.store, "a1"), TEXTS | texts)


def fault(servers: Servers, *faults: Fault) -> None:
    servers.faults.clear()
    servers.faults.extend(dataclasses.replace(one) for one in faults)


def made_there(servers: Servers) -> int:
    """How many customers Partner Center made: a line of its journal each."""
    journal = servers.ca_bundle.parent / "customers.jsonl"
    return len(journal.read_text().splitlines()) if journal.exists() else 0


def row_of(service: Service) -> Row:
    (row,) = records.list_rows(service, VIEWER, Filter(text="fabrikamleeds"))
    return row


def states(service: Service) -> list[tuple[str, bool]]:
    return [(state, bool(detail)) for state, detail in rows_of(service.store, t.Onboarding.state, t.Onboarding.detail)]


def test_a_customer_is_created_stored_and_mapped_with_who_asked_and_the_request(
    service: Service, servers: Servers
) -> None:
    done = start(service)
    row = row_of(service)
    assert (done.problem, done.provider_account_id) == ("", row.id)
    assert (row.status, row.origin, row.account_name) == (Status.MAPPED, Origin.PROVISIONED, "Fabrikam Leeds")
    (decision,) = records.read_record(service, VIEWER, row.id).history
    (request_id,) = rows_of(service.store, t.Onboarding.request_id)[0]
    assert (decision.actor, decision.origin) == (ANALYST.name, Origin.PROVISIONED)
    assert decision.reason == (
        f"Created at Partner Center for this account by {ANALYST.name}, request id {request_id}."
    )
    assert states(service) == [("mapped", False)]
    sync(service)
    assert row_of(service).status is Status.MAPPED
    assert made_there(servers) == 1


def test_the_password_is_in_no_file_log_or_repr(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("w365").addHandler(caplog.handler)
    with caplog.at_level(logging.DEBUG):
        done = start(service)
    logging.getLogger("w365").removeHandler(caplog.handler)
    assert done.credentials
    password = done.credentials.password
    assert password not in repr(done) + caplog.text
    assert "is asked for, request id" in caplog.text
    database = Path(service.store.engine.url.database or "")
    files = [*tmp_path.rglob("*"), *database.parent.glob(f"{database.stem}*")]
    assert any(one.suffix == ".db" for one in files)
    assert all(password.encode() not in one.read_bytes() for one in files if one.is_file())


@pytest.mark.parametrize("times", [1, 2])
def test_an_answer_that_is_lost_after_the_customer_was_created_makes_one_customer(
    service: Service, servers: Servers, times: int
) -> None:
    fault(servers, dataclasses.replace(LOST, times=times))
    done = start(service)
    assert (done.problem, done.credentials) == ("", None)  # found by a look: its password was in the lost answer
    assert made_there(servers) == 1
    assert row_of(service).origin == Origin.PROVISIONED


def test_a_list_that_lags_behind_is_no_reason_for_a_second_customer(service: Service, servers: Servers) -> None:
    nothing = {"totalCount": 0, "items": []}
    fault(servers, LOST, Fault("partner_center", "filter=", "GET", status=200, body=nothing))
    done = start(service)
    assert done.credentials  # the same request id brings the same answer
    assert made_there(servers) == 1


def test_what_broke_off_is_finished_by_another_process_with_the_same_request_id(
    service: Service, servers: Servers, home: Path
) -> None:
    fault(servers, dataclasses.replace(LOST, times=2), NO_LOOK)
    with pytest.raises(SourceError, match="Whether Fabrikam Leeds was created at Partner Center is not known"):
        start(service)
    assert states(service) == [("asked", True)]
    with pytest.raises(InputError, match="has begun to onboard Fabrikam Leeds"):
        start(service, prefix="fabrikamagain")
    again = dataclasses.replace(service, store=service.store)
    (waiting,) = list_open(again, VIEWER)
    assert "server error" in waiting.remark
    fault(servers)
    with pytest.raises(InputError, match="exists at Partner Center by now"):
        give_up(again, ANALYST, waiting.id)
    assert finish_onboarding(again, ADMIN, waiting.id).problem == ""
    assert made_there(servers) == 1
    assert states(service) == [("mapped", False)]
    assert row_of(service).origin == Origin.PROVISIONED
    with pytest.raises(InputError, match="finished already"):
        finish_onboarding(again, ADMIN, waiting.id)


def test_what_never_arrived_is_sent_again_and_can_be_given_up(service: Service, servers: Servers) -> None:
    fault(servers, dataclasses.replace(SILENT, times=4))
    with pytest.raises(SourceError, match="is not known"):
        start(service)
    with pytest.raises(SourceError, match="is not known"):
        finish_onboarding(service, ANALYST, 1)
    assert made_there(servers) == 0
    fault(servers)
    give_up(service, ANALYST, 1)
    assert states(service) == [("given_up", False)]
    assert start(service).credentials
    assert made_there(servers) == 1


def test_a_refusal_ends_it_and_the_next_try_is_a_new_request(service: Service, servers: Servers) -> None:
    taken = {"code": 600009, "description": "The domain is taken.", "data": [], "source": "PartnerFD"}
    role = {"code": 600006, "description": "The requested action is not allowed.", "data": [], "source": "PartnerFD"}
    other = {"code": 3000, "description": "Invalid property", "data": [], "source": "PartnerFD"}
    for status, body in ((409, taken), (400, other), (403, role)):
        fault(servers, Fault("partner_center", "/v1/customers", "POST", status=status, body=body))
        with pytest.raises((SourceRefused, AccessError)) as said:
            start(service)
        assert str(body["description"]) in str(said.value)
    assert states(service) == [("refused", False)] * 3
    assert not list_open(service, VIEWER)
    fault(servers)
    assert start(service).credentials
    assert len(set(rows_of(service.store, t.Onboarding.request_id))) == 4


def test_after_silence_a_taken_domain_says_nothing_and_stays_open(service: Service, servers: Servers) -> None:
    taken = {"code": 600009, "description": "The domain is taken.", "data": [], "source": "PartnerFD"}
    nothing = {"totalCount": 0, "items": []}
    fault(
        servers,
        LOST,
        Fault("partner_center", "filter=", "GET", status=200, body=nothing),
        Fault("partner_center", "/v1/customers", "POST", status=409, body=taken),
    )
    with pytest.raises(SourceError, match="is not known: Partner Center refused"):
        start(service)
    assert states(service) == [("asked", True)]
    fault(servers)
    assert finish_onboarding(service, ANALYST, 1).problem == ""
    assert made_there(servers) == 1


def test_what_cannot_be_sent_is_said_at_its_field_and_nothing_is_asked_for(service: Service, servers: Servers) -> None:
    for texts, field in (
        ({"prefix": "adatum"}, "prefix"),
        ({"prefix": "not a domain"}, "prefix"),
        ({"postal_code": "12"}, "address_line"),
        ({"email": "nobody"}, "email"),
        ({"country": "US"}, "state"),
        ({"first_name": " "}, "first_name"),
    ):
        with pytest.raises(FormRefused) as said:
            start(service, **texts)
        assert list(said.value.fields) == [field]
    assert create.check_domain(service, ANALYST, 1, "adatum") == "adatum.onmicrosoft.com is taken. Choose another one."
    assert create.check_domain(service, ANALYST, 1, "fabrikamleeds") == ""
    assert states(service) == []
    assert made_there(servers) == 0


def test_a_mapping_that_fails_after_the_creation_is_made_up_for_by_finishing(
    service: Service, servers: Servers
) -> None:
    asked = create._note_request(service, ANALYST, 1, account_id_of(service.store, "a1"), NEW)
    with open_provider(service, 1) as portal:
        created = portal.create(NEW, asked.request_id)
    crm_account(service, is_deleted=True)
    done = complete_onboarding(service, ANALYST, asked, created)
    assert "created, but not mapped: This CRM account does not exist" in done.problem
    assert done.credentials == created.credentials
    assert [one.state for one in list_open(service, VIEWER)] == [State.CREATED]
    crm_account(service, is_deleted=False)
    assert finish_onboarding(service, ANALYST, asked.id).problem == ""
    assert row_of(service).origin == Origin.PROVISIONED
    assert made_there(servers) == 1


def crm_account(service: Service, *, is_deleted: bool) -> None:
    with service.store.write() as connection:
        connection.execute(t.Account.__table__.update().where(t.Account.crm_id == "a1").values(is_deleted=is_deleted))


def test_a_persons_decision_that_came_first_stands(service: Service) -> None:
    asked = create._note_request(service, ANALYST, 1, account_id_of(service.store, "a1"), NEW)
    with open_provider(service, 1) as portal:
        created = portal.create(NEW, asked.request_id)
    with service.store.write() as connection:
        store_created(service, connection, asked, created.customer)
    mapping.assign_account(service, ADMIN, row_of(service).id, account_id_of(service.store, "a2"), seen=0)
    assert "their decision was kept" in finish_onboarding(service, ANALYST, asked.id).problem
    assert (row_of(service).account_name, row_of(service).origin) == ("Another", Origin.MANUAL)
    assert not list_open(service, VIEWER)


def test_a_unique_policy_is_asked_before_anything_is_created(service: Service, servers: Servers) -> None:
    set_provider_cardinality(service, 1, Cardinality.UNIQUE)
    start(service)
    with pytest.raises(PolicyBreach, match="already belongs to Fabrikam Leeds"):
        start(service, prefix="fabrikamtwo")
    assert made_there(servers) == 1


def test_a_sync_under_way_does_not_take_the_new_customer_for_gone(service: Service) -> None:
    run = request_sync(service, ADMIN, PARTNER_CENTER)
    at = service.clock()
    with service.store.write() as connection:
        claim_run(connection, run, at)
    start(service)
    with service.store.write() as connection:
        assert mark_gone(connection, 1, run, at, guard=None) == 0
        connection.execute(t.RunSeen.__table__.delete())
        assert mark_gone(connection, 1, run, at, guard=None) == 1
