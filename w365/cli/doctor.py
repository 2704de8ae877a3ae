"""`w365 doctor`: looks at everything that the program rests on, and says of each thing how it is and what to do."""

from __future__ import annotations

import datetime as dt
import enum
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata

import typer

from w365.api.doors import why_not_open
from w365.cli.frame import AsJson, print_answer, read_settings
from w365.config import Settings
from w365.errors import W365Error
from w365.launch import app_folder
from w365.model import RunState
from w365.service import Service
from w365.service.access import command_line_user
from w365.service.own_data import keep_to_owner
from w365.store.db.engine import Store, open_store
from w365.store.db.health import Health, look_at

_SHORT_BYTES, _TOO_SHORT_BYTES = 1_000_000_000, 100_000_000
_SKEW_SECONDS = 5.0
_PINNED = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)


class Mark(enum.StrEnum):
    OK = "ok"
    ATTENTION = "attention"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing is. ``do`` says what to do where it is not as it should be."""

    check: str
    mark: Mark
    what: str
    do: str = ""


def doctor(as_json: AsJson = False) -> None:
    """Look at settings, files, database, clock, connections, worker and packages; exit status 1 if any is wrong."""
    findings = list(_examine())
    lines = [f"{each.mark:<9}  {each.check}: {' '.join(filter(None, (each.what, each.do)))}" for each in findings]
    is_well = all(each.mark is not Mark.WRONG for each in findings)
    print_answer(as_json, {"ok": is_well, "checks": [asdict(each) for each in findings]}, "\n".join(lines))
    if not is_well:
        raise typer.Exit(1)


def _examine() -> Iterator[Finding]:
    yield _look_at_packages()
    try:
        settings = read_settings()
    except W365Error as error:
        yield _wrong("settings", error)
        return
    yield Finding("settings", Mark.OK, "the built-in demo is used" if settings.is_demo else "read")
    yield _look_at_sign_in(settings)
    yield _look_at_disk(settings)
    try:
        store = open_store(settings.database_url)
        yield from _look_at_files(settings, store)
        health = look_at(store)
    except W365Error as error:
        yield _wrong("database", error)
        return
    yield from _look_at_database(health)
    if health.schema == _newest_schema():
        yield from _look_at_service(settings, store)
    store.close()


def _wrong(check: str, error: W365Error) -> Finding:
    return Finding(check, Mark.WRONG, error.what, error.do)


def _look_at_packages() -> Finding:
    """Compare what is installed with the lock; what is for other systems is not here and not missed."""
    differing = []
    for name, version in _PINNED.findall((app_folder() / "requirements.lock").read_text(encoding="utf-8")):
        try:
            here = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if here != version:
            differing.append(f"{name} is {here}, not {version}")
    if not differing:
        return Finding("packages", Mark.OK, "all as in the lock")
    do = "Install them with: pip install --require-hashes -r requirements.lock"
    return Finding("packages", Mark.ATTENTION, f"other than tested: {', '.join(differing)}.", do)


def _look_at_sign_in(settings: Settings) -> Finding:
    if why := why_not_open(settings.entrance, None):
        return Finding("sign-in", Mark.WRONG, why)
    at = f", at {settings.public_url}" if settings.public_url else ""
    return Finding("sign-in", Mark.OK, f"{settings.sign_in.value}{at}")


def _look_at_disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home).free
    mark = Mark.WRONG if free < _TOO_SHORT_BYTES else Mark.ATTENTION if free < _SHORT_BYTES else Mark.OK
    do = "" if mark is Mark.OK else "Free some space."
    return Finding("disk", mark, f"{free / 1e9:,.1f} GB free for {settings.home}.", do)


def _look_at_files(settings: Settings, store: Store) -> Iterator[Finding]:
    open_still = keep_to_owner(settings, store)
    yield from (Finding("files", Mark.ATTENTION, sentence) for sentence in open_still)
    if not open_still:
        yield Finding("files", Mark.OK, f"{settings.data_folder} is its owner's only")


def _look_at_database(health: Health) -> Iterator[Finding]:
    others = f", {health.others:,} other connections" if health.others is not None else ""
    where = f"{health.server}, {health.place}{others}"
    if health.schema == _newest_schema():
        yield Finding("database", Mark.OK, f"{where}, schema {health.schema}")
    else:
        what = f"{where}, has schema {health.schema or 'of none'}; this version's is {_newest_schema()}."
        yield Finding("database", Mark.ATTENTION, what, "Back it up; the next start, or w365 migrate, brings it there.")
    if health.clock is not None:
        away = abs((health.clock - dt.datetime.now(dt.UTC)).total_seconds())
        do = "Let both machines ask a time server." if away > _SKEW_SECONDS else ""
        mark = Mark.WRONG if do else Mark.OK
        yield Finding("clock", mark, f"{away:,.1f} s between this machine and the database.", do)


def _newest_schema() -> str:
    from w365.store.db.migrate import newest_schema

    return newest_schema()


def _look_at_service(settings: Settings, store: Store) -> Iterator[Finding]:
    from w365.service.bootstrap import open_service

    service = open_service(settings, store)
    yield from _look_at_worker(service)
    if settings.is_demo:
        yield Finding("connections", Mark.OK, "the built-in demo's, which are started when they are needed")
    else:
        yield from _look_at_connections(service)


def _look_at_worker(service: Service) -> Iterator[Finding]:
    """Without a worker a run that waits is wrong; where syncs come from cron none is needed."""
    from w365.service.insight.operation import find_obstacles, read_measures

    measures = read_measures(service)
    waiting = sum(count for (_, state), count in measures.runs.items() if state is RunState.QUEUED)
    if silence := find_obstacles(service).get("worker"):
        mark = Mark.WRONG if waiting else Mark.ATTENTION
        do = "Start the app, or w365 worker; syncs from cron need none."
        yield Finding("worker", mark, f"{silence} {waiting:,} runs wait.", do)
    else:
        yield Finding("worker", Mark.OK, f"seen {measures.worker_age or 0:,.0f} s ago, {waiting:,} runs wait.")


def _look_at_connections(service: Service) -> Iterator[Finding]:
    from w365.service.syncing.providers import get_crm, list_providers, verify_crm, verify_provider

    actor = command_line_user()
    missing = {"CRM": get_crm(service, actor).missing}
    missing |= {each.name: each.missing for each in list_providers(service, actor) if each.kind.value != "manual"}
    for name, lack in missing.items():
        if lack:
            yield Finding(name, Mark.ATTENTION, lack)
            continue
        try:
            works = verify_crm(service, actor) if name == "CRM" else verify_provider(service, actor, name)
        except W365Error as error:
            yield _wrong(name, error)
        else:
            is_late = any(sentence.startswith("The clock") for sentence in works)
            yield Finding(name, Mark.ATTENTION if is_late else Mark.OK, " ".join(works))
