"""The pace of Partner Center over real sockets: near the limit, few calls at once, every call waits when asked to."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from itertools import count

from fault_server import Answer, Bench, Request
from http_bench import QUICK, conditions, connection_to, guid
from portals.centre import centre, listing, record

from w365.http.conditions import Conditions
from w365.http.rate_limit import RateLimiters
from w365.http.wait import Clock
from w365.portals.partner_center.connector import WORKERS, connect_partner_center

SPEED = 2.0
LIMIT = 5_000
CUSTOMERS = 120


def test_a_sync_makes_use_of_the_limit_with_few_calls_at_once(place: Bench) -> None:
    """`python -m bench.pacing` measures how near it comes; here the machine may be busy with other tests."""
    under_way, most, lock = 0, 0, threading.Lock()

    def slow(_: Request) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.1 / SPEED)
        with lock:
            under_way -= 1

    server = place.serve(centre(lambda _: listing([record(n) for n in range(CUSTOMERS)]), slow))
    clock = Clock(lambda: time.monotonic() * SPEED, time.time, lambda seconds: time.sleep(seconds / SPEED))
    around = Conditions(clock, QUICK, RateLimiters(clock))
    connection = connection_to(place, server, calls_per_minute=LIMIT)
    with closing(connect_partner_center(connection, conditions=around)) as portal:
        portal.verify()
        begin = clock.monotonic()
        list(portal.pages())
        minutes = (clock.monotonic() - begin) / 60
    assert 2 * CUSTOMERS / minutes >= LIMIT / 2
    assert WORKERS / 2 <= most <= WORKERS


def test_every_call_to_the_host_waits_when_one_is_asked_to(place: Bench) -> None:
    """By the connector's clock; what was on its way when the refusal came does not count."""
    arrived: list[tuple[float, str]] = []
    refused_at: list[float] = []
    number = count()
    lock = threading.Lock()

    def detail(request: Request) -> Answer | None:
        time.sleep(0.01)
        with lock:
            now = place.clock.monotonic()
            arrived.append((now, request.path))
            if next(number) == 40:
                refused_at.append(now)
                return Answer({"statusCode": 429}, 429, {"Retry-After": "57"})
        return None

    server = place.serve(centre(lambda _: listing([record(n) for n in range(60)]), detail))
    with closing(connect_partner_center(connection_to(place, server), conditions=conditions(place))) as portal:
        (page,) = portal.pages()
    assert len(page.customers) == 60
    assert page.customers[59].specific_id == guid(59)
    after = [at for at, _ in arrived[41 + 2 * WORKERS :]]
    assert after
    assert min(after) >= refused_at[0] + 57
