"""Is anything lost or half done when processes are killed at random moments?

    python -m bench.kills [--kills 200] [--seed 1] [--database postgresql://…] [--kinds sync match bulk …]

For each kind of work a child process does it, with the demo's servers and on a copy of a database, and is killed by
SIGKILL at a random moment; then a worker does what is left, or the work is asked for again where not even its run was
written. What stands in the end must equal what an undisturbed child left: provider accounts, domains, mappings,
standings, decisions, proposals and the rows of the grid. Of saves each is told before the next begins: every told one
must stand, and of the one under way all or nothing. Prints how many kills met work under way, what was lost and what
was half done, as JSON; exit status 1 if anything was.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.made_up import new_store
from bench.sync import demo
from w365 import jobs
from w365.config import Settings, load_settings
from w365.model import Actor, Role, RunKind, RunState, Status
from w365.service import Service
from w365.service.bootstrap import open_service
from w365.service.configuring.settings import set_setting
from w365.service.deciding.bulk_preview import Selection, preview_bulk
from w365.service.deciding.bulk_run import confirm_plan
from w365.service.deciding.mapping import assign_account
from w365.service.deciding.undo import Undoable, preview_undo
from w365.service.importing.accounts import AccountsChoice
from w365.service.importing.runs import request_accounts_import
from w365.service.importing.uploads import keep_upload
from w365.service.syncing.manual_rows import FIELDS
from w365.service.syncing.providers import add_manual_provider
from w365.service.syncing.runs import request_crm_sync, request_match, request_sync
from w365.sheets import guess_columns
from w365.store import tables as t
from w365.store.reading.worklist import Filter

ADMIN = Actor("bench", Role.ADMIN)
PROVIDER, MANUAL = "Partner Center", "By hand"
LINES = 2_000
SAVES = 60
QUIET_LOOKS = 5
"""After a sync there is a moment before its match is asked for."""
_CHILDREN = multiprocessing.get_context("fork")
Ask = Callable[[Service], int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="a PostgreSQL server (default: SQLite files)")
    parser.add_argument("--kinds", nargs="+", choices=[*ASKING, "save"], default=[*ASKING, "save"])
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name, demo(Path(name) / "demo", None) as environment:
        home = Path(name) / "home"
        settings = load_settings({**environment, "W365_HOME": str(home)}, secrets_file=home / "none.toml")
        trial = Trial(replace(settings, home=home), options.database, Path(name))
        share = -(-options.kills // len(options.kinds))
        told = {kind: trial.kill(kind, share, chance) for kind in options.kinds}
    print(json.dumps({"database": options.database.partition(":")[0] or "sqlite", **told}, indent=1))
    sys.exit(any(counts["lost"] or counts["half done"] for counts in told.values()))


# --- the work ---


def _ask_for_bulk(service: Service) -> int:
    chosen = Selection(criteria=Filter(statuses=(Status.UNMAPPED, Status.CONFLICT)))
    plan = preview_bulk(service, ADMIN, chosen, "exclude", {"reason": "bench"})
    return confirm_plan(service, ADMIN, plan.plan.id)


def _ask_for_undo(service: Service) -> int:
    run_id = _latest_run(service, RunKind.BULK)
    return confirm_plan(service, ADMIN, preview_undo(service, ADMIN, Undoable(run_id=run_id)).plan.id)


def _ask_for_import(service: Service) -> int:
    headings = ["Id", "Name", "Domains"]
    places = guess_columns(headings, FIELDS)
    lines = (f"{number},Line {number},line{number}.example.com" for number in range(LINES))
    content = "\n".join([",".join(headings), *lines]).encode()
    with service.store.read() as connection:
        provider_id = connection.scalar(sa.select(t.Provider.id).where(t.Provider.name == MANUAL)) or 0
    upload = keep_upload(service, ADMIN, "bench.csv", content)
    return request_accounts_import(service, ADMIN, provider_id, upload, places, AccountsChoice())


ASKING: dict[str, Ask] = {
    "sync": lambda service: request_sync(service, ADMIN, PROVIDER),
    "match": lambda service: request_match(service, ADMIN),
    "bulk": _ask_for_bulk,
    "undo": _ask_for_undo,
    "import": _ask_for_import,
}
"""What asks for a run of each kind."""

BEFORE = {"sync": 0, "match": 1, "bulk": 2, "undo": 3, "import": 2, "save": 2}
"""Which stage of the database each begins with."""

KINDS = {
    "sync": RunKind.SYNC,
    "match": RunKind.MATCH,
    "bulk": RunKind.BULK,
    "undo": RunKind.UNDO,
    "import": RunKind.IMPORT,
}


def _do_run(settings: Settings, kind: str) -> None:
    with opened(settings) as service:
        jobs.execute_run(service, ASKING[kind](service))


def _save_one_after_another(settings: Settings, told: Connection) -> None:
    with opened(settings) as service:
        for row, account in _open_rows(service):
            assign_account(service, ADMIN, row, account, seen=0)
            told.send((row, account))


def _open_rows(service: Service) -> list[tuple[int, int]]:
    """Rows that nobody decided, each with an account to map it to."""
    with service.store.read() as connection:
        rows = connection.scalars(
            sa.select(t.Worklist.provider_account_id).where(t.Worklist.version == 0, t.Worklist.account_id.is_(None))
        ).all()
        accounts = connection.scalars(sa.select(t.Account.id).where(t.Account.is_active)).all()
    return list(zip(sorted(rows)[:SAVES], sorted(accounts)[:SAVES], strict=False))


# --- databases ---


@contextmanager
def opened(settings: Settings) -> Iterator[Service]:
    service = open_service(settings)
    with closing(service.store):
        yield service


def _latest_run(service: Service, kind: RunKind) -> int:
    with service.store.read() as connection:
        return connection.scalar(sa.select(sa.func.max(t.Run.id)).where(t.Run.kind == kind)) or 0


def contents(service: Service) -> dict[str, Counter[tuple[Any, ...]]]:
    """What stands in the database, by the sources' own ids and without times."""
    account = sa.select(t.Account.crm_id).where(t.Account.id == t.Mapping.account_id).scalar_subquery()
    decided = sa.select(t.Account.crm_id).where(t.Account.id == t.Decision.account_id).scalar_subquery()
    pa, work = t.ProviderAccount, t.Worklist
    tables = {
        "provider accounts": sa.select(pa.specific_id, pa.name, pa.main_domain, pa.gone_at.is_(None)),
        "domains": sa.select(pa.specific_id, t.ProviderAccountDomain.domain, t.ProviderAccountDomain.kind).join(pa),
        "subscriptions": sa.select(t.ProviderSubscription.subscription_id, t.ProviderSubscription.quantity),
        "mappings": sa.select(pa.specific_id, account, t.Mapping.origin).join(pa),
        "standings": sa.select(pa.specific_id, t.StandingOrder.kind, t.StandingOrder.reason).join(pa),
        "decisions": sa.select(pa.specific_id, t.Decision.kind, decided, t.Decision.origin).join(pa),
        "proposals": sa.select(pa.specific_id, t.CurrentProposal.kind, t.CurrentProposal.reason).join(
            pa, pa.id == t.CurrentProposal.provider_account_id
        ),
        "grid": sa.select(work.specific_id, work.status, work.reason, work.seats, work.account_key, work.is_gone),
        "runs that failed": sa.select(t.Run.kind, t.Run.error).where(t.Run.state == RunState.FAILED),
        "touched": sa.select(sa.func.count()).select_from(t.Touched),
    }
    with service.store.read() as connection:
        return {name: Counter(map(tuple, connection.execute(query))) for name, query in tables.items()}


class Trial:
    """One base database in four stages, and copies of it to be killed on."""

    def __init__(self, settings: Settings, server: str, folder: Path) -> None:
        self._settings, self._server, self._folder = settings, server, folder
        self._stages: dict[int, Settings] = {}
        for stage in range(4):
            self._stages[stage] = self._make_stage(stage)

    def kill(self, kind: str, times: int, chance: random.Random) -> dict[str, int]:
        """Kill so often, and count what came of it."""
        counts: Counter[str] = Counter()
        taken, undisturbed = self._do_undisturbed(kind)
        for _ in range(times):
            settings = self._copy(BEFORE[kind], "killed")
            counts["kills"] += 1
            moment = chance.uniform(0, taken)
            if kind == "save":
                told, is_killed = _kill_saves(settings, moment)
                lost, half = _judge_saves(settings, told)
                counts += Counter({"lost": lost, "half done": half, "saves told": len(told)})
            else:
                is_killed = _kill(settings, kind, moment)
                if not self._is_whole(settings, kind, undisturbed):
                    counts["half done"] += 1
            counts["under way"] += is_killed
        named = ("kills", "under way", "saves told", "lost", "half done")
        return {name: counts[name] for name in named} | {"undisturbed ms": round(taken * 1000)}

    def _do_undisturbed(self, kind: str) -> tuple[float, dict[str, Counter[tuple[Any, ...]]]]:
        settings = self._copy(BEFORE[kind], "whole")
        begin = time.perf_counter()
        if kind == "save":
            _kill_saves(settings, None)
        else:
            _kill(settings, kind, None)
        taken = time.perf_counter() - begin
        with opened(settings) as service, opened(self._stages[BEFORE[kind]]) as before:
            after = contents(service)
            if after == contents(before):
                raise SystemExit(f"{kind} did nothing")
            return taken, after

    def _is_whole(self, settings: Settings, kind: str, undisturbed: dict[str, Counter[tuple[Any, ...]]]) -> bool:
        with opened(self._stages[BEFORE[kind]]) as before:
            latest = _latest_run(before, KINDS[kind])
        go_on(settings)
        with opened(settings) as service:
            if _latest_run(service, KINDS[kind]) == latest:
                jobs.execute_run(service, ASKING[kind](service))
            after = contents(service)
        for name, rows in undisturbed.items():
            if after[name] != rows:
                print(
                    f"{kind}: {name} differ: {list((after[name] - rows) or (rows - after[name]))[:3]}", file=sys.stderr
                )
        return after == undisturbed

    def _make_stage(self, stage: int) -> Settings:
        """0: the CRM is read; 1: and the provider, nothing mapped; 2: matched; 3: and a bulk done."""
        settings = self._copy(stage - 1, f"stage{stage}") if stage else self._new("stage0")
        with opened(settings) as service:
            if stage == 0:
                add_manual_provider(service, ADMIN, MANUAL)
                jobs.execute_run(service, request_crm_sync(service, ADMIN))
            elif stage == 1:
                jobs.execute_run(service, ASKING["sync"](service))
                set_setting(service, ADMIN, "auto_match", "true")
            else:
                jobs.execute_run(service, ASKING["match" if stage == 2 else "bulk"](service))
        return settings

    def _new(self, name: str) -> Settings:
        store = new_store(self._server, self._folder, name)
        with closing(store):
            return replace(self._settings, database_url=store.url, home=self._home(name))

    def _copy(self, stage: int, name: str) -> Settings:
        source = self._stages[stage]
        if not self._server:
            path = self._folder / f"{name}.db"
            for old in self._folder.glob(f"{name}.db*"):
                old.unlink()
            shutil.copy(sa.make_url(source.database_url).database or "", path)
            return replace(source, database_url=f"sqlite:///{path}", home=self._home(name))
        url = sa.make_url(self._server).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with closing(engine.connect()) as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS bench_{name} WITH (FORCE)")
            template = sa.make_url(source.database_url).database
            connection.exec_driver_sql(f"CREATE DATABASE bench_{name} TEMPLATE {template}")
        engine.dispose()
        here = url.set(database=f"bench_{name}").render_as_string(hide_password=False)
        return replace(source, database_url=here, home=self._home(name))

    def _home(self, name: str) -> Path:
        home = self._folder / f"home-{name}"
        home.mkdir(mode=0o700, exist_ok=True)
        return home


def go_on(settings: Settings) -> None:
    """Let a worker take up what lost its process, and do what waits."""
    worker = _CHILDREN.Process(target=_work, args=(settings,))
    worker.start()
    quiet = 0
    with opened(settings) as service:
        while quiet < QUIET_LOOKS:
            time.sleep(jobs.POLL_SECONDS / 5)
            quiet = 0 if _is_any_active(service) else quiet + 1
    worker.terminate()
    worker.join()


def _work(settings: Settings) -> None:
    with opened(settings) as service:
        jobs.work(service)


def _is_any_active(service: Service) -> bool:
    with service.store.read() as connection:
        return connection.scalar(sa.select(t.Run.id).where(sa.text(t.ACTIVE_RUNS)).limit(1)) is not None


# --- killing ---


def _kill(settings: Settings, kind: str, moment: float | None) -> bool:
    """Kill a child at this moment after its start, or let it end; tell whether it was still at work."""
    child = _CHILDREN.Process(target=_do_run, args=(settings, kind))
    child.start()
    return _end(child, moment)


def _kill_saves(settings: Settings, moment: float | None) -> tuple[list[tuple[int, int]], bool]:
    """Likewise; return also the saves that were told."""
    receiver, sender = _CHILDREN.Pipe(duplex=False)
    child = _CHILDREN.Process(target=_save_one_after_another, args=(settings, sender))
    child.start()
    sender.close()
    is_killed = _end(child, moment)
    told: list[tuple[int, int]] = []
    try:
        while True:
            told.append(receiver.recv())
    except EOFError:
        return told, is_killed


def _end(child: Any, moment: float | None) -> bool:
    child.join(moment)
    is_at_work = child.exitcode is None
    if is_at_work:
        os.kill(child.pid, signal.SIGKILL)
    child.join()
    if child.exitcode not in (0, -signal.SIGKILL):
        raise SystemExit("a child failed by itself; what it said stands above")
    return is_at_work


def _judge_saves(settings: Settings, told: list[tuple[int, int]]) -> tuple[int, int]:
    """Count the told saves that do not stand, and the rows of which mapping, decision and grid say different things."""
    with opened(settings) as service, service.store.read() as connection:
        mapped, decided, shown = (
            {row: (account, number) for row, account, number in connection.execute(query)}
            for query in (
                sa.select(t.Mapping.provider_account_id, t.Mapping.account_id, t.Mapping.decision_id),
                sa.select(t.Decision.provider_account_id, t.Decision.account_id, t.Decision.id),
                sa.select(t.Worklist.provider_account_id, t.Worklist.account_id, t.Worklist.version),
            )
        )
    lost = sum(mapped.get(row, (0, 0))[0] != account for row, account in told)
    unlike = {row for row in decided | mapped if not decided.get(row) == mapped.get(row) == shown[row]}
    return lost, len(unlike)


if __name__ == "__main__":
    main()
