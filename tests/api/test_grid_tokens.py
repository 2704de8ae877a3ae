from __future__ import annotations

import pytest
from itsdangerous import TimestampSigner

from w365.api import tokens
from w365.errors import AccessError
from w365.model import Actor, Role


@pytest.mark.parametrize(
    "actor", [Actor("ana", Role.ANALYST), Actor("Zoë “admin” \n", Role.VIEWER), Actor("", Role.ADMIN)]
)
def test_a_token_names_its_actor(actor: Actor) -> None:
    assert tokens.read("key", tokens.mint("key", actor)) == actor


def test_a_token_older_than_its_age_is_refused() -> None:
    with pytest.raises(AccessError, match="opened too long ago"):
        tokens.read("key", tokens.mint("key", Actor("ana", Role.ANALYST)), max_age=-1)


def minted_before(seconds: int) -> str:
    class Earlier(TimestampSigner):
        def get_timestamp(self) -> int:
            return super().get_timestamp() - seconds

    signer = tokens._signer("key")
    signer.signer = Earlier
    return str(signer.dumps(["ana", Role.ANALYST.value]))


def test_a_token_is_good_for_twelve_hours() -> None:
    day = 12 * 3600
    assert tokens.read("key", minted_before(day - 60)) == Actor("ana", Role.ANALYST)
    with pytest.raises(AccessError, match="opened too long ago"):
        tokens.read("key", minted_before(day + 1))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 10, "." * 5_000])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(AccessError, match="not signed in"):
        tokens.read("key", token)


def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(AccessError):
        tokens.read("key", tokens.mint("another key", Actor("ana", Role.ADMIN)))


def test_a_changed_token_is_refused() -> None:
    name, age, signature = tokens.mint("key", Actor("ana", Role.VIEWER)).split(".")
    other = tokens.mint("key", Actor("ana", Role.ADMIN)).split(".")[0]
    assert other != name
    with pytest.raises(AccessError):
        tokens.read("key", f"{other}.{age}.{signature}")


def test_a_token_holds_nothing_that_the_grid_would_run_as_code() -> None:
    token = tokens.mint("key", Actor("::JSCODE::alert(1)::JSCODE::", Role.ANALYST))
    assert ":" not in token
