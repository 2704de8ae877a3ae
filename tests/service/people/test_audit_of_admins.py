"""Whatever only an admin may change stands in the audit log: every call of the service is walked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from connection_steps import ADMIN, ONE, PARTS, opened
from service.people.people_steps import sign_in, team
from service.test_roles import CALLS, least_role_by_rule

from w365.matching.weights import DELIVERED, Learned
from w365.model import ProviderKind, Role, RunKind, RunState
from w365.service import Service, own_data
from w365.service.configuring import settings
from w365.service.connecting import sign_ins, stored_connections
from w365.service.matching import learning, run
from w365.service.people import roles
from w365.service.people.roles import list_audit_log
from w365.service.people.service_tokens import make_token, revoke_token
from w365.service.retention import erasure
from w365.service.syncing import providers, runs, schedules
from w365.service.writeback import place
from w365.store.configuring.settings import MAPPING_TABLE, WRITE_BACK, put_settings
from w365.store.db.engine import Store
from w365.store.matching.learned_weights import add_learned
from w365.store.run_counts import Count
from w365.store.runs import end_run, request_run
from w365.store.tables import LearnedWeights, Person, ProviderAccount

CHANGES_NOTHING: Mapping[str, str] = {
    "list_people": "reads",
    "find_person": "reads",
    "list_audit_log": "reads",
    "list_tokens": "reads",
    "list_audit_names": "reads",
    "get_connection": "reads",
    "list_tables": "reads",
    "list_columns": "reads",
    "verify_provider": "asks whether a connection works",
    "verify_crm": "asks whether a connection works",
    "preview_person": "says what erasing would do",
    "preview_customer": "says what erasing would do",
    "preview_retention": "says what is due",
    "try_change": "says what a change would do",
    "begin_sign_in": "the sign-in is told when it is finished",
    "send_test": "sends a message without data to whom the settings name",
    "narrow_own_files": "takes from others what is the owner's, at each look at it",
}

BEN = replace(ADMIN, name="ben")
"""Does what has to be there before."""


def in_demo(service: Service) -> Service:
    home = service.settings.home / "demo"
    home.mkdir(parents=True, exist_ok=True)
    return replace(service, settings=replace(service.settings, is_demo=True, home=home))


def person_of(service: Service) -> int:
    sign_in(team(service))
    with service.store.read() as connection:
        return int(connection.execute(sa.select(Person.id)).scalar_one())


def begin_run_that_misses(service: Service) -> int:
    with service.store.write() as connection:
        run_id = request_run(connection, RunKind.SYNC, providers.PARTNER_CENTER, "ada", service.clock())
        end_run(connection, run_id, RunState.FAILED, service.clock(), was=RunState.QUEUED, result={Count.MISSING: 3})
    return run_id


def name_no_table(service: Service) -> None:
    with service.store.write() as connection:
        put_settings(connection, BEN, service.clock(), {MAPPING_TABLE: "new_mapping", WRITE_BACK: "true"})
    place.name_place(service, ADMIN, None, write=False)


def erase_gone_customer(service: Service) -> None:
    provider = providers.add_manual_provider(service, BEN, "Harbour")
    providers.add_manual_accounts(service, BEN, provider, [providers.ManualAccount("1", "Kestrel", (), "DE")])
    with service.store.write() as connection:
        connection.execute(sa.update(ProviderAccount).values(gone_at=service.clock()))
    erasure.erase_customer(service, ADMIN, "1")


def use_learned_weights(service: Service) -> int:
    with service.store.write() as connection:
        run_id = request_run(connection, RunKind.LEARN, learning.TARGET, "ada", service.clock())
        add_learned(connection, run_id, "ada", service.clock(), Learned(DELIVERED, 60, 0.8, 0.9, 1, 0.5), is_used=True)
        return int(connection.execute(sa.select(LearnedWeights.id)).scalar_one())


def disabled(service: Service) -> int:
    person = person_of(service)
    roles.disable_person(service, BEN, person)
    return person


CHANGES: Mapping[str, Callable[[Service], object]] = {
    "save_connection": lambda it: stored_connections.save_connection(it, ADMIN, ONE, PARTS),
    "add_provider": lambda it: stored_connections.add_provider(it, ADMIN, ProviderKind.PARTNER_CENTER, "Two", PARTS),
    "remove_connection": lambda it: (
        stored_connections.save_connection(it, BEN, ONE, PARTS),
        stored_connections.remove_connection(it, ADMIN, ONE),
    ),
    "rotate_secrets": lambda it: stored_connections.rotate_secrets(it, ADMIN),
    "forget_sign_in": lambda it: sign_ins.forget_sign_in(it, ADMIN, ONE),
    "make_change": lambda it: run.make_change(it, ADMIN, run.PendingChange(settings={"auto_match": "true"})),
    "set_setting": lambda it: settings.set_setting(it, ADMIN, "auto_match", "true"),
    "set_settings": lambda it: settings.set_settings(it, ADMIN, {"auto_match": "true"}),
    "name_place": name_no_table,
    "add_manual_provider": lambda it: providers.add_manual_provider(it, ADMIN, "Harbour"),
    "confirm_gone": lambda it: runs.confirm_gone(it, ADMIN, begin_run_that_misses(it)),
    "request_learning": lambda it: learning.request_learning(it, ADMIN),
    "withdraw_weights": lambda it: learning.withdraw_weights(it, ADMIN, use_learned_weights(it)),
    "save_schedules": lambda it: schedules.save_schedules(it, ADMIN, {ONE: schedules.Daily(True, dt.time(7))}),
    "leave_demo": lambda it: own_data.leave_demo(in_demo(it), ADMIN),
    "return_to_demo": lambda it: (
        own_data.leave_demo(in_demo(it), BEN),
        own_data.return_to_demo(it, ADMIN),
    ),
    "make_token": lambda it: make_token(it, ADMIN, "billing", Role.VIEWER, 1),
    "revoke_token": lambda it: revoke_token(it, ADMIN, make_token(it, BEN, "billing", Role.VIEWER, 1).token.id),
    "set_role": lambda it: roles.set_role(it, ADMIN, person_of(it), Role.ADMIN),
    "disable_person": lambda it: roles.disable_person(it, ADMIN, person_of(it)),
    "erase_customer": erase_gone_customer,
    "erase_person": lambda it: (disabled(it), erasure.erase_person(it, ADMIN, "Ann Lee")),
    "enable_person": lambda it: roles.enable_person(it, ADMIN, disabled(it)),
    "end_sessions": lambda it: roles.end_sessions(it, ADMIN, person_of(it)),
}


TOLD_ELSEWHERE = {"remove_old"}
"""`test_who_was_here_and_the_audit_log_are_forgotten` looks into the audit log for it."""


def test_every_call_that_only_an_admin_may_make_stands_here() -> None:
    for_admins = {call.__name__ for call in CALLS if least_role_by_rule(call) is Role.ADMIN}
    assert for_admins == {*CHANGES, *CHANGES_NOTHING, *TOLD_ELSEWHERE}


@pytest.mark.parametrize("name", CHANGES)
def test_what_only_an_admin_may_change_is_in_the_audit_log(store: Store, tmp_path: Path, name: str) -> None:
    service = opened(tmp_path / "home", store)
    CHANGES[name](service)
    log = list_audit_log(service, ADMIN, limit=10)
    assert log[0].actor == ADMIN.name
    assert log[0].about
