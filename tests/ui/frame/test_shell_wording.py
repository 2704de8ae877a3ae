from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from w365.ui.frame.wording import ago, clock_time, counted, duration, percent, plain, short

NOON = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("text", [":red[hot]", "$x$", "<b>bold</b>", "**strong**", "[a](http://b)", "`code`", "# head"])
def test_no_mark_of_markdown_survives_unescaped(text: str) -> None:
    escaped = plain(text)
    marks = [at for at, letter in enumerate(escaped) if letter in ":[]$<>*`#()_"]
    assert marks
    assert all(escaped[at - 1] == "\\" for at in marks)


@pytest.mark.parametrize("text", ["www.contoso.com", "ana@contoso.com", "https://contoso.com"])
def test_an_address_in_a_name_does_not_become_a_link(text: str) -> None:
    assert "\u2060" in plain(text)


def test_a_line_break_cannot_begin_a_new_block() -> None:
    assert plain("one\n\n    two") == "one two"


def test_a_share_below_one_never_reads_as_all() -> None:
    assert percent(0.99999) == "99.9 %"
    assert percent(1.0) == "100.0 %"
    assert percent(0.0) == "0.0 %"
    assert percent(None) == "–"


def test_a_time_is_local_with_its_zone_and_has_a_date_unless_it_is_today() -> None:
    assert clock_time(NOON, NOON, BERLIN) == "14:00 CEST"
    assert clock_time(NOON - dt.timedelta(days=1), NOON, BERLIN) == "2026-06-30 14:00 CEST"


def test_today_is_the_day_of_the_reader_not_of_utc() -> None:
    late = dt.datetime(2026, 6, 30, 22, 30, tzinfo=dt.UTC)
    assert clock_time(late, NOON, BERLIN) == "00:30 CEST"


def test_numbers_are_grouped_and_nouns_agree() -> None:
    assert counted(1, "row") == "1 row"
    assert counted(1234, "row") == "1,234 rows"
    assert counted(2, "needs a decision", "need a decision") == "2 need a decision"


def test_spans_are_said_by_their_largest_unit() -> None:
    assert duration(dt.timedelta(hours=49)) == "2 days"
    assert duration(dt.timedelta(seconds=61)) == "1 minute"
    assert duration(dt.timedelta(seconds=-3)) == "0 seconds"
    assert ago(NOON - dt.timedelta(seconds=5), NOON) == "just now"


def test_long_names_are_cut() -> None:
    assert short("a" * 61) == "a" * 59 + "…"
    assert short("a" * 60) == "a" * 60
