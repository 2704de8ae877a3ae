from __future__ import annotations

import pytest
from stage import ADMIN, HOSTILE, World, text_of

from w365.errors import InputError, StaleEdit
from w365.model import Role, Status
from w365.service.configuring.settings import set_setting
from w365.service.deciding import mapping
from w365.service.deciding.collaboration import list_notes, set_owner
from w365.service.reading.records import list_rows, read_record
from w365.service.reading.review_queue import read_queue
from w365.store.reading.worklist import Filter
from w365.ui.deciding.review.queue_position import QueueChoice, Walk, begin_walk
from w365.ui.deciding.review.session import TOO_SOON, Review
from w365.ui.frame.page_context import PageContext


class Stopwatch:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def review(world: World) -> Review:
    """A walk over thirty open rows, of which twenty have a candidate."""
    set_setting(world.service, ADMIN, "auto_match", "false")
    world.sync()
    made = Review(PageContext(world.service, ADMIN, ""), QueueChoice(), Walk((), 0), clock=Stopwatch())
    made.restart()
    return made


def show(review: Review, seconds: float = TOO_SOON) -> None:
    """Draw the row and let the person look at it."""
    record = review.record()
    assert record is not None
    review.has_shown(record)
    assert isinstance(review.clock, Stopwatch)
    review.clock.at += seconds


def exclude(review: Review, record_of: int | None = None) -> None:
    row = record_of or review.walk.row
    assert row is not None
    record = read_record(review.context.service, ADMIN, row)
    review.take(
        record, lambda seen: mapping.exclude_row(review.context.service, ADMIN, row, seen=seen, reason="a test")
    )


def test_one_press_never_decides_the_row_that_has_only_just_come(review: Review) -> None:
    first, second = review.walk.ids[:2]
    show(review)
    exclude(review)
    show(review, TOO_SOON - 0.01)
    exclude(review, first)  # the old row's button is still there
    exclude(review)
    assert (review.decided, review.walk.row) == (1, second)
    assert "only just come" in review.message or not review.message
    show(review)
    exclude(review)
    assert (review.decided, review.walk.at) == (2, 2)


def test_rows_decided_by_others_meanwhile_are_passed_by(review: Review) -> None:
    show(review)
    review.look_ahead()
    following = review.walk.following
    assert following is not None
    mapping.exclude_row(review.context.service, ADMIN, following, seen=0, reason="by another")
    exclude(review)
    record = review.record()
    assert record is not None
    assert (record.row.id, review.walk.at) == (review.walk.ids[2], 2)


def test_a_refused_decision_leaves_the_row_and_says_who_was_first(review: Review) -> None:
    show(review)
    record, row = review.record(), review.walk.row
    assert record is not None
    assert row is not None
    mapping.exclude_row(review.context.service, ADMIN, row, seen=0, reason="first")
    review.take(
        record, lambda seen: mapping.exclude_row(review.context.service, ADMIN, row, seen=seen, reason="second")
    )
    assert isinstance(review.error, StaleEdit)
    assert (review.decided, review.steps) == (0, [])


def test_a_refusal_is_over_with_its_form_and_its_row_and_the_last_decision_stays_said(review: Review) -> None:
    show(review)
    exclude(review)
    message = review.message
    assert "excluded" in message
    review.pass_by()
    assert review.message == message
    for leave in (review.pass_by, lambda: review.open_form("park")):
        review.error = InputError("A reason is needed.")
        leave()
        assert review.error is None


def test_undo_goes_back_row_by_row(review: Review) -> None:
    rows = review.walk.ids[:3]
    for _ in rows:
        show(review)
        exclude(review)
    for row in reversed(rows):
        review.undo()
        assert review.walk.row == row
    assert (review.decided, review.steps, review.walk.at) == (0, [], 0)
    assert read_queue(review.context.service, ADMIN, Filter()).ids == review.walk.ids


def test_a_walk_ends_behind_its_last_row_and_a_row_of_elsewhere_comes_next() -> None:
    walk = begin_walk(type("Queue", (), {"ids": (5, 6), "total": 2})())
    assert (walk.progress(), walk.on().on().row, walk.on().on().on().at) == ("1 of 2", None, 2)
    assert walk.on().to(9).ids == (5, 9, 6)
    assert walk.on().to(9).row == 9


def test_the_page_shows_names_as_text_and_saves_note_and_owner(world: World) -> None:
    set_setting(world.service, ADMIN, "auto_match", "false")
    world.sync()
    row = next(one for one in list_rows(world.service, ADMIN, Filter()) if one.name == HOSTILE)
    set_owner(world.service, ADMIN, row.id, "ben")
    test = world.open("review")
    test.selectbox(key="review_owner").select("ben").run()
    assert not test.exception
    assert "1 of 1" in text_of(test)
    assert "\\<script\\>" in text_of(test)
    test.text_area(key=f"note-{row.id}").input("Called them")
    next(one for one in test.button if one.label == "Save note").click().run()
    assert not test.text_area(key=f"note-{row.id}").value
    test.text_area(key=f"note-{row.id}").input("Half a thought").run()
    test.selectbox(key="review_owner").select_index(0).run()
    test.selectbox(key="review_owner").select("ben").run()
    assert test.text_area(key=f"note-{row.id}").value == "Half a thought"
    test.text_input(key=f"owner-{row.id}-ben").input("cleo").run()
    assert not test.exception
    assert [one.text for one in list_notes(world.service, ADMIN, row.id)][:2] == ["Owner: ben → cleo", "Called them"]
    assert ADMIN.role is Role.ADMIN
    assert row.status in (Status.UNMAPPED, Status.CONFLICT)
