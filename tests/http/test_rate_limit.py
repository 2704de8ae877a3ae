"""The pace of a host: never more than allowed in any minute, hardly less."""

from __future__ import annotations

import heapq
import threading
from itertools import pairwise

import pytest
from fault_server import FakeClock

from w365.errors import Cancelled
from w365.http.rate_limit import RateLimiter, RateLimiters
from w365.http.wait import Clock, Waiting
from w365.portals.partner_center.connector import WORKERS


def clock_of(fake: FakeClock) -> Clock:
    return Clock(fake.monotonic, fake.wall, fake.sleep, lambda: 1.0)


@pytest.mark.parametrize("limit", [1, 10, 500, 5000])
def test_no_minute_sees_more_calls_than_allowed_and_hardly_fewer(limit: int) -> None:
    fake = FakeClock()
    limiter = RateLimiter(limit, clock_of(fake))
    moments = []
    for _ in range(limit * 3):
        limiter.acquire()
        moments.append(fake.monotonic())
    busiest = max(
        sum(1 for other in moments if start <= other < start + 59.999) for start in moments[:: limit // 10 or 1]
    )
    assert busiest <= limit
    assert moments[-1] - moments[0] <= 180 * 1.1


def test_time_lost_elsewhere_is_caught_up_in_part() -> None:
    fake = FakeClock()
    limiter = RateLimiter(600, clock_of(fake))
    limiter.acquire()
    fake.sleep(100)
    before = fake.monotonic()
    for _ in range(18):
        limiter.acquire()
    assert fake.monotonic() == pytest.approx(before)


def test_a_pause_holds_all_threads_and_a_shorter_one_does_not_shorten_it() -> None:
    fake = FakeClock()
    limiter = RateLimiter(None, clock_of(fake))
    limiter.pause(60, "Asked for a pause.")
    limiter.pause(5, "Asked for less.")
    assert limiter.waiting is not None
    assert limiter.waiting.why == "Asked for a pause."
    passed = []

    def enter() -> None:
        limiter.acquire()
        passed.append(fake.monotonic())

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(passed) >= 1060
    assert limiter.waiting is None


def test_a_long_wait_for_a_slot_says_why() -> None:
    fake = FakeClock()
    limiter = RateLimiter(10, clock_of(fake))
    said = set()

    def look() -> None:
        if limiter.waiting:
            said.add(limiter.waiting.why)

    for _ in range(3):
        limiter.acquire(look)
    assert said == {"Calls are kept to 10 a minute, the limit of this service."}


def test_a_wait_looks_every_half_second_whether_to_stop() -> None:
    fake = FakeClock()
    looks = []

    def look() -> None:
        looks.append(fake.monotonic())
        if len(looks) == 9:
            raise Cancelled("The run was stopped.")

    with pytest.raises(Cancelled):
        clock_of(fake).wait_until(fake.monotonic() + 600, look)
    assert max(later - earlier for earlier, later in pairwise(looks)) <= 0.5


def test_clients_of_one_host_share_its_gate_and_so_does_its_sign_in() -> None:
    limiters = RateLimiters()
    limiter = limiters.at("https://host", 500)
    assert limiter is limiters.at("https://HOST:443/api", 500)
    assert limiter is limiters.of("https://host/v1/token")
    assert limiter is not limiters.at("https://other", 500)
    assert limiters.of("https://login") is limiters.of("https://login:443/x")


def test_a_countdown_says_what_is_left_of_a_pause() -> None:
    fake = FakeClock()
    limiter = RateLimiter(None, clock_of(fake))
    limiter.pause(57, "Partner Center asked for a pause of 57 seconds.")
    fake.sleep(45)
    assert limiter.waiting is not None
    assert limiter.waiting.say() == "Waiting 12 seconds: Partner Center asked for a pause of 57 seconds."
    assert Waiting("Calls are kept to 500 a minute.", 0, seconds=1.2).say() == "Calls are kept to 500 a minute."


PAGE = 500
LATENCY = 0.1
BETWEEN = 1.0
"""Customers on a page, seconds a call takes, and seconds for storing a page, while nothing is asked."""


@pytest.mark.parametrize("limit", [500, 5000])
def test_a_sync_of_ten_pages_stays_within_a_tenth_of_what_the_limit_allows(limit: int) -> None:
    """Every worker asks for domains, then for subscriptions; a page waits for its last worker, as in a real sync."""
    fake = Timeline()
    limiter = RateLimiter(limit, Clock(fake.monotonic, fake.monotonic, fake.sleep, lambda: 1.0))
    calls = 0
    for _ in range(10):
        fake.call(limiter)
        workers = [fake.now] * WORKERS
        for _ in range(PAGE):
            fake.now = heapq.heappop(workers)
            fake.call(limiter)
            fake.call(limiter)
            heapq.heappush(workers, fake.now)
        calls += 1 + 2 * PAGE
        fake.now = max(workers) + BETWEEN
    assert 0.9 <= calls / (fake.now / 60 * limit) <= 1.0


class Timeline:
    """The time of whichever worker acts just now."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def call(self, limiter: RateLimiter) -> None:
        limiter.acquire()
        self.now += LATENCY
