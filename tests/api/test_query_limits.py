"""What a request may ask for, at the limit itself and beside it."""

from __future__ import annotations

import json

import httpx
import pytest


@pytest.mark.parametrize(
    ("last", "first_refused"),
    [
        (f"new_since={2**42}", f"new_since={2**42 + 1}"),
        (f"provider={'9' * 15}", f"provider={'9' * 16}"),
        ("&".join(f"provider={at}" for at in range(50)), "&".join(f"provider={at}" for at in range(51))),
        ("start=0&end=1000", "start=0&end=1001"),
        ("start=4&end=5", "start=5&end=5"),
    ],
)
def test_the_last_query_is_answered_and_the_next_refused(client: httpx.Client, last: str, first_refused: str) -> None:
    assert client.get(f"/api/rows?{last}").status_code == 200
    assert client.get(f"/api/rows?{first_refused}").status_code == 422


def is_read(client: httpx.Client, body: str) -> bool:
    return "could not be read" not in client.post("/api/mapping", content=body).json()["error"]


def test_a_body_may_have_4096_bytes(client: httpx.Client) -> None:
    body = json.dumps({"row": 999_999, "account": 1, "seen": 0})
    assert is_read(client, body.ljust(4_096))
    assert not is_read(client, body.ljust(4_097))


def test_an_id_is_a_number_that_a_browser_can_hold(client: httpx.Client) -> None:
    for row, expected in ((0, True), (2**53 - 1, True), (2**53, False)):
        assert is_read(client, json.dumps({"row": row, "account": 1, "seen": 0})) is expected
