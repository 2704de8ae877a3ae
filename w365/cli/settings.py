"""`w365 config …` and `secrets …`: the settings, and the secrets that are stored."""

from __future__ import annotations

from typing import Annotated

import typer

from w365.cli.frame import AsJson, open_service, print_answer
from w365.errors import ConfigurationError, NotFound
from w365.service.access import command_line_user

config = typer.Typer(help="Read or change a setting.", no_args_is_help=True)
stored_secrets = typer.Typer(help="Look after the stored secrets.", no_args_is_help=True)


@config.command("get")
def get_setting(name: Annotated[str | None, typer.Argument()] = None, as_json: AsJson = False) -> None:
    """Print one setting, or all."""
    from w365.service.configuring.settings import get_settings

    with open_service() as service:
        values = dict(get_settings(service, command_line_user()))
    if name is not None and name not in values:
        raise NotFound(f"There is no setting “{name}”.", do=f"Settings: {', '.join(values)}.")
    chosen = values if name is None else {name: values[name]}
    text = values[name] if name else "\n".join(f"{key} = {value}" for key, value in values.items())
    print_answer(as_json, chosen, text)


@config.command("set")
def change_setting(name: str, value: str, as_json: AsJson = False) -> None:
    """Change a setting; audited as every change is."""
    from w365.service.configuring.settings import get_settings, set_setting

    with open_service() as service:
        changed = set_setting(service, command_line_user(), name, value)
        now = get_settings(service, command_line_user())[name]
    text = f"{name} is now {now}." if changed else f"{name} was {now} already."
    print_answer(as_json, {"name": name, "value": now, "changed": changed}, text)


@stored_secrets.command("rotate")
def rotate_secrets(as_json: AsJson = False) -> None:
    """Encrypt the stored secrets with the newest W365_SECRET_KEY; an older one that still reads them can go then."""
    from w365.service.connecting.stored_connections import rotate_secrets as rotate

    with open_service() as service:
        renewed, lost = rotate(service, command_line_user())
    text = f"{renewed:,} stored secrets were encrypted with the newest key."
    print_answer(as_json, {"renewed": renewed, "lost": lost}, text)
    if lost:
        raise ConfigurationError(
            f"No key reads what is stored for {', '.join(lost)}.",
            kept="It was left as it is.",
            do="Set the key it was encrypted with as W365_SECRET_KEY_OLD and try again.",
        )
