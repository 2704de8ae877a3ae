"""What pages show, what the tables hold and what files total are the same, from the empty database to an undo."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from service.fakes import (
    ADMIN,
    ANALYST,
    OTHER_ANALYST,
    VIEWER,
    FakeClock,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    contact,
    crm_sync,
    customer,
    id_of,
    make_service,
    match,
    pages_of,
    subscription,
    sync,
    without_guards,
)
from service.recount import WEEK, Numbers, recount

from w365.matching.messages import STATUS_WORDS, say_reason
from w365.model import Actor, Reason, Status
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.deciding.parking import return_parked
from w365.service.deciding.undo import take_back_now
from w365.service.exporting import EVERYTHING, FileRequest, Format, write_requested
from w365.service.insight.periods import compare_periods, read_effort
from w365.service.insight.quality import list_flawed_accounts, list_shared_domains, read_quality
from w365.service.insight.statistics import ProviderTotals, count_backlog, read_current_statistics, read_statistics
from w365.service.insight.totals import Totals
from w365.service.matching import run
from w365.service.reading.records import list_rows, read_row
from w365.service.reading.subscriptions import count_subscriptions, list_subscriptions
from w365.service.syncing import providers
from w365.service.syncing.providers import ManualAccount
from w365.store.insight.quality import Flaw
from w365.store.reading.subscriptions import SubscriptionFilter, SubscriptionState
from w365.store.reading.worklist import Filter


class World:
    """Twelve customers at two providers, with every reason to be open; the steps are what may happen to them."""

    def __init__(self, service: Service, portal: FakePortal, crm: FakeCrm, clock: FakeClock) -> None:
        self.service, self.portal, self.crm, self.clock = service, portal, crm, clock

    def first_syncs(self) -> None:
        """Auto-Match is off, so that nothing is mapped and three would be."""
        crm_sync(self.service)
        sync(self.service)
        manual = providers.add_manual_provider(self.service, ADMIN, "Harbour")
        rows = [ManualAccount("h1", "Harbour One", ("d3.com",)), ManualAccount("h2", "Harbour Two")]
        providers.add_manual_accounts(self.service, ADMIN, manual, rows)
        match(self.service)

    def match(self) -> None:
        self.clock.forward(hours=3)
        settings.set_setting(self.service, ADMIN, "auto_match", "true")
        match(self.service)

    def decide(self) -> None:
        self.clock.forward(hours=5)
        self._do(mapping.assign_account, ANALYST, "p5", self._account("a5"))
        self.clock.forward(days=8)
        self._do(mapping.assign_account, OTHER_ANALYST, "p6", self._account("a6"))
        self._do(mapping.clear_mapping, ANALYST, "p1")
        self._do(mapping.reject_candidate, ANALYST, "p4", self._account("a4"))
        self._do(mapping.exclude_row, OTHER_ANALYST, "p8", reason="ours")
        self._do(mapping.park_row, ANALYST, "p9", reason="later", until=dt.date(2026, 11, 20))
        self._do(mapping.switch_sync, ANALYST, "p10", on=False)

    def depart(self) -> None:
        """One mapped, one open and one excluded are listed no more; another is renamed, one is new."""
        self.clock.forward(days=1)
        left = [one for one in self.portal.served[0].customers if one.specific_id not in ("p2", "p7", "p8")]
        left[0] = dataclasses.replace(left[0], name="Renamed")
        self.portal.served = pages_of([*left, customer("p11", "d2.com", subscriptions=(subscription(1, 9),))])
        sync(self.service)

    def lose_account(self) -> None:
        self.crm.put(account("a6", is_active=False), contact("free", "a7", "outlook.com"))
        self.crm.drop("c3")
        crm_sync(self.service)

    def come_back(self) -> None:
        """The calendar brings back what was parked; that is nobody's work."""
        self.clock.forward(days=12)
        assert return_parked(self.service) == 1

    def undo(self) -> None:
        for specific_id in ("p5", "p1", "p8"):
            take_back_now(self.service, ANALYST, self._row(specific_id)[1])
        match(self.service)

    def _do(self, decide: Callable[..., object], actor: Actor, specific_id: str, *what: int, **said: Any) -> None:
        row, seen = self._row(specific_id)
        decide(self.service, actor, row, *what, seen=seen, **said)

    def _account(self, crm_id: str) -> int:
        return account_id_of(self.service.store, crm_id)

    def _row(self, specific_id: str) -> tuple[int, int]:
        row = read_row(self.service, VIEWER, id_of(self.service.store, specific_id))
        return row.id, row.version


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    store = request.getfixturevalue("store" if request.param == "sqlite" else "fresh_postgres")
    crm, clock = FakeCrm(), FakeClock()
    crm.put(*(account(f"a{n}", website="d2.com" if n == 2 else "") for n in range(1, 9)), account("x", is_active=False))
    # 1 to 3 have an account each, 2 by its website; 4 and 5 have two; 6 to 8 none. a7 has free mail, a8 no contact.
    domains = {1: "d1.com", 3: "d3.com", 4: "d4.com", 5: "d5.com", 6: "d4.com", 7: "gmail.com"}
    crm.put(*(contact(f"c{n}", f"a{n}", domain) for n, domain in domains.items()), contact("c9", "a1", "d5.com"))
    names = {n: (f"d{n}.com",) for n in range(1, 9)} | {9: (), 10: ("x.onmicrosoft.com",)}
    ended = subscription(99, 50, "expired")
    listed = [
        customer(
            f"p{n}", *names[n], subscriptions=(subscription(1, n), subscription(2, 10, "suspended"), ended)[: n % 4]
        )
        for n in range(1, 11)
    ]
    portal = FakePortal(pages_of(listed))
    made = make_service(store, tmp_path, portal=portal, crm=crm, clock=clock)
    without_guards(made)
    settings.set_setting(made, ADMIN, "gone_guard_percent", "100")
    return World(made, portal, crm, clock)


def shown(service: Service) -> Numbers:
    """The figures of the Overview, Statistics, Subscriptions, Data quality and Providers pages."""
    found, now = read_statistics(service, VIEWER), service.clock()
    standing = read_current_statistics(service, VIEWER, history=30)
    for one in dataclasses.fields(standing):
        if one.name != "history":
            assert getattr(standing, one.name) == getattr(found, one.name), one.name
    assert count_backlog(service, VIEWER) == found.totals.backlog
    compared = compare_periods(service, VIEWER, (now - 2 * WEEK, now - WEEK), (now - WEEK, now + dt.timedelta(1)))
    return {
        **_totals(("all",), found.totals),
        **{key: value for one in found.by_provider for key, value in _of_provider(service, one).items()},
        **{("reason", one.reason.value, "accounts"): one.accounts for one in found.by_reason},
        **{("reason", one.reason.value, "seats"): one.seats for one in found.by_reason},
        ("blocked subscriptions",): found.blocked_subscriptions,
        ("blocking",): found.blocking,
        ("oldest open",): found.oldest_open,
        ("new this week",): found.new_this_week,
        ("changed",): found.changed,
        ("gone",): found.gone,
        ("ready",): run.preview_match(service, VIEWER, limit=0).total,
        ("time to map",): found.median_time_to_map,
        ("by hand",): found.by_hand,
        ("drifted",): found.drifted,
        **{("source", one.source): one.accounts for one in found.by_source},
        **{("effort", one.actor, one.monday): one.decisions for one in read_effort(service, VIEWER)},
        **{("week", one.name): one.second for one in compared if one.name in WEEKLY},
        **_subscriptions(service),
        **_quality(service),
    }


WEEKLY = ("Mapped by Auto-Match", "Mapped by hand", "Mappings cleared", "Decisions by hand", "People who decided")


def _totals(of: tuple[str, ...], totals: Totals) -> Numbers:
    found: Numbers = {(*of, name): getattr(totals, name) for name in ("mapped", "conflict", "unmapped", "parked")}
    rate = totals.match_rate
    return found | {
        (*of, "excluded"): totals.excluded,
        (*of, "in scope"): totals.in_scope,
        (*of, "backlog"): totals.backlog,
        (*of, "match rate"): None if rate is None else round(rate, 6),
        (*of, "blocked seats"): totals.blocked_seats,
    }


def _of_provider(service: Service, one: ProviderTotals) -> Numbers:
    """The card of the Providers page and the facets of the grid say the same."""
    card = next(each for each in providers.list_providers(service, VIEWER) if each.name == one.provider)
    totals = one.totals
    assert (card.accounts, card.open) == (totals.in_scope + totals.excluded, totals.backlog)
    for status in Status:
        rows = list_rows(service, VIEWER, Filter(statuses=(status,), providers=(card.id,)))
        assert len(rows) == getattr(totals, status.value), status
    return _totals((one.provider,), totals)


def _subscriptions(service: Service) -> Numbers:
    amounts = count_subscriptions(service, VIEWER, SubscriptionFilter())
    for state in SubscriptionState:
        rows = list_subscriptions(service, VIEWER, SubscriptionFilter((state,))).rows
        amount = (len(rows), sum(one.quantity for one in rows), len({one.provider_account_id for one in rows}))
        assert dataclasses.astuple(amounts[state]) == amount, state
    return {("subscriptions", state.value): dataclasses.astuple(amounts[state]) for state in SubscriptionState}


def _quality(service: Service) -> Numbers:
    found, crm = read_quality(service, VIEWER), providers.get_crm(service, VIEWER)
    for flaw in (Flaw.NO_CONTACT, Flaw.FREE_MAIL_ONLY):
        assert len(list_flawed_accounts(service, VIEWER, flaw)) == found.flaws[flaw]
    assert len(list_shared_domains(service, VIEWER)) == found.flaws[Flaw.DUPLICATE]
    for reason, amount in found.customers.items():
        assert len(list_rows(service, VIEWER, Filter(reasons=(reason,)))) == amount
    return {
        **{("quality", reason.value): amount for reason, amount in found.customers.items()},
        **{("quality", flaw.value): amount for flaw, amount in found.flaws.items()},
        ("crm", "accounts"): crm.accounts,
        ("crm", "contacts"): crm.contacts,
    }


def exported(service: Service) -> Numbers:
    """The same numbers where files have them: the lines of the statistics, and sums over the rows of the others."""
    buffer = io.BytesIO()
    write_requested(service, VIEWER, FileRequest(EVERYTHING, Format.XLSX), buffer)
    book = openpyxl.load_workbook(buffer)
    lines = {tuple(row[:3]): row[3] for row in _rows(book["Statistics"])}
    found: Numbers = {
        ("all" if name == "All providers" else name, measure): value
        for (section, name, measure), value in lines.items()
        if section in ("Total", "Provider") and measure in MEASURES
    }
    total = {measure: value for (section, _, measure), value in lines.items() if section == "Total"}
    reasons = {say_reason(reason): reason.value for reason in Reason}
    found |= {
        ("blocked subscriptions",): total["blocked subscriptions"],
        ("blocking",): total["blocking provider accounts"],
        ("by hand",): total["share by hand"],
        ("drifted",): total["drifted"],
    }
    found |= {("source", name): value for (section, name, _), value in lines.items() if section == "Mapped by"}
    for (section, name, measure), value in lines.items():
        if section == "Not mapped because":
            found["reason", reasons[name], "seats" if measure == "seats" else "accounts"] = value
        if section == "Effort":
            actor, _, monday = name.partition(", week of ")
            found["effort", actor, dt.date.fromisoformat(monday)] = value
    return found | _sums(book)


MEASURES = tuple(key[1] for key in _totals(("",), Totals(0, 0, 0, 0, 0, 0)))


def _sums(book: openpyxl.Workbook) -> Numbers:
    """Totals of the lists, which a reader makes with a pivot table; rows that are gone and open are nobody's work."""
    header = [cell.value for cell in book["Mappings"][1]]
    rows = [dict(zip(header, row, strict=True)) for row in _rows(book["Mappings"])]
    counted = [row for row in rows if not row["gone"] or row["status"] == "mapped"]
    statuses = Counter(row["status"] for row in counted)
    is_open = [row for row in counted if row["status"] in ("conflict", "unmapped")]
    seats = [cell.value for cell in book["Unmapped"][1]].index("seats")
    waiting = [*_rows(book["Unmapped"]), *_rows(book["Conflicts"])]
    assert sum(row[seats] for row in waiting) == sum(row["seats"] for row in is_open)
    assert len(_rows(book["Candidates"])) == len(rows)
    return {
        **{("all", name): statuses[name] for name in map(str, STATUS_WORDS)},
        ("all", "backlog"): len(waiting),
        ("all", "blocked seats"): sum(row["seats"] for row in is_open),
        ("blocked subscriptions",): sum(row["subscriptions"] for row in is_open),
        ("gone",): sum(row["gone"] for row in rows),
    }


def _rows(sheet: Any) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows(min_row=2, values_only=True))


def check(world: World, expected: str) -> Numbers:
    """Compare the three; `expected` says in a few numbers that the state is the one that is meant."""
    numbers = shown(world.service)
    counted = recount(world.service.store, world.clock.at)
    assert {key: value for key, value in numbers.items() if value or key in counted} == counted
    files = exported(world.service)
    assert {key: pytest.approx(numbers[key], abs=1e-6) for key in files} == files
    said = ("mapped", "conflict", "unmapped", "parked", "excluded")
    assert "/".join(str(numbers["all", name]) for name in said) == expected
    return numbers


def test_every_number_is_the_same_on_the_page_in_sql_and_in_the_files(world: World) -> None:
    steps: list[tuple[Callable[[], None], str]] = [
        (lambda: None, "0/0/0/0/0"),
        (world.first_syncs, "0/2/10/0/0"),
        (world.match, "4/2/6/0/0"),
        (world.decide, "5/1/4/1/1"),
        (world.depart, "6/1/3/1/0"),
        (world.lose_account, "6/0/4/1/0"),
        (world.come_back, "6/0/5/0/0"),
        (world.undo, "6/1/4/0/0"),
    ]
    states = []
    for step, expected in steps:
        step()
        states.append(check(world, expected))
    # Every number there is has moved, so that none agrees by being nothing everywhere.
    keys = {key for state in states for key in state if key[0] != "Harbour"}
    still = {key for key in keys if len({repr(state.get(key)) for state in states}) == 1}
    assert still <= {("quality", "free_mail")}
