"""`w365 tokens …`: by which secrets programs get in to `/api/v1`."""

from __future__ import annotations

import enum
from typing import Annotated, Any

import typer

from w365.cli.frame import AsJson, open_service, print_answer, print_rows
from w365.model import Role
from w365.service.access import command_line_user, end_of_token
from w365.store.people.service_tokens import TokenRow

tokens = typer.Typer(help="Make, list and revoke the tokens of programs.", no_args_is_help=True)


class RoleOfToken(enum.StrEnum):
    """What can be given to a program."""

    VIEWER = "viewer"
    ANALYST = "analyst"


@tokens.command("list")
def show_tokens(as_json: AsJson = False) -> None:
    """List all tokens, those that ended too."""
    from w365.service.people.service_tokens import list_tokens

    with open_service() as service:
        now = service.clock()
        rows = [
            _row(row) | {"state": end_of_token(row, now) or "open"} for row in list_tokens(service, command_line_user())
        ]
    print_rows(as_json, "tokens", rows)


@tokens.command("add")
def add_token(
    name: Annotated[str, typer.Argument(help="The service account: small letters, digits, - _ and .")],
    role: Annotated[RoleOfToken, typer.Option(help="What the program may do.")] = RoleOfToken.VIEWER,
    days: Annotated[int, typer.Option(help="How long the token lives.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Make a token of a service account and print it. It is never shown again."""
    from w365.service.people.service_tokens import make_token

    with open_service() as service:
        made = make_token(service, command_line_user(), name, Role[role.name], days)
    print_answer(as_json, {**_row(made.token), "secret": made.secret}, made.secret)


@tokens.command("revoke")
def revoke(
    token: Annotated[int, typer.Argument(help="The token's number, as `tokens list` has it.")], as_json: AsJson = False
) -> None:
    """End a token: its next call is refused."""
    from w365.service.people.service_tokens import revoke_token

    with open_service() as service:
        row = revoke_token(service, command_line_user(), token)
    print_answer(as_json, {"token": row.id, "name": row.name}, f"Token {row.id} of {row.name} is revoked.")


def _row(row: TokenRow) -> dict[str, Any]:
    used = row.used_at and row.used_at.isoformat(timespec="seconds")
    return {
        "token": row.id,
        "name": row.name,
        "role": row.role.name.lower(),
        "ending": row.ending,
        "made_by": row.made_by,
        "expires": row.expires_at.isoformat(timespec="seconds"),
        "last_used": used,
    }
