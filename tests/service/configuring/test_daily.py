"""The next time of something daily: whatever the clocks do, once a day and never twice."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from w365.errors import InputError
from w365.store.configuring.schedule_times import find_moment, next_time, parse_zone

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = dt.timedelta(minutes=1)
ZONES = st.sampled_from(
    [
        *("Europe/Berlin", "America/New_York", "America/Havana", "America/Sao_Paulo", "Australia/Lord_Howe"),
        *("Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu", "Asia/Beirut", "Antarctica/Troll", "UTC"),
    ]
).map(ZoneInfo)
INSTANTS = st.integers(1_100_000_000, 2_100_000_000).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def clock(at: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    return at.astimezone(zone).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("after", "at", "zone", "expected"),
    [
        ("2026-11-02T04:59", "06:00", "Europe/Berlin", "2026-11-02T05:00"),
        ("2026-11-02T05:00", "06:00", "Europe/Berlin", "2026-11-03T05:00"),  # later than, so never the same twice
        ("2026-03-28T12:00", "02:30", "Europe/Berlin", "2026-03-29T01:00"),  # skipped: at 3 o'clock, the next there is
        ("2026-10-24T12:00", "02:30", "Europe/Berlin", "2026-10-25T00:30"),  # twice: the first
        ("2026-10-25T00:30", "02:30", "Europe/Berlin", "2026-10-26T01:30"),  # and not the second
        ("2011-12-29T21:00", "12:00", "Pacific/Apia", "2011-12-29T22:00"),
        ("2011-12-29T22:00", "12:00", "Pacific/Apia", "2011-12-30T10:00"),  # a whole day that was not
    ],
)
def test_the_next_time_of_a_known_night(after: str, at: str, zone: str, expected: str) -> None:
    assert next_time(utc(after), dt.time.fromisoformat(at), ZoneInfo(zone)) == utc(expected)


@given(INSTANTS, TIMES, ZONES)
@example(utc("2026-03-29T00:59"), dt.time(2, 30), BERLIN)
@example(utc("2026-10-25T00:45"), dt.time(2, 30), BERLIN)
def test_the_next_time_is_later_and_shows_the_time_or_the_end_of_what_is_skipped(
    after: dt.datetime, at: dt.time, zone: ZoneInfo
) -> None:
    found = next_time(after, at, zone)
    assert found > after
    shown = clock(found, zone)
    if shown.time() != at:
        skipped = clock(found - MINUTE, zone)  # the clocks jumped over it a moment ago
        assert skipped.time() != at
        assert shown - skipped > MINUTE
        wanted = (dt.datetime.combine(shown.date() - dt.timedelta(days=shift), at) for shift in (0, 1))
        assert any(skipped < one < shown for one in wanted)


@given(INSTANTS, TIMES, ZONES)
def test_every_day_is_met_once_however_the_clocks_change(after: dt.datetime, at: dt.time, zone: ZoneInfo) -> None:
    first = next_time(after, at, zone)
    found = [first]
    while len(found) < 5:
        found.append(next_time(found[-1], at, zone))
    assert found == sorted(set(found))
    days = [clock(first, zone).date() + dt.timedelta(days=shift) for shift in range(-2, 8)]
    between = sorted({one for day in days if first <= (one := find_moment(day, at, zone)) <= found[-1]})
    assert found == between  # none left out


@given(INSTANTS, TIMES, ZONES)
def test_however_long_nobody_looked_one_time_is_next(after: dt.datetime, at: dt.time, zone: ZoneInfo) -> None:
    late = after + dt.timedelta(days=40)
    assert late < next_time(late, at, zone) <= late + dt.timedelta(hours=50)


@pytest.fixture
def machine_in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("machine_in_berlin")
@pytest.mark.parametrize("day", ["2026-03-28T12:00", "2026-10-24T12:00", "2026-10-25T00:40", "2026-07-01T00:00"])
def test_the_machines_own_zone_is_as_good_as_a_named_one(day: str) -> None:
    assert next_time(utc(day), dt.time(2, 30), None) == next_time(utc(day), dt.time(2, 30), BERLIN)


@pytest.mark.parametrize("text", ["Mars/Olympus", "../etc/passwd", "Europe", "europe/berlin2"])
def test_what_is_no_zone_is_named(text: str) -> None:
    with pytest.raises(InputError, match="is no time zone"):
        parse_zone(text)
