"""How near does a sync come to what the limits of Partner Center allow?

    python -m bench.pacing

The demo answers over real HTTPS, each call after 100 ms. Time is scaled: the clock of the connector runs so many times
faster than the wall's, and the delays of the demo are as many times shorter. Prints as JSON, for 500 and for 5,000
calls a minute, the calls made, the minutes they took on that clock, and the ratio to what the limit allows.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from contextlib import closing
from pathlib import Path

from w365.config import load_settings
from w365.demo.faults import Fault
from w365.demo.servers import serve
from w365.demo.world import Customer, Domain, World
from w365.http.conditions import Conditions
from w365.http.rate_limit import RateLimiters
from w365.http.wait import Clock
from w365.jobs import execute_run
from w365.model import Actor, Role
from w365.portals.partner_center.connector import connect_partner_center
from w365.service import Service
from w365.service.syncing.providers import PARTNER_CENTER, prepare_providers
from w365.service.syncing.runs import request_sync
from w365.store.db.engine import open_store
from w365.store.db.migrate import migrate

LATENCY = 0.1
PAGE = 500
ADMIN = Actor("bench", Role.ADMIN)
CASES = ((500, 10.0, 1_200), (5_000, 2.0, 2_500))
"""Calls a minute, how many times faster time runs, and customers."""


def main() -> None:
    print(json.dumps([measure(*case) for case in CASES], indent=1))


def measure(limit: int, speed: float, customers: int) -> dict[str, float]:
    """Sync so many customers at a limit and compare with it."""
    with tempfile.TemporaryDirectory() as name, serve(_world(customers), home=Path(name)) as servers:
        servers.faults.append(Fault("partner_center", times=0, delay=LATENCY / speed))
        environment = servers.environment() | {"W365_PARTNER_CENTER_CALLS_PER_MINUTE": str(limit)}
        service = _service(environment, Path(name), speed)
        run_id = request_sync(service, ADMIN, PARTNER_CENTER)
        begin = time.perf_counter()
        run = execute_run(service, run_id)
        assert run.ended_at is not None, run.error
        assert run.started_at is not None
        assert not run.error, run.error
        minutes = (run.ended_at - run.started_at).total_seconds() * speed / 60
    calls = 2 * customers + math.ceil(customers / PAGE)
    return {
        "calls_per_minute": limit,
        "calls": calls,
        "minutes": round(minutes, 2),
        "reached / allowed": round(calls / minutes / limit, 3),
        "real_seconds": round(time.perf_counter() - begin, 1),
    }


def _service(environment: dict[str, str], home: Path, speed: float) -> Service:
    settings = load_settings({**environment, "W365_HOME": str(home)}, secrets_file=home / "none.toml")
    connection = settings.partner_center
    assert connection is not None
    clock = Clock(lambda: time.monotonic() * speed, time.time, lambda seconds: time.sleep(seconds / speed))
    conditions = Conditions(clock, limiters=RateLimiters(clock))
    store = open_store(settings.database_url)
    migrate(store)

    def no_crm(_: object) -> object:
        raise NotImplementedError

    service = Service(
        store,
        settings,
        lambda _, check: closing(connect_partner_center(connection, check=check, conditions=conditions)),
        no_crm,  # type: ignore[arg-type]
    )
    prepare_providers(service)
    return service


def _world(customers: int) -> World:
    return World("pacing", tuple(map(_customer, range(customers))), (), ())


def _customer(number: int) -> Customer:
    domain = f"customer-{number}.example"
    identifier = f"{number:08x}-0000-4000-8000-000000000000"
    return Customer(identifier, f"Customer {number}", domain, (Domain(domain, is_default=True),))


if __name__ == "__main__":
    main()
