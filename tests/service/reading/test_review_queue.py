"""The queue of the Review page, one's own decisions taken back, and parked rows that come back, on both databases."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from fresh_stores import make_once
from service.fakes import (
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
    pages_of,
    rows_of,
    subscription,
    sync,
    without_guards,
)

from w365.errors import InputError, StaleEdit
from w365.jobs import sweep
from w365.model import DecisionKind, ListPart, Status
from w365.service import Service
from w365.service.deciding import mapping
from w365.service.deciding.parking import return_parked
from w365.service.deciding.undo_own import remember_candidates, undo_own
from w365.service.insight import statistics
from w365.service.reading import records, review_queue
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.reading.worklist import Filter

SEATS = {"p1": [5], "p2": [40, 2], "p3": [42], "p4": [], "p5": [5], "p6": [5], "p7": [90]}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def service(request: pytest.FixtureRequest, home: Path) -> Service:
    """p7 is mapped, p5 in conflict, p1 has the likelier candidate than p6; no other has any."""
    store: Store = request.getfixturevalue("store" if request.param == "sqlite" else "fresh_postgres")
    listed = [
        customer(
            name,
            f"{name}.com",
            name="Lakeside Timber Works" if name in ("p1", "p6") else f"Customer {name}",
            subscriptions=tuple(subscription(place, quantity) for place, quantity in enumerate(seats)),
        )
        for name, seats in SEATS.items()
    ]
    crm = FakeCrm()
    crm.put(account("a1", website="p5.com"), account("a2", website="p5.com"))
    crm.put(account("a7"), account("a8", name="Lakeside Timber Works"), contact("c7", "a7", "p7.com"))
    made = make_service(store, home, portal=FakePortal(pages_of(listed)), crm=crm)

    def furnish() -> None:
        without_guards(made)
        crm_sync(made)
        sync(made)
        mapping.assign_account(made, ANALYST, id_of(store, "p7"), account_id_of(store, "a7"), seen=0)

    make_once(store, "a queue to review", furnish, crm)
    return made


def queue(service: Service, wanted: Filter | None = None) -> list[str]:
    names = dict(rows_of(service.store, t.ProviderAccount.id, t.ProviderAccount.specific_id))
    return [names[one] for one in review_queue.read_queue(service, VIEWER, wanted or Filter()).ids]


def set_score(service: Service, specific_id: str, score: float) -> None:
    row = id_of(service.store, specific_id)
    with service.store.write() as connection:
        connection.execute(
            sa.update(t.CurrentCandidate).where(t.CurrentCandidate.provider_account_id == row).values(score=score)
        )


def test_what_blocks_most_comes_first_then_conflicts_then_the_likeliest(service: Service) -> None:
    set_score(service, "p1", 0.3)
    set_score(service, "p6", 0.6)
    assert queue(service) == ["p2", "p3", "p5", "p6", "p1", "p4"]
    set_score(service, "p1", 0.9)
    assert queue(service) == ["p2", "p3", "p5", "p1", "p6", "p4"]


def test_the_queue_holds_open_rows_of_its_filter_only(service: Service) -> None:
    assert queue(service, Filter(statuses=(Status.CONFLICT,))) == ["p5"]
    assert "p7" not in queue(service, Filter(statuses=(Status.MAPPED,)))
    found = review_queue.read_queue(service, VIEWER, Filter())
    assert found.total == len(found.ids) == statistics.count_backlog(service, VIEWER) == 6


def test_a_record_read_ahead_is_read_anew_once_somebody_decided(service: Service) -> None:
    row = id_of(service.store, "p5")
    ahead = review_queue.read_if_open(service, ANALYST, row)
    assert ahead is not None
    assert review_queue.read_if_open(service, ANALYST, row, ahead) is ahead
    first = ahead.candidates[0].hit.account_id
    mapping.reject_candidate(service, OTHER_ANALYST, row, first, seen=ahead.row.version)
    now = review_queue.read_if_open(service, ANALYST, row, ahead)
    assert now is not None
    assert first not in [one.hit.account_id for one in now.candidates]
    mapping.exclude_row(service, OTHER_ANALYST, row, seen=now.row.version, reason="a test")
    assert review_queue.read_if_open(service, ANALYST, row, now) is None


def test_every_key_can_be_taken_back_and_the_row_is_as_before(service: Service) -> None:
    row, first = id_of(service.store, "p1"), account_id_of(service.store, "a8")
    tomorrow = service.clock().date() + dt.timedelta(days=1)
    before = records.read_record(service, ANALYST, row)
    assert [one.hit.account_id for one in before.candidates] == [first]
    seen = 0
    for work in (
        lambda seen: mapping.assign_account(service, ANALYST, row, first, seen=seen),
        lambda seen: mapping.reject_candidate(service, ANALYST, row, first, seen=seen),
        lambda seen: mapping.park_row(service, ANALYST, row, seen=seen, reason="later", until=tomorrow),
        lambda seen: mapping.exclude_row(service, ANALYST, row, seen=seen, reason="internal"),
    ):
        kept = remember_candidates(service, ANALYST, row)
        done = work(seen)
        assert records.read_record(service, ANALYST, row).candidates != before.candidates or done.row.status not in (
            Status.UNMAPPED,
            Status.CONFLICT,
        )
        seen = undo_own(service, ANALYST, done.decision_id, kept).version
        now = records.read_record(service, ANALYST, row)
        assert (now.row.status, now.candidates, now.rejected) == (before.row.status, before.candidates, ())
    assert len(now.history) == 8


def test_two_rejections_are_taken_back_one_by_one(service: Service) -> None:
    row = id_of(service.store, "p5")
    both = [one.hit.account_id for one in records.read_record(service, ANALYST, row).candidates[:2]]
    steps = []
    seen = 0
    for one in both:
        kept = remember_candidates(service, ANALYST, row)
        seen = mapping.reject_candidate(service, ANALYST, row, one, seen=seen).decision_id
        steps.append((seen, kept))
    for decision, kept in reversed(steps):
        undo_own(service, ANALYST, decision, kept)
    now = records.read_record(service, ANALYST, row)
    assert [one.hit.account_id for one in now.candidates[:2]] == both
    assert now.row.status is Status.CONFLICT


def test_only_ones_own_decision_is_taken_back_and_only_before_the_next(service: Service) -> None:
    row = id_of(service.store, "p4")
    kept = remember_candidates(service, ANALYST, row)
    done = mapping.exclude_row(service, ANALYST, row, seen=0, reason="internal").decision_id
    with pytest.raises(InputError, match="not yours"):
        undo_own(service, OTHER_ANALYST, done, kept)
    mapping.reopen_row(service, OTHER_ANALYST, row, seen=done)
    with pytest.raises(StaleEdit, match="changed since"):
        undo_own(service, ANALYST, done, kept)


# --- back from park ---


def parked_until(service: Service, specific_id: str, days: int) -> int:
    row = id_of(service.store, specific_id)
    until = service.clock().date() + dt.timedelta(days=days)
    mapping.park_row(service, ANALYST, row, seen=0, reason="asked them", until=until)
    return row


def clock_of(service: Service) -> FakeClock:
    assert isinstance(service.clock, FakeClock)
    return service.clock


def test_a_parked_row_is_open_again_on_its_day_everywhere_at_once(service: Service) -> None:
    soon, late = parked_until(service, "p2", 2), parked_until(service, "p3", 3)
    row = id_of(service.store, "p4")
    mapping.park_row(service, ANALYST, row, seen=0, reason="for good")
    assert statistics.count_backlog(service, VIEWER) == 3
    clock_of(service).forward(days=1, hours=14, minutes=59)
    assert return_parked(service) == 0
    clock_of(service).forward(minutes=1)
    sweep(service)
    assert return_parked(service) == 0
    assert queue(service)[0] == "p2"
    assert queue(service, Filter(part=ListPart.BACK)) == ["p2"]
    assert statistics.count_backlog(service, VIEWER) == records.count(
        service, VIEWER, Filter(statuses=(Status.UNMAPPED, Status.CONFLICT))
    )
    totals = statistics.read_statistics(service, VIEWER, history=0).totals
    assert (totals.backlog, totals.parked) == (4, 2)
    back = records.read_record(service, VIEWER, soon)
    assert back.row.is_back
    assert (back.history[0].kind, back.history[0].actor, back.history[0].reason) == (
        DecisionKind.RETURN,
        "calendar",
        "asked them",
    )
    assert not records.read_record(service, VIEWER, late).row.is_back
    mapping.park_row(service, ANALYST, soon, seen=back.row.version, reason="again")
    assert not records.read_record(service, VIEWER, soon).row.is_back
    assert queue(service, Filter(part=ListPart.BACK)) == []


def test_the_day_to_park_until_lies_ahead(service: Service) -> None:
    row, today = id_of(service.store, "p2"), service.clock().date()
    with pytest.raises(InputError, match="not in the future"):
        mapping.park_row(service, ANALYST, row, seen=0, reason="later", until=today)
    assert rows_of(service.store, t.StandingOrder.kind) == []
