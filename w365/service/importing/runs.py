"""Imports as runs: asked for by a page, with the file handed over, and done by a worker."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from w365.errors import Cancelled
from w365.model import Actor, Role, RunKind
from w365.service import Service
from w365.service.access import needs, require
from w365.service.importing.accounts import AccountsChoice, find_target, plan_accounts
from w365.service.importing.mapping_plan import FIELDS, Verdict
from w365.service.importing.mappings import TARGET, MappingChoice, plan_mappings
from w365.service.importing.report import Plan, Tell, write_whole
from w365.service.importing.uploads import Task, Upload, forget_upload, hand_over, read_upload, taken_up
from w365.service.syncing.manual_rows import FIELDS as ACCOUNT_FIELDS
from w365.sheets import Places, open_sheet
from w365.store.run_counts import Counts
from w365.store.runs import Progress, RunView, request_run


@needs(Role.ANALYST)
def request_accounts_import(
    service: Service, actor: Actor, provider_id: int, upload: Upload, places: Places, choice: AccountsChoice
) -> int:
    """Queue what `import_accounts` does and return the run's id; the file belongs to the run from then on."""
    if choice.many_gone:
        require(actor, Role.ADMIN)
    chosen = {"provider_id": provider_id, **asdict(choice)}
    target = find_target(service, provider_id)
    return _request(service, actor, RunKind.IMPORT, target, Task(upload, places, chosen))


@needs(Role.ANALYST)
def request_mappings_import(
    service: Service, actor: Actor, upload: Upload, places: Places, choice: MappingChoice
) -> int:
    """Queue what `import_mappings` does and return the run's id; the file belongs to the run from then on."""
    chosen = {**asdict(choice), "take": sorted(choice.take)}
    return _request(service, actor, RunKind.MAPPING_IMPORT, TARGET, Task(upload, places, chosen))


def _request(service: Service, actor: Actor, kind: RunKind, target: str, task: Task) -> int:
    content = read_upload(task.upload)
    with service.store.write() as connection:
        run_id = request_run(connection, kind, target, actor.name, service.clock())
        hand_over(service, connection, run_id, task, content)
    forget_upload(service, actor, task.upload)
    return run_id


def run_import_of_file(service: Service, run: RunView, progress: Progress) -> Counts:
    """Do an import, all of it or nothing, and forget its file."""
    try:
        with taken_up(service, run.id) as task:
            plan = _PLANS[run.kind](service, Actor(run.actor, Role.ADMIN), task, lambda _: progress.check())
            return write_whole(service, run, plan())
    except Cancelled as error:
        raise Cancelled(error.what, kept="Nothing was imported.", do=error.do) from None


def _plan_accounts(service: Service, actor: Actor, task: Task, tell: Tell) -> Plan:
    chosen: dict[str, Any] = dict(task.choice)
    provider_id = chosen.pop("provider_id")
    sheet = open_sheet(task.upload.name, task.upload.path, ACCOUNT_FIELDS, task.upload.reading)
    return plan_accounts(service, provider_id, sheet, task.places, AccountsChoice(**chosen), tell)


def _plan_mappings(service: Service, actor: Actor, task: Task, tell: Tell) -> Plan:
    take = frozenset(Verdict(word) for word in task.choice["take"])
    choice = MappingChoice(**{**task.choice, "take": take})
    sheet = open_sheet(task.upload.name, task.upload.path, FIELDS, task.upload.reading)
    return plan_mappings(service, actor, sheet, task.places, choice, tell)


_PLANS = {RunKind.IMPORT: _plan_accounts, RunKind.MAPPING_IMPORT: _plan_mappings}
