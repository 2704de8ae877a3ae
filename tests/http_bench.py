"""What tests of connectors begin with: a bench with servers, and connections to them with tiny bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from fault_server import Bench, FaultServer, bench

from w365.addresses import AddressRange
from w365.connection import Connection
from w365.errors import W365Error
from w365.http.conditions import Conditions
from w365.http.rate_limit import RateLimiters
from w365.http.retry import Patience
from w365.http.wait import Clock

SECRET = "canary-secret-7f3a"
TENANT = "3f8a6d2e-0000-4000-8000-00000000000a"
CALM = Patience(connect=20.0, read=20.0, total=40.0)
"""For servers that do answer: a loaded machine must not make them look silent, which costs a try and its wait."""
QUICK = Patience(connect=2.0, read=0.8, total=2.0)
"""For servers that stay silent."""


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def place(tmp_path: Path, authority: trustme.CA) -> Iterator[Bench]:
    with bench(tmp_path, authority) as made:
        yield made


def failing(act: Callable[[], object]) -> W365Error:
    """The error that ends it, which holds no secret."""
    with pytest.raises(W365Error) as caught:
        act()
    assert SECRET not in repr(vars(caught.value))
    return caught.value


def connection_to(
    place: Bench, server: FaultServer | str, *, authority: FaultServer | str = "", calls_per_minute: int | None = None
) -> Connection:
    url = server if isinstance(server, str) else server.url
    chosen = authority or server
    return Connection(
        url=url,
        authority=chosen if isinstance(chosen, str) else chosen.url,
        tenant_id=TENANT,
        client_id="11111111-2222-4333-8444-555555555555",
        client_secret=SECRET,
        ca_bundle=place.ca_bundle,
        calls_per_minute=calls_per_minute,
        allowed=AddressRange.LOOPBACK,
    )


def conditions(place: Bench, patience: Patience = CALM) -> Conditions:
    """Sleep on the bench's clock, with bounds that suit a test and a set of limiters of its own."""
    clock = Clock(place.clock.monotonic, place.clock.wall, place.clock.sleep, lambda: 1.0)
    return Conditions(clock, patience, RateLimiters(clock))
