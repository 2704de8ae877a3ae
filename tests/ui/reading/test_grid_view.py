from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from w365.api.parameters import LONGEST_TEXT, read_filter
from w365.model import Age, Reason, ScoreBand, Status
from w365.store.reading.worklist import Filter
from w365.ui.frame.owner_words import NOBODY
from w365.ui.reading.grid.view import SHOWN, View, first_view, read_view

PROVIDERS = range(1, 4)
texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=LONGEST_TEXT)
facets = {
    "provider": st.none() | st.sampled_from(PROVIDERS),
    "reason": st.none() | st.sampled_from(Reason),
    "text": texts,
    "owner": st.sampled_from(["", NOBODY, "ben", "Cleo & Söhne"]),
    "score": st.none() | st.sampled_from(ScoreBand),
    "age": st.none() | st.sampled_from(Age),
    "sort": st.sampled_from(["", "name", "-seats"]),
    "today": st.dates(dt.date(2020, 1, 1), dt.date(2040, 1, 1)),
}
views = st.builds(View, shown=st.none() | st.sampled_from(SHOWN), **facets)
times = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2090, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001 - hypothesis wants its bounds without a zone


@given(views)
def test_the_address_gives_the_view_back(view: View) -> None:
    assert read_view(view.parameters(), PROVIDERS, {"ben", "Cleo & Söhne"}) == view


@given(views, times)
def test_the_grid_asks_for_exactly_what_is_counted_beside_it(view: View, since: dt.datetime) -> None:
    view = replace(view, since=since)
    assert read_filter(QueryParams(view.rows_query())) == view.filter()


def test_an_address_without_a_status_leaves_the_choice() -> None:
    assert read_view({}, PROVIDERS) is None
    assert read_view({"status": "::JSCODE::x::JSCODE::"}, PROVIDERS) is None


@pytest.mark.parametrize("part", ["provider", "reason", "owner", "score", "age"])
def test_what_an_address_names_and_nobody_knows_does_not_filter(part: str) -> None:
    assert read_view({"status": "mapped", part: "99"}, PROVIDERS) == View(Status.MAPPED)


def test_an_address_with_a_very_long_search_is_cut() -> None:
    view = read_view({"status": "all", "text": "x" * 9_999}, PROVIDERS)
    assert view is not None
    assert len(view.text) == LONGEST_TEXT


def test_everything_is_asked_for_without_a_status() -> None:
    assert read_filter(QueryParams(View().rows_query())) == Filter()
    assert View().parameters() == {"status": "all"}


@pytest.mark.parametrize(
    ("amounts", "status"),
    [
        ({Status.UNMAPPED: 1, Status.CONFLICT: 9}, Status.UNMAPPED),
        ({Status.UNMAPPED: 0, Status.CONFLICT: 9}, Status.CONFLICT),
        ({Status.UNMAPPED: 0, Status.MAPPED: 5}, None),
        ({}, None),
    ],
)
def test_a_person_who_did_not_say_sees_what_is_open(amounts: dict[Status, int], status: Status | None) -> None:
    assert first_view(amounts) == View(status)


@pytest.mark.parametrize(
    ("text", "sort"), [("-seats", "-seats"), ("name", "name"), ("--name", ""), ("id; drop", ""), ("", "")]
)
def test_an_address_sorts_by_what_the_grid_can_sort_by_and_nothing_else(text: str, sort: str) -> None:
    view = read_view({"status": "all", "sort": text}, PROVIDERS)
    assert view == View(sort=sort)
