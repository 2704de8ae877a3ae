"""What a log hides: known secrets from four characters on, as shorter ones would hide ordinary words."""

from __future__ import annotations

import logging

import pytest

from w365.log import RedactingFormatter, hide_secret


def line(formatter: RedactingFormatter, text: str) -> str:
    return formatter.format(logging.LogRecord("w365", logging.INFO, "", 0, text, (), None)).rpartition(": ")[2]


@pytest.mark.parametrize(("secret", "shown"), [("q7x", "they sent q7x"), ("q7xz", "they sent ***")])
def test_a_secret_of_the_settings_is_hidden_from_four_characters_on(secret: str, shown: str) -> None:
    assert line(RedactingFormatter([secret]), f"they sent {secret}").endswith(shown)


@pytest.mark.parametrize(("secret", "shown"), [("k9w", "they sent k9w"), ("k9wv", "they sent ***")])
def test_so_is_one_that_came_later(secret: str, shown: str) -> None:
    hide_secret(secret)
    assert line(RedactingFormatter([]), f"they sent {secret}").endswith(shown)


def test_a_line_begins_with_its_time_in_utc() -> None:
    record = logging.LogRecord("w365", logging.INFO, "", 0, "done", (), None)
    record.created = 1_800_000_000.25
    assert RedactingFormatter([]).format(record).startswith("2027-01-15T08:00:00.250+00:00 INFO w365: done")


@pytest.mark.parametrize("breaks", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\x1b[2K"])
def test_a_value_cannot_forge_a_line(breaks: str) -> None:
    forged = f"Ann{breaks}2027-01-15T08:00:00.250+00:00 INFO w365: all is well"
    record = logging.LogRecord("w365", logging.INFO, "", 0, "refused: %s", (forged,), None)
    assert len(RedactingFormatter([]).format(record).splitlines()) == 1
    assert "\x1b" not in RedactingFormatter([]).format(record)


def test_what_an_error_says_cannot_forge_a_line_either() -> None:
    forged = ValueError("Ann\n2027-01-15T08:00:00.250+00:00 INFO w365: all is well")
    record = logging.LogRecord("w365", logging.ERROR, "", 0, "failed", (), (ValueError, forged, None))
    first, *further = RedactingFormatter([]).format(record).splitlines()
    assert first.endswith("ERROR w365: failed")
    assert all(line.startswith("  ") for line in further)
