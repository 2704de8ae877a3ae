"""`w365 retention` and `w365 erase`: what is removed after its time, and who and what is erased on request."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from w365.cli.frame import AsJson, open_service, print_answer, print_rows
from w365.service.access import command_line_user


def retention(
    remove: Annotated[bool, typer.Option("--remove", help="Remove what is due now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say for how long things are kept and what is due; a worker removes that every hour."""
    from w365.service.retention.keeping import preview_retention, remove_old

    with open_service() as service:
        actor = command_line_user()
        if remove:
            removed = remove_old(service, actor)
            told = ", ".join(f"{number:,} of {kind.replace('_', ' ')}" for kind, number in removed.items())
            print_answer(as_json, {"removed": removed}, f"Removed: {told}." if told else "Nothing was due.")
            return
        rows = [
            {
                "what": keeping.kind.replace("_", " "),
                "kept_for": f"{keeping.limit:,} {keeping.unit}" if keeping.limit else "ever",
                "due": keeping.due.rows,
                "oldest": keeping.due.oldest.date().isoformat() if keeping.due.oldest else None,
            }
            for keeping in preview_retention(service, actor)
        ]
    print_rows(as_json, "retention", rows)


def erase(
    person: Annotated[str | None, typer.Option(help="Name or login of who is to be forgotten.")] = None,
    customer: Annotated[str | None, typer.Option(help="Specific id of the customer to delete.")] = None,
    provider: Annotated[str | None, typer.Option(help="Whose customer, where several have that id.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is said what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget a person, whose deeds stay under another name, or delete a customer. There is no undo."""
    if (person is None) == (customer is None) or (provider is not None and customer is None):
        raise typer.BadParameter("Give --person NAME, or --customer ID and, where needed, --provider NAME.")
    from w365.service.retention import erasure

    with open_service() as service:
        actor = command_line_user()
        if person is not None:
            done = (erasure.erase_person if yes else erasure.preview_person)(service, actor, person)
        else:
            erase_it = erasure.erase_customer if yes else erasure.preview_customer
            done = erase_it(service, actor, customer or "", provider)
    rows = ", ".join(f"{number:,} in {table}" for table, number in done.rows.items())
    place = f" “{done.stands_in}” stands in the place of the name." if done.stands_in else ""
    told = (
        f"{done.subject} was erased: {rows or 'no rows'}.{place} Backups, exported files and old logs still hold it."
        if yes
        else f"{done.subject} would be erased: {rows or 'no rows'}. Nothing was changed; --yes does it."
    )
    print_answer(as_json, asdict(done) | {"erased": yes}, told)
