"""What does a sync of unchanged customers cost that reads the list and the audit records, against a full one?

    python -m bench.short_sync [--customers 100000]

The demo answers over real HTTPS in a process of its own. The customers are stored as a full sync leaves them, of which
a done run tells; then one sync runs as in the app, and the calls that the demo met are counted. A full one makes two
for each customer and one for each page; --check runs one as well and compares (slow for many). Prints JSON, and ends
with 1 where the short one made more than 5 % of the calls.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.made_up import sqlite_url
from w365.config import load_settings
from w365.demo.servers import serve
from w365.demo.world import Customer as DemoCustomer
from w365.demo.world import Domain, World
from w365.jobs import execute_run
from w365.model import Actor, Role, RunKind, RunState
from w365.service import Service
from w365.service.bootstrap import open_service
from w365.service.configuring.settings import set_setting
from w365.service.syncing.providers import PARTNER_CENTER
from w365.service.syncing.runs import request_sync
from w365.source_records import Customer, CustomerDomain
from w365.store.run_counts import Count
from w365.store.runs import claim_run, end_run, request_run
from w365.store.syncing.customers import store_customers
from w365.store.syncing.providers import find_provider_named

PAGE = 500
MOST = 0.05
ADMIN = Actor("bench", Role.ADMIN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--check", action="store_true", help="run a full sync too")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _serve(options.customers, options.serve)
        return
    answer = measure(options.customers, is_checked=options.check)
    print(json.dumps(answer, indent=1))
    if answer["short / full"] > MOST:
        sys.exit(1)


def measure(customers: int, *, is_checked: bool = False) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name, _served(Path(name) / "demo", customers) as (environment, count):
        service = _open(environment, Path(name), customers)
        begin = time.process_time()
        calls = _count_calls(service, count, customers, full=False)
        seconds = time.process_time() - begin
        full = 2 * customers + math.ceil(customers / PAGE)
        if is_checked:
            met = _count_calls(service, count, customers, full=True)
            assert met == full, (met, full)
        service.store.close()
    return {
        "customers": customers,
        "calls": calls,
        "calls of a full one": full,
        "short / full": round(calls / full, 4),
        "processor_seconds": round(seconds, 1),
    }


def _count_calls(service: Service, count: Path, customers: int, *, full: bool) -> int:
    before = int(count.read_text(encoding="ascii"))
    run = execute_run(service, request_sync(service, ADMIN, PARTNER_CENTER, full=full))
    assert run.state is RunState.DONE, run.error
    assert run.result[Count.BY_CHANGES] == (not full), run.result
    assert run.result[Count.UNCHANGED] == (customers if full else 0), run.result
    time.sleep(0.5)  # until the other process has written its last count
    return int(count.read_text(encoding="ascii")) - before


def _open(environment: Mapping[str, str], home: Path, customers: int) -> Service:
    """Open a database that holds all customers, as a full sync an hour ago left it."""
    own = {"W365_HOME": str(home), "W365_DATABASE_URL": sqlite_url(home, "short.db")}
    pace = {"W365_PARTNER_CENTER_CALLS_PER_MINUTE": "0"}
    service = open_service(load_settings({**environment, **own, **pace}, secrets_file=home / "none.toml"))
    set_setting(service, ADMIN, "change_feed", "true")
    at = service.clock()
    with service.store.write() as connection:
        provider = find_provider_named(connection, PARTNER_CENTER)
        assert provider is not None
        store_customers(connection, provider.id, map(_stored, range(customers)), at)
        run_id = request_run(connection, RunKind.SYNC, PARTNER_CENTER, ADMIN.name, at)
        claim_run(connection, run_id, at)
        end_run(connection, run_id, RunState.DONE, at, result=Counter({Count.NEW: customers}))
    return service


def _facts(number: int) -> tuple[str, str, str]:
    return f"{number:08x}-0000-4000-8000-000000000000", f"Customer {number}", f"customer-{number}.example"


def _stored(number: int) -> Customer:
    identifier, name, domain = _facts(number)
    domains = (CustomerDomain(domain, is_default=True),)
    return Customer(
        identifier, name, domain, domains, "all custom domains", (), tenant_guid=identifier, relationship="reseller"
    )


def _served_customer(number: int) -> DemoCustomer:
    identifier, name, domain = _facts(number)
    return DemoCustomer(identifier, name, domain, (Domain(domain, is_default=True),))


def _serve(customers: int, home: Path) -> None:
    """Print the settings that connect to the servers, then write twenty times a second how many calls there were."""
    with serve(World("short", tuple(map(_served_customer, range(customers))), (), ()), home=home) as servers:
        count = home / "calls"
        count.write_text("0", encoding="ascii")
        print(json.dumps(servers.environment()), flush=True)
        while True:
            met = sum(each.service == "partner_center" for each in tuple(servers.faults.seen))
            fresh = count.with_suffix(".new")
            fresh.write_text(str(met), encoding="ascii")
            fresh.replace(count)
            time.sleep(0.05)


@contextmanager
def _served(home: Path, customers: int) -> Iterator[tuple[Mapping[str, str], Path]]:
    home.mkdir()
    command = [sys.executable, "-m", "bench.short_sync", "--customers", str(customers), "--serve", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), home / "calls"
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
