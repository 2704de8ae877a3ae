from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from itsdangerous import TimestampSigner

from w365.api.tokens import MAX_AGE, _signer, browser_of, mint_token, read_token
from w365.errors import AccessError, Outdated
from w365.model import Actor, Role

HERE, ELSEWHERE = browser_of("a cookie"), browser_of("another cookie")
ANA = Actor("ana", Role.ANALYST)


def signed(content: Any, seconds_ago: int = 0) -> str:
    class Earlier(TimestampSigner):
        def get_timestamp(self) -> int:
            return super().get_timestamp() - seconds_ago

    signer = _signer("key")
    signer.signer = Earlier
    return str(signer.dumps(content))


def minted_before(seconds: int) -> str:
    return signed(["ana", Role.ANALYST.value, 0, HERE], seconds)


@pytest.mark.parametrize(
    "actor", [ANA, Actor("ana", Role.ANALYST, 7), Actor("Zoë “admin” \n", Role.VIEWER), Actor("", Role.ADMIN)]
)
def test_a_token_names_its_actor(actor: Actor) -> None:
    assert read_token("key", mint_token("key", actor, HERE), HERE) == actor


def test_a_token_of_an_older_key_is_good_and_a_new_one_needs_the_newest() -> None:
    old = mint_token("old", ANA, HERE)
    assert read_token("new", old, HERE, old_keys=("older", "old")) == ANA
    with pytest.raises(AccessError, match="not signed in"):
        read_token("old", mint_token("new", ANA, HERE), HERE)


@pytest.mark.parametrize("browser", [ELSEWHERE, "", HERE[:-1]])
def test_a_token_is_worth_nothing_in_another_browser(browser: str) -> None:
    with pytest.raises(AccessError, match="another browser"):
        read_token("key", mint_token("key", ANA, HERE), browser)


def test_a_token_for_no_browser_is_worth_nothing() -> None:
    with pytest.raises(AccessError, match="another browser"):
        read_token("key", mint_token("key", ANA, browser_of("")), browser_of(""))


def test_a_token_is_good_for_a_quarter_of_an_hour_and_says_that_it_can_be_renewed() -> None:
    age = int(MAX_AGE.total_seconds())
    assert age == 15 * 60
    assert read_token("key", minted_before(age - 60), HERE) == ANA
    with pytest.raises(Outdated, match="opened too long ago"):
        read_token("key", minted_before(age + 1), HERE)
    assert read_token("key", minted_before(age + 1), HERE, max_age=dt.timedelta(hours=12)) == ANA


def test_a_clock_that_is_a_little_ahead_is_no_reason_to_refuse() -> None:
    assert read_token("key", minted_before(-110), HERE) == ANA
    with pytest.raises(AccessError, match="clocks"):
        read_token("key", minted_before(-130), HERE)


@pytest.mark.parametrize(
    "content",
    [
        ["ana", True, 0, HERE],
        ["ana", 3.0, 0, HERE],
        ["ana", 9, 0, HERE],
        ["ana", "3", 0, HERE],
        ["ana", None, 0, HERE],
        [["ana"], 2, 0, HERE],
        ["ana", 2, True, HERE],
        ["ana", 2, 1.0, HERE],
        ["ana", 2, 0, None],
        ["ana", 2, 0],
        ["ana", 2],
        {"ana": 2},
        "ana",
        None,
    ],
)
def test_a_signed_token_whose_parts_are_of_another_kind_is_refused(content: Any) -> None:
    with pytest.raises(AccessError, match="not signed in"):
        read_token("key", signed(content), HERE)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 10, "." * 5_000])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(AccessError, match="not signed in"):
        read_token("key", token, HERE)


def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(AccessError):
        read_token("key", mint_token("another key", Actor("ana", Role.ADMIN), HERE), HERE)


def test_a_changed_token_is_refused() -> None:
    content, age, signature = mint_token("key", Actor("ana", Role.VIEWER), HERE).rsplit(".", 2)
    other = mint_token("key", Actor("ana", Role.ADMIN), HERE).rsplit(".", 2)[0]
    assert other != content
    with pytest.raises(AccessError):
        read_token("key", f"{other}.{age}.{signature}", HERE)


def test_a_token_holds_nothing_that_the_grid_would_run_as_code() -> None:
    token = mint_token("key", Actor("::JSCODE::alert(1)::JSCODE::", Role.ANALYST), HERE)
    assert ":" not in token
