"""Pax8's subscriptions over real sockets: amounts in parts, and lists of them that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from fault_server import Answer, Bench
from http_bench import guid
from portals.test_pax8 import company, envelope, ids, only, pax8, read_all, subscription


@pytest.mark.parametrize(("told", "quantity"), [(2.0, 2), (1.5, 2), (0.25, 1), (12, 12), (0.0, 0)])
def test_a_part_of_what_is_sold_in_parts_takes_a_whole_one(place: Bench, told: float, quantity: int) -> None:
    read = only(read_all(place, pax8([company(1)], [subscription(1, 1, quantity=told)]))[0])
    assert [each.quantity for each in read.subscriptions or ()] == [quantity]


@pytest.mark.parametrize("told", ["1.5", -0.5, 1e300, None, True])
def test_a_quantity_that_is_none_is_rejected(place: Bench, told: Any) -> None:
    pages, _ = read_all(place, pax8([company(1)], [subscription(1, 1, quantity=told)]))
    assert [each.record_id for each in pages[0].rejected] == [f"{guid(1)}, subscription {guid(1001)}"]


def test_refused_subscriptions_leave_what_is_stored_and_are_noted(place: Bench) -> None:
    script = pax8([company(1), company(2, status="Inactive")], lambda request: envelope(request, 403, "Forbidden"))
    pages, _ = read_all(place, script)
    assert [each.subscriptions for each in pages[0].customers] == [None, None]
    assert [each.note for each in pages[0].customers] == [
        "Subscriptions were not read: the provider refuses it (403).",
        "Inactive at Pax8: it has no contact there. Subscriptions were not read: the provider refuses it (403).",
    ]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(b"", 500), "the provider answered with errors of its own."),
        (Answer(b"", 401), "the provider refuses the sign-in."),
        (Answer(b"", 429, {"Retry-After": "3600"}), "the provider asked for a longer pause than a sync waits."),
        (Answer(b"<html>"), "Pax8 answered with a web page instead of data."),
        (Answer({"content": 1}), "Pax8 answers differently than documented: the list “content” is missing."),
    ],
)
def test_subscriptions_that_cannot_be_read_cost_no_company(place: Bench, answer: Answer, why: str) -> None:
    pages, _ = read_all(place, pax8([company(1), company(2)], lambda _: answer))
    assert ids(pages) == [guid(1), guid(2)]
    for each in pages[0].customers:
        assert (each.subscriptions, each.note) == (None, f"Subscriptions were not read: {why}")
