"""What is kept up change by change equals what is made from nothing: domains of accounts, proposals and grid rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fresh_stores import fill, migrated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from service.fakes import (
    ADMIN,
    ANALYST,
    FakeCrm,
    FakePortal,
    account,
    claimed,
    contact,
    customer,
    make_service,
    pages_of,
    set_domains,
    set_provider_cardinality,
    subscription,
)

from w365.errors import InputError
from w365.jobs import execute_run
from w365.model import Cardinality, DomainList, Guard, RunKind, RunState
from w365.service import Service
from w365.service.configuring import settings as configuration
from w365.service.deciding import mapping
from w365.service.matching import run as matching
from w365.service.syncing import providers, runs
from w365.service.syncing.crm import run_crm_sync
from w365.service.syncing.customers import run_sync
from w365.service.syncing.providers import ManualAccount
from w365.source_records import CustomerDomain
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.db.engine import Store
from w365.store.matching.account_domains import fold_all
from w365.store.matching.refresh_derived import refresh_with_rivals
from w365.store.runs import Progress, end_run

NAMES = ("contoso.com", "fabrikam.de", "gmail.com")
GUIDS = ("", "", "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
KEPT_UP = (t.CurrentProposal, t.Worklist, t.AccountDomain)

Act = Callable[["Bench"], None]


@dataclasses.dataclass
class Bench:
    """A service, both sources, and what the provider lists now."""

    service: Service
    portal: FakePortal
    crm: FakeCrm
    customers: dict[str, Any] = dataclasses.field(default_factory=dict)
    manual: int = 0

    def row(self, place: int) -> tuple[int, int] | None:
        """The id and version of a provider account."""
        with self.service.store.read() as connection:
            rows = connection.execute(sa.select(t.ProviderAccount.id).order_by(t.ProviderAccount.id)).all()
            if not rows:
                return None
            row_id = rows[place % len(rows)].id
            latest = sa.select(sa.func.max(t.Decision.id)).where(t.Decision.provider_account_id == row_id)
            return row_id, connection.scalar(latest) or 0

    def account(self, place: int) -> int | None:
        with self.service.store.read() as connection:
            ids = connection.scalars(sa.select(t.Account.id).order_by(t.Account.id)).all()
            return ids[place % len(ids)] if ids else None

    def run(self, kind: RunKind) -> None:
        """Do a sync without the match that follows it."""
        service = self.service
        ask = runs.request_crm_sync if kind is RunKind.CRM_SYNC else _request_sync
        run = claimed(service, ask(service, ADMIN))
        work = run_crm_sync if kind is RunKind.CRM_SYNC else run_sync
        work(service, run, Progress(service.store, run.id, service.clock))
        with service.store.write() as connection:
            end_run(connection, run.id, RunState.DONE, service.clock())


def _request_sync(service: Service, actor: Any) -> int:
    return runs.request_sync(service, actor, providers.PARTNER_CENTER)


# --- what can happen ---

_small = st.integers(0, 3)
_name = st.sampled_from(("", *NAMES))
_some_names = st.lists(st.sampled_from((*NAMES, "x.onmicrosoft.com")), max_size=2, unique=True).map(tuple)
_guid = st.sampled_from(GUIDS)


def put_account(place: int, name: str, domains: tuple[str, str], guid: str, *, is_active: bool) -> Act:
    def act(bench: Bench) -> None:
        email, website = domains
        address = f"x@{email}" if email else ""
        facts = {"name": name, "email": address, "website": website, "tenant_guid": guid, "is_active": is_active}
        bench.crm.put(account(f"a{place}", **facts))

    return act


def put_contact(place: int, of: int, domain: str) -> Act:
    return lambda bench: bench.crm.put(contact(f"c{place}", f"a{of}" if of < 3 else "", domain))


def drop_from_crm(which: str) -> Act:
    return lambda bench: bench.crm.drop(which)


def put_customer(place: int, names: tuple[str, ...], guid: str, seats: int, *, is_verified: bool) -> Act:
    def act(bench: Bench) -> None:
        made = customer(f"p{place}", *names, tenant_guid=guid, subscriptions=(subscription(1, seats),))
        domains = tuple(CustomerDomain(name, is_verified=is_verified) for name in names)
        bench.customers[made.specific_id] = dataclasses.replace(made, domains=domains)

    return act


def drop_customer(place: int) -> Act:
    return lambda bench: bench.customers.pop(f"p{place}", None)


def put_manual(place: int, names: tuple[str, ...]) -> Act:
    def act(bench: Bench) -> None:
        if not bench.manual:
            bench.manual = providers.add_manual_provider(bench.service, ADMIN, "By hand")
        providers.add_manual_accounts(bench.service, ADMIN, bench.manual, [ManualAccount(f"m{place}", "A", names)])

    return act


def read_provider(bench: Bench) -> None:
    listed = list(bench.customers.values())
    bench.portal.served = pages_of(listed[:2], listed[2:])
    bench.run(RunKind.SYNC)


def read_crm(bench: Bench) -> None:
    bench.run(RunKind.CRM_SYNC)


def run_match(bench: Bench) -> None:
    execute_run(bench.service, runs.request_match(bench.service, ADMIN))


def decide(verb: str, place: int, which: int) -> Act:
    """A decision of a person; one that cannot be made just now changes nothing, which is a case too."""

    def act(bench: Bench) -> None:
        row, account_id = bench.row(place), bench.account(which)
        if row is None or account_id is None:
            return
        service, (row_id, seen) = bench.service, row
        ways: dict[str, Callable[[], object]] = {
            "assign": lambda: mapping.assign_account(service, ANALYST, row_id, account_id, seen=seen),
            "clear": lambda: mapping.clear_mapping(service, ANALYST, row_id, seen=seen),
            "reject": lambda: mapping.reject_candidate(service, ANALYST, row_id, account_id, seen=seen),
            "take back": lambda: mapping.take_back_rejection(service, ANALYST, row_id, account_id, seen=seen),
            "exclude": lambda: mapping.exclude_row(service, ANALYST, row_id, seen=seen, reason="test tenant"),
            "park": lambda: mapping.park_row(service, ANALYST, row_id, seen=seen, reason="later"),
            "reopen": lambda: mapping.reopen_row(service, ANALYST, row_id, seen=seen),
        }
        try:
            ways[verb]()
        except InputError:
            return

    return act


def set_to(name: str, value: str) -> Act:
    return lambda bench: void(configuration.set_setting(bench.service, ADMIN, name, value))


def list_domains(which: DomainList, names: tuple[str, ...]) -> Act:
    return lambda bench: void(set_domains(bench.service, which, names))


def override(place: int, value: Cardinality | None) -> Act:
    def act(bench: Bench) -> None:
        known = [one.id for one in providers.list_providers(bench.service, ADMIN)]
        set_provider_cardinality(bench.service, known[place % len(known)], value)

    return act


def void(_value: object) -> None:
    return None


def both(first: Act, second: Act) -> Act:
    def act(bench: Bench) -> None:
        first(bench)
        second(bench)

    return act


VERBS = ("assign", "assign", "assign", "clear", "reject", "take back", "exclude", "park", "reopen")
SETTINGS = st.one_of(
    st.tuples(st.just("cardinality"), st.sampled_from([one.value for one in Cardinality])),
    st.tuples(st.just("shared_threshold"), st.sampled_from(("0", "1", "2", "3"))),
    st.tuples(st.sampled_from(("rule_contact_domain", "rule_account_website")), st.sampled_from(("true", "false"))),
    st.tuples(st.just("auto_match"), st.sampled_from(("true", "false"))),
    st.tuples(st.sampled_from([f"guard_{guard}" for guard in Guard]), st.sampled_from(("true", "false"))),
    st.tuples(st.just("tenant_guid_column"), st.sampled_from(("", "new_tenant"))),
)
_mostly = st.sampled_from((True, True, False))
IN_THE_CRM = st.one_of(
    st.builds(put_account, _small, st.sampled_from("AB"), st.tuples(_name, _name), _guid, is_active=_mostly),
    st.builds(put_contact, st.integers(0, 5), _small, _name),
    st.builds(drop_from_crm, st.sampled_from(("a0", "a1", "c0", "c1", "c2"))),
)
AT_THE_PROVIDER = st.one_of(
    st.builds(put_customer, _small, _some_names, _guid, _small, is_verified=_mostly),
    st.builds(drop_customer, _small),
)
BY_PEOPLE = st.one_of(
    st.builds(decide, st.sampled_from(VERBS), st.integers(0, 5), _small),
    st.builds(decide, st.sampled_from(VERBS), st.integers(0, 5), _small),
    st.builds(put_manual, _small, _some_names),
)
BY_ADMINS = st.one_of(
    SETTINGS.map(lambda pair: set_to(*pair)),
    st.builds(list_domains, st.sampled_from(DomainList), _some_names),
    st.builds(override, _small, st.sampled_from((None, *Cardinality))),
)
ONE_ACT = st.one_of(
    IN_THE_CRM,
    IN_THE_CRM.map(lambda act: both(act, read_crm)),
    AT_THE_PROVIDER,
    AT_THE_PROVIDER.map(lambda act: both(act, read_provider)),
    BY_PEOPLE,
    BY_PEOPLE,
    BY_ADMINS,
    st.sampled_from((read_provider, read_crm, run_match)),
)
ACTS = st.lists(ONE_ACT, min_size=15, max_size=30)
CHECK_EVERY = 5


# A world worth changing: accounts and customers that meet on a domain or two and compete for some.
START: tuple[Act, ...] = (
    *(put_account(place, "A", ("", NAMES[place] if place < 2 else ""), "", is_active=True) for place in range(3)),
    *(put_contact(place, place, NAMES[place]) for place in range(3)),
    *(put_customer(place, (NAMES[place % 2],), "", 1, is_verified=True) for place in range(4)),
    read_crm,
    read_provider,
)


def bench_on(store: Store, home: Path) -> Bench:
    portal, crm = FakePortal(), FakeCrm()
    bench = Bench(make_service(store, home, portal=portal, crm=crm), portal, crm)
    configuration.set_setting(bench.service, ADMIN, "gone_guard_percent", "100")
    for act in START:
        act(bench)
    return bench


def live(bench: Bench, policy: Cardinality, acts: list[Act]) -> None:
    """Let it all happen and look now and then, for a look makes good what it finds."""
    configuration.set_setting(bench.service, ADMIN, "cardinality", policy.value)
    for place, act in enumerate(acts, start=1):
        act(bench)
        if place % CHECK_EVERY == 0:
            check_kept_up(bench)
    check_kept_up(bench)


def check_kept_up(bench: Bench) -> None:
    matching.refresh_touched(bench.service)
    with bench.service.store.write() as connection:
        kept_up = contents(connection)
        for table in (t.CurrentProposal, t.Worklist):
            connection.execute(sa.delete(table))
        fold_all(connection)
        refresh_with_rivals(connection, read_policy(connection), None)
        assert kept_up == contents(connection)


def contents(connection: sa.Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table.__tablename__: sorted(map(tuple, connection.execute(sa.select(table.__table__))), key=repr)
        for table in KEPT_UP
    }


@given(policy=st.sampled_from((Cardinality.UNIQUE, *Cardinality)), acts=ACTS)
@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_kept_up_equals_what_is_rebuilt_from_nothing(
    store: Store, tmp_path: Path, policy: Cardinality, acts: list[Act]
) -> None:
    fill(store, migrated())
    live(bench_on(store, tmp_path), policy, acts)


def test_a_guard_looks_again_when_the_account_it_was_asked_about_gets_another_domain(
    store: Store, tmp_path: Path
) -> None:
    bench = bench_on(store, tmp_path)
    for act in (
        put_account(3, "B", ("", ""), "", is_active=True),
        lambda bench: bench.crm.put(contact("c3", "a3", "adatum.com")),
        put_customer(3, ("adatum.com",), "", 1, is_verified=True),
        read_crm,
        read_provider,
        lambda bench: matching.refresh_touched(bench.service),
    ):
        act(bench)
    assert Guard.LONE_CONTACT.value not in reasons_in(bench)
    bench.crm.put(contact("c4", "a3", "wingtip.com"))
    read_crm(bench)
    check_kept_up(bench)
    assert Guard.LONE_CONTACT.value in reasons_in(bench)


def reasons_in(bench: Bench) -> list[str]:
    with bench.service.store.read() as connection:
        return list(connection.scalars(sa.select(t.Worklist.reason)))


@pytest.mark.postgres
@given(policy=st.sampled_from((Cardinality.UNIQUE, *Cardinality)), acts=ACTS)
@settings(
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_on_postgresql_too(fresh_postgres: Store, tmp_path: Path, policy: Cardinality, acts: list[Act]) -> None:
    with fresh_postgres.write() as connection:
        tables = ", ".join(table.name for table in t.Base.metadata.sorted_tables)
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    live(bench_on(fresh_postgres, tmp_path), policy, acts)
