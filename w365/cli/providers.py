"""`w365 providers`: which there are, and a further one whose rows are imported or entered by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from w365.cli.frame import AsJson, open_service, print_answer, print_rows
from w365.service import Service
from w365.service.access import command_line_user
from w365.store.runs import RunView

providers = typer.Typer(invoke_without_command=True)


@providers.callback()
def show_providers(context: typer.Context, as_json: AsJson = False) -> None:
    """List the providers with their state and counts."""
    if context.invoked_subcommand:
        return
    from w365.service.syncing.providers import list_providers

    with open_service() as service:
        rows = [
            {
                "name": provider.name,
                "kind": provider.kind.value,
                "state": _say_state(service, provider.missing or _sign_in_problem(service, provider.id)),
                "provider_accounts": provider.accounts,
                "open": provider.open,
                "gone": provider.gone,
                "last_sync": _say_end(provider.last_done),
            }
            for provider in list_providers(service, command_line_user())
        ]
    print_rows(as_json, "providers", rows)


def _say_end(run: RunView | None) -> str | None:
    return run.ended_at.isoformat() if run and run.ended_at else None


def _say_state(service: Service, missing: str) -> str:
    """In words whether a provider can be synced; the demo's servers are started when they are needed."""
    return "demo" if missing and service.settings.is_demo else missing or "ready"


def _sign_in_problem(service: Service, provider_id: int) -> str:
    from w365.service.connecting.sign_ins import get_sign_in

    sign_in = get_sign_in(service, command_line_user(), str(provider_id))
    return sign_in.problem if sign_in else ""


@providers.command("add")
def add_provider(
    name: Annotated[str, typer.Argument(help="What it is to be called.")], as_json: AsJson = False
) -> None:
    """Add a manual provider, whose rows are imported or entered by hand."""
    from w365.service.syncing.providers import add_manual_provider, get_provider_name

    with open_service() as service:
        provider_id = add_manual_provider(service, command_line_user(), name)
        kept = get_provider_name(service, command_line_user(), provider_id)
    answer = {"id": provider_id, "name": kept}
    print_answer(as_json, answer, f"{kept} is added. `import accounts` takes its rows from a file.")
