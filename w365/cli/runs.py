"""`w365 sync`, `match`, `undo`, `cancel` and `worker`: what is done as runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import typer

from w365.cli.frame import AsJson, open_service, print_answer, print_runs, run_now
from w365.matching.messages import LEFT_WORDS
from w365.service.access import command_line_user


def sync(
    provider: Annotated[str | None, typer.Option(help="Sync this provider only.")] = None,
    crm: Annotated[bool, typer.Option("--crm", help="Sync the CRM only.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read every customer and account, not only what changed.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Sync the CRM and all providers (the default).")] = False,
    as_json: AsJson = False,
) -> None:
    """Sync accounts from the CRM and customers from the providers, then match."""
    if (provider is not None) + crm + everything > 1:
        raise typer.BadParameter("Choose one of --provider, --crm and --all.")
    from w365.service.syncing.providers import get_crm, list_providers
    from w365.service.syncing.runs import find_source, request_crm_sync, request_sync

    if provider is not None:
        with open_service() as service:  # before the demo is started, which a wrong name is not worth
            find_source(service, command_line_user(), provider)
    with open_service(connect=True) as service:
        actor = command_line_user()
        runs = []
        if crm or (provider is None and not get_crm(service, actor).missing):
            runs.append(run_now(service, partial(request_crm_sync, service, actor, full=full)))
        if not crm:
            synced = [each.name for each in list_providers(service, actor) if _is_synced(each)]
            names = [provider] if provider else synced
            runs.extend(run_now(service, partial(request_sync, service, actor, name, full=full)) for name in names)
        print_runs(service, runs, as_json=as_json)


def _is_synced(provider: Any) -> bool:
    return provider.kind.value != "manual" and not provider.missing


def match(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be mapped; map nothing.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Make evidence and proposals anew first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Map what is certain, if Auto-Match is on."""
    from w365.service.matching.run import preview_match
    from w365.service.syncing.runs import request_match

    with open_service() as service:
        if not dry_run:
            request = partial(request_match, service, command_line_user(), full=full)
            print_runs(service, [run_now(service, request)], as_json=as_json)
            return
        preview = preview_match(service, command_line_user())
    text = f"{preview.total:,} provider accounts would be mapped, {preview.conflicts:,} are in conflict."
    if not preview.auto_match:
        text += " Auto-Match is off, so a run maps nothing."
    print_answer(as_json, asdict(preview), text)


def undo(
    last: Annotated[bool, typer.Option("--last", help="Take back what you did last.")] = False,
    decision: Annotated[int | None, typer.Option(help="Take back this decision.")] = None,
    run: Annotated[int | None, typer.Option(help="Take back all that this run decided.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be taken back; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take decisions back. Rows changed since are left and listed."""
    if last + (decision is not None) + (run is not None) != 1:
        raise typer.BadParameter("Choose one of --last, --decision and --run.")
    from w365.service.deciding.bulk_run import confirm_plan, discard_plan, list_left
    from w365.service.deciding.undo import Undoable, preview_last, preview_undo

    with open_service() as service:
        actor = command_line_user()
        preview = preview_last(service, actor) if last else preview_undo(service, actor, Undoable(decision, run))
        plan = preview.plan
        left = [asdict(row) for row in list_left(service, actor, plan.id)]
        if dry_run or not plan.would:
            discard_plan(service, actor, plan.id)
            answer = {"undo": plan.title, "would_take_back": plan.would, "left": plan.left, "left_rows": left}
            text = _say_undo(f"{plan.would:,} provider accounts would be taken back.", left, plan.left)
            print_answer(as_json, answer, text)
            return
        print_runs(service, [run_now(service, partial(confirm_plan, service, actor, plan.id))], as_json=as_json)
        if not as_json and left:
            print(_say_undo("", left, plan.left))


def _say_undo(first: str, rows: Sequence[Mapping[str, Any]], left: Mapping[str, int]) -> str:
    """Say what is left and by whom it was changed, a line each, after a `first` line if there is one."""
    lines = [first, *(f"{amount:,} left: {LEFT_WORDS[why]}." for why, amount in left.items())]
    lines += [f"  {row['provider_account']} ({row['provider']}): {row['by'] or LEFT_WORDS[row['why']]}" for row in rows]
    return "\n".join(filter(None, lines))


def cancel(
    run: Annotated[int, typer.Argument(help="The number of the run, as Activity and a refusal name it.")],
    wait: Annotated[bool, typer.Option("--wait", help="Return when it has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """End a run that waits, and ask one under way to stop. What it wrote is kept."""
    from w365.service.syncing.runs import cancel_active, say_state

    with open_service() as service:
        actor = command_line_user()
        seen = cancel_active(service, actor, run)
        if wait:
            from w365.jobs import wait_for_end

            seen = wait_for_end(service, run)
        state = say_state(seen)
        answer = {"run": seen.id, "kind": seen.kind.value, "target": seen.target, "state": state}
        print_answer(as_json, answer, f"{seen.target} {seen.kind.value}: {state}")


def worker(parent: Annotated[int | None, typer.Option(hidden=True)] = None) -> None:
    """Work on queued runs until stopped. Start as many as wanted on PostgreSQL."""
    from w365.jobs import work

    with open_service(connect=True) as service:
        work(service, parent=parent)
