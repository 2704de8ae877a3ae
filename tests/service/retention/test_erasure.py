"""Who and what is erased stands nowhere any more, what others need is refused, and a preview changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from service.fakes import ADMIN, FakePortal, customer, id_of, make_service, match, pages_of, rows_of, sync
from service.people.people_steps import ISSUER, sign_in, team
from service.undo_steps import assign, check_derived, clear, exclude, seen, state_of, world

from w365.errors import InputError, NotFound
from w365.jobs import execute_run
from w365.model import Actor, Role
from w365.service import Service
from w365.service.auditing.samples import draw_sample, judge_pair
from w365.service.configuring.settings import set_setting
from w365.service.deciding import bulk_run, collaboration, mapping
from w365.service.deciding.bulk_preview import Selection, preview_bulk
from w365.service.people.roles import disable_person, find_person, list_people, set_role
from w365.service.people.service_tokens import make_token
from w365.service.reading.visits import read_visit
from w365.service.retention.erasure import erase_customer, erase_person, preview_customer, preview_person
from w365.service.syncing.runs import request_sync
from w365.store import tables as t
from w365.store.auditing.samples import AuditVerdict
from w365.store.db.engine import Store
from w365.store.tables import Base

NAME, LOGIN, SUBJECT = "Ann Lee", "ann@example.com", f"{ISSUER}#1"
ADMIN_NAMED = "Ann Leenders"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def service(request: pytest.FixtureRequest, home: Path) -> Service:
    store: Store = request.getfixturevalue("store" if request.param == "sqlite" else "fresh_postgres")
    return team(world(store, home), admins=frozenset({"somebody else"}))


def act_everywhere(service: Service) -> Actor:
    """Somebody does whatever leaves a name behind, and is then disabled."""
    person = sign_in(service)
    set_role(service, ADMIN, find_person(service, ADMIN, NAME).person.id, Role.ADMIN)
    row, version = seen(service, "u1")
    mapping.exclude_row(service, person, row, seen=version, reason=f"said {NAME}, not {ADMIN_NAMED}")
    collaboration.add_note(service, person, row, f"Ask {NAME} or {LOGIN}.")
    collaboration.set_owner(service, ADMIN, row, NAME)
    other = id_of(service.store, "u2")
    plan = preview_bulk(service, person, Selection(ids=(other,)), "owner", {"owner": NAME})
    execute_run(service, bulk_run.confirm_plan(service, person, plan.plan.id))
    for owned in (row, other):
        collaboration.set_owner(service, person, owned, "")
    set_setting(service, person, "shared_threshold", "12")
    judge_pair(service, person, draw_sample(service, person, 1, seed=1), 1, AuditVerdict.RIGHT)
    read_visit(service, person)
    make_token(service, person, "billing", Role.VIEWER, 1)
    disable_person(service, ADMIN, find_person(service, ADMIN, NAME).person.id)
    return person


def places_of(store: Store, *texts: str) -> set[str]:
    """The columns of all tables in which one of these texts stands, whatever kind of column it is."""
    with store.read() as connection:
        return {
            f"{table.name}.{column.name}"
            for table in Base.metadata.sorted_tables
            for column in table.columns
            for value in connection.scalars(sa.select(column))
            if any(text in str(value) for text in texts)
        }


def test_a_person_stands_nowhere_any_more_and_what_was_done_does(service: Service) -> None:
    act_everywhere(service)
    decisions = len(rows_of(service.store, t.Decision.id))
    held = places_of(service.store, NAME)
    assert {"decision.actor", "decision.reason", "note.actor", "note.text", "audit_log.about", "plan.actor"} <= held
    assert {"visit.actor", "audit_item.judged_by", "setting_change.actor", "owner_change.old_owner"} <= held
    erased = erase_person(service, ADMIN, LOGIN)
    assert erased.stands_in == "Former colleague 1"
    assert places_of(service.store, LOGIN, SUBJECT) == set()
    assert places_of(service.store, NAME) == {"decision.reason", "disposition.reason"}, (
        "whose name only begins so is somebody else"
    )
    assert len(rows_of(service.store, t.Decision.id)) == decisions
    assert ("Former colleague 1",) in rows_of(service.store, t.Decision.actor)
    assert (f"said Former colleague 1, not {ADMIN_NAMED}",) in rows_of(service.store, t.Decision.reason)
    assert not list_people(service, ADMIN)
    check_derived(service.store)


def test_a_preview_says_the_same_and_changes_nothing(service: Service) -> None:
    act_everywhere(service)
    before = places_of(service.store, NAME, LOGIN, SUBJECT)
    previewed = preview_person(service, ADMIN, NAME)
    assert places_of(service.store, NAME, LOGIN, SUBJECT) == before
    assert erase_person(service, ADMIN, NAME) == previewed


def test_two_people_who_are_erased_stay_two(service: Service) -> None:
    act_everywhere(service)
    exclude(service, "u2")
    assert erase_person(service, ADMIN, NAME).stands_in == "Former colleague 1"
    assert erase_person(service, ADMIN, "ben").stands_in == "Former colleague 2"


def test_who_may_still_come_or_is_needed_is_not_erased(service: Service) -> None:
    person = sign_in(service)
    with pytest.raises(InputError, match="can still sign in"):
        erase_person(service, ADMIN, NAME)
    row = seen(service, "u1")[0]
    collaboration.set_owner(service, person, row, NAME)
    disable_person(service, ADMIN, find_person(service, ADMIN, NAME).person.id)
    with pytest.raises(InputError, match="owns 1 provider accounts"):
        erase_person(service, ADMIN, NAME)
    collaboration.set_owner(service, ADMIN, row, "")
    request_sync(service, Actor(NAME, Role.ANALYST), "Partner Center")
    with pytest.raises(InputError, match="is not over"):
        erase_person(service, ADMIN, NAME)
    with pytest.raises(NotFound, match="Nothing here was done"):
        erase_person(service, ADMIN, "nobody at all")
    with pytest.raises(InputError, match="yourself"):
        erase_person(service, ADMIN, ADMIN.name)


def test_every_column_that_is_called_as_one_of_a_person_is_marked() -> None:
    words = {"actor", "owner", "old_owner", "by", "judged_by", "changed_by", "cancel_by", "person", "login"}
    columns = {column for table in Base.metadata.sorted_tables for column in table.columns if column.name in words}
    assert len(columns) > 15
    assert columns <= {column for mark in (t.A_PERSON, t.WITHIN_TEXT) for _, column in t.columns_that_name(mark)}


# --- customers ---


@pytest.fixture
def with_gone(service: Service) -> Service:
    """The world, from which the provider then leaves u1 out."""
    assign(service, "u1", "a1")
    clear(service, "u1")
    exclude(service, "u1")
    collaboration.add_note(service, ADMIN, id_of(service.store, "u1"), "left us")
    rest = [row[0] for row in rows_of(service.store, t.ProviderAccount.specific_id) if row[0] != "u1"]
    set_setting(service, ADMIN, "gone_guard_percent", "100")
    gone = make_service(service.store, service.settings.home, portal=FakePortal(pages_of([customer(i) for i in rest])))
    sync(gone)
    return gone


def test_a_customer_is_deleted_with_all_that_was_decided(with_gone: Service) -> None:
    row = id_of(with_gone.store, "u1")
    before = preview_customer(with_gone, ADMIN, "u1")
    assert {"decision", "note", "provider_account", "worklist"} <= before.rows.keys()
    assert id_of(with_gone.store, "u1") == row
    assert erase_customer(with_gone, ADMIN, "u1") == before
    kept = rows_of(with_gone.store, t.ProviderAccount.id)
    assert (row,) not in kept
    with with_gone.store.read() as connection:
        for table in Base.metadata.sorted_tables:
            if "provider_account_id" in table.c:
                assert row not in connection.scalars(sa.select(table.c.provider_account_id)).all(), table.name
    match(with_gone)
    check_derived(with_gone.store)


def test_a_customer_that_something_depends_on_stays(service: Service, with_gone: Service) -> None:
    state = state_of(service.store)
    with pytest.raises(InputError, match="still lists"):
        erase_customer(service, ADMIN, "u2")
    with pytest.raises(NotFound):
        erase_customer(service, ADMIN, "p99")
    with pytest.raises(NotFound):
        erase_customer(service, ADMIN, "u1", "Pax8")
    request_sync(with_gone, ADMIN, "Partner Center")
    with pytest.raises(InputError, match="not over"):
        erase_customer(service, ADMIN, "u1")
    assert state_of(service.store) == state


def test_a_customer_that_is_mapped_or_still_mapped_in_the_crm_stays(with_gone: Service) -> None:
    row, version = seen(with_gone, "u1")
    mapping.reopen_row(with_gone, ADMIN, row, seen=version)
    with with_gone.store.write() as connection:
        values = {
            "provider_account_id": row,
            "place": "x",
            "state": "done",
            "attempts": 0,
            "error": "",
            "remote_id": "",
        }
        connection.execute(sa.insert(t.Writeback).values(values | {"there": "an account"}))
    with pytest.raises(InputError, match="CRM's own table"):
        erase_customer(with_gone, ADMIN, "u1")
    assign(with_gone, "u1", "a1")
    with pytest.raises(InputError, match="is mapped"):
        erase_customer(with_gone, ADMIN, "u1")
