"""How long does a first and a second sync take through real HTTPS, against a bare loop that only fetches the same?

    python -m bench.sync [--data FOLDER]

The peer asks the demo for every page and both calls a customer with the same number of threads and throws the answers
away. Prints seconds, calls a second and the ratio as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from w365.config import load_settings
from w365.jobs import execute_run
from w365.model import Actor, Role
from w365.portals.partner_center.connector import WORKERS
from w365.service import Service
from w365.service.bootstrap import open_service
from w365.service.syncing.providers import PARTNER_CENTER
from w365.service.syncing.runs import request_crm_sync, request_sync

THREADS = WORKERS
ADMIN = Actor("bench", Role.ADMIN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, demo(Path(name), options.data) as environment:
        calls, bare = fetch_all(environment)
        settings = load_settings({**environment, "W365_HOME": name}, secrets_file=Path(name) / "none.toml")
        service = open_service(settings)
        crm = seconds(service, request_crm_sync(service, ADMIN))
        first = seconds(service, request_sync(service, ADMIN, PARTNER_CENTER))
        second = seconds(service, request_sync(service, ADMIN, PARTNER_CENTER))
    answer = {
        "calls": calls,
        "bare_seconds": round(bare, 2),
        "crm_seconds": crm,
        "first_seconds": first,
        "second_seconds": second,
        "calls_a_second": round(calls / first),
        "first / bare": round(first / bare, 2),
        "second / bare": round(second / bare, 2),
    }
    print(json.dumps(answer, indent=1))


@contextmanager
def demo(home: Path, data: Path | None) -> Iterator[Mapping[str, str]]:
    """Run the demo's servers and give the settings that they print."""
    command = [sys.executable, "-m", "w365.demo", "--print-env", "--home", str(home)]
    command += ["--data", str(data)] if data else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "# ready\n")
        pairs = (line.removeprefix("export ").strip().partition("=") for line in lines)
        try:
            yield {name: value.strip("'") for name, _, value in pairs}
        finally:
            process.terminate()


def seconds(service: Service, run_id: int) -> float:
    """Execute a run; the time is the run's own, without the match that follows."""
    run = execute_run(service, run_id)
    assert not run.error, run.error
    assert run.started_at is not None
    assert run.ended_at is not None
    return round((run.ended_at - run.started_at).total_seconds(), 2)


def fetch_all(environment: Mapping[str, str]) -> tuple[int, float]:
    context = ssl.create_default_context(cafile=environment["W365_CA_BUNDLE"])
    base = environment["W365_PARTNER_CENTER_URL"]
    with httpx.Client(verify=context, headers={"Authorization": f"Bearer {_token(environment, context)}"}) as client:
        begin = time.perf_counter()
        ids = list(_customer_ids(client, base))
        paths = [f"{base}/v1/customers/{one}/{part}" for one in ids for part in ("customDomains", "subscriptions")]
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(lambda path: client.get(path).content, paths):
                pass
        return len(paths) + len(ids) // 500 + 1, time.perf_counter() - begin


def _customer_ids(client: httpx.Client, base: str) -> Iterator[str]:
    path, headers = "/customers?size=500", {}
    while path:
        page = json.loads(client.get(f"{base}/v1{path}", headers=headers).content.decode("utf-8-sig"))
        yield from (item["id"] for item in page["items"])
        following = page["links"].get("next")
        path = following["uri"] if following else ""
        headers = {one["key"]: one["value"] for one in following["headers"]} if following else {}


def _token(environment: Mapping[str, str], context: ssl.SSLContext) -> str:
    url = f"{environment['W365_AUTHORITY']}/{environment['W365_PARTNER_CENTER_TENANT_ID']}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": environment["W365_PARTNER_CENTER_CLIENT_ID"],
        "client_secret": environment["W365_PARTNER_CENTER_CLIENT_SECRET"],
        "scope": "https://api.partnercenter.microsoft.com/.default",
    }
    return str(httpx.post(url, data=form, verify=context).json()["access_token"])


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("W365_")]:
        del os.environ[name]
    main()
