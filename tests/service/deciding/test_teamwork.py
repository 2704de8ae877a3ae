"""Notes and owners: kept through syncs, refused to viewers, and counted as the grid shows them; on both databases."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
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
    crm_sync,
    customer,
    id_of,
    make_service,
    pages_of,
    rows_of,
    sync,
)

from w365.errors import InputError, NotFound, StaleEdit
from w365.model import Age, ScoreBand
from w365.service import Service
from w365.service.deciding import collaboration
from w365.service.reading import facets, records
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.reading.worklist import Filter
from w365.store.tables import Note, OwnerChange


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def service(request: pytest.FixtureRequest, home: Path) -> Service:
    """Four customers, the fourth a week younger; two of them share their name with an account."""
    store: Store = request.getfixturevalue("store" if request.param == "sqlite" else "fresh_postgres")
    portal = FakePortal(pages_of([customer(f"p{n}", f"p{n}.com", name=f"Name {n}") for n in (1, 2, 3)]))
    crm = FakeCrm()
    crm.put(account("a1", name="Name 1"), account("a2", name="Entirely Name 2 Something"))
    made = make_service(store, home, portal=portal, crm=crm)
    clock = made.clock
    assert isinstance(clock, FakeClock)
    later = pages_of([customer(f"p{n}", f"p{n}.com", name=f"Name {n}") for n in (1, 2, 3, 4)])

    def furnish() -> None:
        crm_sync(made)
        sync(made)
        clock.forward(days=7)
        portal.served = later
        sync(made)

    make_once(store, "four customers, the fourth younger", furnish, crm, clock)
    portal.served = later
    return made


def test_notes_and_owner_survive_a_sync_and_say_who_and_when(service: Service) -> None:
    row = id_of(service.store, "p1")
    version = records.read_row(service, VIEWER, row).version
    collaboration.add_note(service, ANALYST, row, "  Called them.\nThey move to another reseller. ")
    assert collaboration.set_owner(service, OTHER_ANALYST, row, " ben ")
    assert not collaboration.set_owner(service, OTHER_ANALYST, row, "ben")
    sync(service)
    notes = collaboration.list_notes(service, VIEWER, row)
    assert {(one.actor, one.text, one.is_owner_change) for one in notes} == {
        ("ben", "Called them.\nThey move to another reseller.", False),
        ("cleo", "Owner: nobody → ben", True),
    }
    now = records.read_row(service, VIEWER, row)
    assert (now.owner, now.version) == ("ben", version)


def test_who_gives_away_what_another_gave_meanwhile_is_told(service: Service) -> None:
    row = id_of(service.store, "p1")
    assert collaboration.set_owner(service, ANALYST, row, "ben", seen="")
    with pytest.raises(StaleEdit, match="given to ben"):
        collaboration.set_owner(service, OTHER_ANALYST, row, "cleo", seen="")
    assert not collaboration.set_owner(service, OTHER_ANALYST, row, "ben", seen="")  # both want the same
    assert collaboration.set_owner(service, OTHER_ANALYST, row, "cleo", seen="ben")


def test_the_longest_note_and_name_are_kept(service: Service) -> None:
    row = id_of(service.store, "p1")
    collaboration.add_note(service, ANALYST, row, "x" * collaboration.LONGEST_NOTE)
    assert collaboration.set_owner(service, ANALYST, row, "x" * collaboration.LONGEST_OWNER)
    assert rows_of(service.store, OwnerChange.owner) == [("x" * collaboration.LONGEST_OWNER,)]


def test_what_is_empty_too_long_or_for_no_row_is_refused(service: Service) -> None:
    row = id_of(service.store, "p1")
    for text in ("  \n ", "x" * (collaboration.LONGEST_NOTE + 1)):
        with pytest.raises(InputError):
            collaboration.add_note(service, ANALYST, row, text)
    for owner in ("x" * (collaboration.LONGEST_OWNER + 1), "*mine"):
        with pytest.raises(InputError):
            collaboration.set_owner(service, ANALYST, row, owner)
    with pytest.raises(NotFound):
        collaboration.add_note(service, ANALYST, 999_999, "text")
    with pytest.raises(NotFound):
        collaboration.set_owner(service, ANALYST, 999_999, "ben")
    assert rows_of(service.store, Note.id) == rows_of(service.store, OwnerChange.id) == []


def found(service: Service, wanted: Filter) -> set[str]:
    """What the grid lists; the count beside the facet must be the same."""
    rows = {row.specific_id for row in records.list_rows(service, VIEWER, wanted)}
    assert records.count(service, VIEWER, wanted) == len(rows)
    return rows


def test_owner_score_and_age_filter_alone_and_together(service: Service) -> None:
    collaboration.set_owner(service, ANALYST, id_of(service.store, "p1"), "ben")
    collaboration.set_owner(service, ANALYST, id_of(service.store, "p4"), "ben")
    collaboration.set_owner(service, ANALYST, id_of(service.store, "p2"), "cleo")
    collaboration.set_owner(service, ANALYST, id_of(service.store, "p2"), "")
    assert collaboration.list_owners(service, VIEWER) == {"ben": 2}
    assert found(service, Filter(owner="ben")) == {"p1", "p4"}
    assert found(service, Filter(owner="")) == {"p2", "p3"}
    assert found(service, Filter(owner="nobody of this name")) == set()
    day = service.clock().date()
    assert found(service, Filter(since=day)) == {"p4"}
    assert found(service, Filter(before=day)) == {"p1", "p2", "p3"}
    assert found(service, Filter(since=day - dt.timedelta(days=1), before=day)) == set()
    assert found(service, Filter(owner="ben", since=day)) == {"p4"}
    best = dict(
        rows_of(
            service.store,
            t.ProviderAccount.specific_id,
            t.CurrentCandidate.score,
            where=(t.CurrentCandidate.provider_account_id == t.ProviderAccount.id) & (t.CurrentCandidate.rank == 1),
        )
    )
    assert best["p1"] > 0.5 > best.get("p3", 0)
    assert found(service, Filter(scores=(0.5, 2))) == {one for one, score in best.items() if score >= 0.5}
    assert found(service, Filter(scores=(0, 0.5))) == {"p1", "p2", "p3", "p4"} - found(service, Filter(scores=(0.5, 2)))
    assert found(service, Filter(owner="ben", scores=(0.5, 2), before=day)) == {"p1"}


def test_every_count_beside_a_choice_is_what_it_shows(service: Service) -> None:
    collaboration.set_owner(service, ANALYST, id_of(service.store, "p1"), "ben")
    collaboration.set_owner(service, ANALYST, id_of(service.store, "p3"), "ben")
    day = service.clock().date() + dt.timedelta(days=8)
    for wanted in (Filter(), Filter(owner="ben"), Filter(scores=ScoreBand.STRONG.bounds), Filter(text="p4")):
        counted = facets.read_facets(service, VIEWER, wanted, day)
        assert counted.owners == {
            owner: amount for owner in ("", "ben") if (amount := len(found(service, replace(wanted, owner=owner))))
        }
        for band in ScoreBand:
            assert counted.scores[band] == len(found(service, replace(wanted, scores=band.bounds)))
        for age in Age:
            since, before = age.days(day)
            assert counted.ages[age] == len(found(service, replace(wanted, since=since, before=before)))
    assert [*facets.read_facets(service, VIEWER, Filter(), day).ages.values()] == [0, 4, 0]
    assert [*facets.read_facets(service, VIEWER, Filter(), day - dt.timedelta(days=1)).ages.values()] == [1, 3, 0]


def test_a_band_of_scores_begins_at_its_value(service: Service) -> None:
    scores = {"p1": 0.9, "p2": 0.8999, "p3": 0.5, "p4": 0.4999}
    best, account_id = t.CurrentCandidate, account_id_of(service.store, "a1")
    values = {"rank": 1, "account_id": account_id, "signals": []}
    with service.store.write() as connection:
        connection.execute(sa.delete(best))
        for name, score in scores.items():
            row = id_of(service.store, name)
            connection.execute(sa.insert(best).values(values | {"provider_account_id": row, "score": score}))
    bands = {band: found(service, Filter(scores=band.bounds)) for band in ScoreBand}
    assert bands == {ScoreBand.STRONG: {"p1"}, ScoreBand.LIKELY: {"p2", "p3"}, ScoreBand.WEAK: {"p4"}}
    counted = facets.read_facets(service, VIEWER, Filter(), service.clock().date()).scores
    assert counted == {band: len(rows) for band, rows in bands.items()}


def test_a_band_of_ages_begins_at_midnight(service: Service) -> None:
    day = dt.date(2026, 11, 9)
    seen = dt.datetime(2026, 11, 9, tzinfo=dt.UTC)
    with service.store.write() as connection:
        for name, moment in (("p1", seen), ("p2", seen - dt.timedelta(microseconds=1))):
            here = t.ProviderAccount.specific_id == name
            connection.execute(sa.update(t.ProviderAccount).where(here).values(first_seen_at=moment))
    both = {"p1", "p2"}
    assert found(service, Filter(since=day)) & both == {"p1"}
    assert found(service, Filter(before=day)) & both == {"p2"}
    ages = facets.read_facets(service, VIEWER, Filter(), day + dt.timedelta(days=7)).ages
    assert ages[Age.WEEK] == len(found(service, Filter(since=day)))
