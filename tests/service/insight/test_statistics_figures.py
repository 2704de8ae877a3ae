"""The numbers of the page, of SQL and of the files are the same: fresh, after decisions, after rows are gone."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from fresh_stores import make_once
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
)

from w365.errors import InputError
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.exporting import FileRequest, Format, Subject, read_records, write_requested
from w365.service.insight.periods import MOST_POINTS, Unit, compare_periods, read_effort, read_history, thin_out
from w365.service.insight.statistics import Statistics, read_statistics
from w365.store import tables as t
from w365.store.reading.worklist import Filter

HOURS = (1, 2, 30, 50)  # until the four are mapped by hand, from the first sight


class World:
    """Ten customers: 1 to 3 map by contact, 4 by website, 5 and 6 are in conflict, the others have no account."""

    def __init__(self, service: Service, portal: FakePortal, clock: FakeClock) -> None:
        self.service, self.portal, self.clock = service, portal, clock

    def decide(self) -> None:
        """Map four by hand at different times, take one of them back, exclude and park one each."""
        start = self.clock.at
        for number, hours in zip((5, 6, 7, 8), HOURS, strict=True):
            self.clock.at = start + dt.timedelta(hours=hours)
            actor = ANALYST if number % 2 else OTHER_ANALYST
            row = id_of(self.service.store, f"p{number}")
            mapping.assign_account(self.service, actor, row, self._account(f"a{number}"), seen=0)
        mapping.clear_mapping(self.service, ANALYST, row, seen=self._version(row))
        mapping.exclude_row(self.service, ANALYST, id_of(self.service.store, "p9"), seen=0, reason="ours")
        mapping.park_row(self.service, OTHER_ANALYST, id_of(self.service.store, "p10"), seen=0, reason="later")
        match(self.service)

    def lose(self) -> None:
        """The provider lists three no more: one mapped, one in conflict before, one open."""
        left = [one for page in self.portal.served for one in page.customers]
        self.portal.served = pages_of([one for one in left if one.specific_id not in ("p1", "p6", "p8")])
        self.clock.forward(days=8)
        sync(self.service)

    def _account(self, crm_id: str) -> int:
        return account_id_of(self.service.store, crm_id)

    def _version(self, row: int) -> int:
        with self.service.store.read() as connection:
            query = sa.select(sa.func.max(t.Decision.id)).where(t.Decision.provider_account_id == row)
            return connection.scalar(query) or 0


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    store = request.getfixturevalue("store" if request.param == "sqlite" else "fresh_postgres")
    crm, clock = FakeCrm(), FakeClock()
    for number in range(1, 9):
        crm.put(account(f"a{number}", website="d4.com" if number == 4 else ""))
    for number, domain in ((1, 1), (2, 2), (3, 3), (5, 5), (6, 5), (7, 6), (8, 6)):
        crm.put(contact(f"c{number}", f"a{number}", f"d{domain}.com"))
    listed = [customer(f"p{n}", f"d{n}.com", subscriptions=(subscription(n, n),)) for n in range(1, 11)]
    portal = FakePortal(pages_of(listed))
    service = make_service(store, tmp_path, portal=portal, crm=crm, clock=clock)

    def furnish() -> None:
        settings.set_settings(service, ADMIN, {"auto_match": "true", "gone_guard_percent": "100"})
        crm_sync(service)
        sync(service)

    make_once(store, "ten customers to count", furnish, crm)
    return World(service, portal, clock)


def file_of(service: Service, subject: Subject, wanted: Filter | None = None) -> list[dict[str, str]]:
    text = content(service, FileRequest((subject,), Format.CSV, wanted)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def content(service: Service, wanted: FileRequest) -> bytes:
    buffer = io.BytesIO()
    write_requested(service, VIEWER, wanted, buffer)
    return buffer.getvalue()


def counted(service: Service) -> dict[str, Any]:
    """The same numbers by SQL of the test's own, from the tables that are written and not from the worklist."""
    statement = """
        SELECT CASE WHEN m.account_id IS NOT NULL THEN 'mapped' WHEN d.kind IS NOT NULL THEN d.kind
                    WHEN p.kind = 'conflict' THEN 'conflict' ELSE 'unmapped' END AS status,
               COUNT(*), COALESCE(SUM(s.quantity), 0)
        FROM provider_account a LEFT JOIN mapping m ON m.provider_account_id = a.id
        LEFT JOIN disposition d ON d.provider_account_id = a.id
        LEFT JOIN proposal p ON p.provider_account_id = a.id
        LEFT JOIN subscription s ON s.provider_account_id = a.id
        WHERE a.gone_at IS NULL OR m.account_id IS NOT NULL GROUP BY 1"""
    with service.store.read() as connection:
        return {status: (rows, int(seats)) for status, rows, seats in connection.exec_driver_sql(statement)}


def check(service: Service) -> Statistics:
    """Compare the page's numbers with SQL and with the files, and return them."""
    found = read_statistics(service, VIEWER)
    totals, sql = found.totals, counted(service)
    shown = {name: getattr(totals, name) for name in ("mapped", "conflict", "unmapped", "parked", "excluded")}
    assert {name: count for name, count in shown.items() if count} == {name: rows for name, (rows, _) in sql.items()}
    assert totals.blocked_seats == sum(sql.get(name, (0, 0))[1] for name in ("conflict", "unmapped"))
    assert Counter(row["status"] for row in file_of(service, Subject.MAPPINGS, Filter())) == Counter(
        {name: rows for name, (rows, _) in sql.items()}
    )
    for subject in (Subject.UNMAPPED, Subject.CONFLICTS):
        status = subject.value.removesuffix("s")
        rows = file_of(service, subject)
        assert (len(rows), sum(int(row["seats"]) for row in rows)) == sql.get(status, (0, 0))
    lines = {
        (one["section"], one["name"], one["measure"]): one["value"]
        for one in read_records(service, VIEWER, Subject.STATISTICS)
    }
    assert lines["Total", "All providers", "backlog"] == totals.backlog
    assert lines["Total", "All providers", "match rate"] == pytest.approx(totals.match_rate)
    assert lines["Total", "All providers", "blocked subscriptions"] == found.blocked_subscriptions
    assert sum(value for key, value in lines.items() if key[0] == "Mapped by") == totals.mapped
    assert sum(one.accounts for one in found.by_reason) == totals.backlog
    return found


def test_the_page_the_files_and_sql_say_the_same_at_every_state(world: World) -> None:
    fresh = check(world.service)
    assert (fresh.totals.mapped, fresh.totals.conflict, fresh.totals.unmapped) == (4, 2, 4)
    assert {one.source: one.accounts for one in fresh.by_source} == {"Contact domain": 3, "Account website": 1}
    world.decide()
    decided = check(world.service)
    assert (decided.totals.mapped, decided.totals.excluded, decided.totals.parked) == (7, 1, 1)
    world.lose()
    gone = check(world.service)
    assert (gone.totals.mapped, gone.totals.backlog, gone.gone) == (7, 0, 3)
    assert gone.oldest_open is None
    assert decided.oldest_open == world.clock.at - dt.timedelta(days=8, hours=50)


def test_the_time_to_map_is_the_median_and_a_person_s_share_is_by_hand(world: World) -> None:
    world.decide()
    found = read_statistics(world.service, VIEWER)
    # Four at once by the match, three by hand after 1, 2 and 30 hours.
    assert found.median_time_to_map == dt.timedelta(0)
    assert found.by_hand == 4 / 8
    sections = {one.source: one.accounts for one in found.by_source}
    assert sections == {"Contact domain": 3, "Account website": 1, "By hand": 3}


def test_work_is_counted_by_person_and_week(world: World) -> None:
    world.decide()
    work = read_effort(world.service, VIEWER)
    assert [(one.actor, one.monday, one.decisions) for one in work] == [
        ("ben", dt.date(2026, 11, 2), 4),
        ("cleo", dt.date(2026, 11, 2), 3),
    ]
    lines = [one for one in read_records(world.service, VIEWER, Subject.STATISTICS) if one["section"] == "Effort"]
    assert sum(one["value"] for one in lines) == 7 == sum(one.decisions for one in work)
    world.clock.forward(weeks=13)
    assert read_effort(world.service, VIEWER) == []


def test_every_sync_leaves_a_point_of_the_history_with_the_numbers_of_then(world: World) -> None:
    first = read_statistics(world.service, VIEWER).totals
    world.decide()
    second = read_statistics(world.service, VIEWER).totals
    world.lose()
    history = read_history(world.service, VIEWER)
    assert [one.totals for one in history][-3:] == [first, second, read_statistics(world.service, VIEWER).totals]
    assert {one.drifted for one in history} == {0}
    assert read_history(world.service, VIEWER, world.clock.at - dt.timedelta(days=1)) == history[-1:]


def test_two_periods_are_compared_number_by_number(world: World) -> None:
    start = world.clock.at
    world.decide()
    world.lose()
    week = dt.timedelta(days=7)
    found = {
        one.name: one
        for one in compare_periods(world.service, VIEWER, (start, start + week), (start + week, start + 2 * week))
    }
    assert {name: (one.first, one.second) for name, one in found.items() if one.unit is Unit.COUNT} == {
        "Backlog at the end": (1, 0),
        "Blocked seats at the end": (8, 0),
        "Drifted at the end": (0, 0),
        "New provider accounts": (10, 0),
        "Mapped by Auto-Match": (4, 0),
        "Mapped by hand": (4, 0),
        "Mappings cleared": (1, 0),
        "Decisions by hand": (7, 0),
        "People who decided": (2, 0),
    }
    assert found["Match rate at the end"].first == 7 / 9
    assert found["Match rate at the end"].difference == pytest.approx(7 / 8 - 7 / 9)
    assert found["Share mapped by hand"].second is found["Share mapped by hand"].difference is None
    # Eight were decided: four at once, then after 1, 2, 30 and 50 hours; the lower of the two in the middle.
    assert found["Time to map (median)"].first == 0.0
    with pytest.raises(InputError, match="ends after it begins"):
        compare_periods(world.service, VIEWER, (start, start), (start, start + week))


@pytest.mark.parametrize("number", [0, 1, 2, MOST_POINTS, MOST_POINTS + 1, 10 * MOST_POINTS])
def test_a_chart_gets_evenly_spaced_points_with_the_first_and_the_last(number: int) -> None:
    points = thin_out(range(number))
    assert len(points) == min(number, MOST_POINTS)
    assert points == sorted(set(points))
    assert not points or (points[0], points[-1]) == (0, number - 1)


def test_an_excel_file_has_types_a_frozen_header_and_a_filter(world: World) -> None:
    world.decide()
    book = openpyxl.load_workbook(io.BytesIO(content(world.service, FileRequest((Subject.MAPPINGS,), Format.XLSX))))
    sheet = book.worksheets[0]
    header = [cell.value for cell in sheet[1]]
    rows = [dict(zip(header, (cell.value for cell in row), strict=True)) for row in sheet.iter_rows(min_row=2)]
    assert {type(row["seats"]) for row in rows} == {int}
    assert {type(row["gone"]) for row in rows} == {bool}
    assert {type(row["first_seen (UTC)"]) for row in rows} == {dt.datetime}
    assert {type(row["mapped_at (UTC)"]) for row in rows} == {dt.datetime, type(None)}
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(11, len(header)).coordinate}"
