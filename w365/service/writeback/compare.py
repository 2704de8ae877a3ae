"""Read the CRM's table of mappings: to compare it with ours, and to import from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from w365.crm.mappings import RemoteMapping
from w365.crm.tables import MappingPlace
from w365.errors import InputError
from w365.http.wait import Check, never_stop
from w365.model import Actor, Role, RunKind
from w365.service import Service
from w365.service.access import needs
from w365.service.writeback.place import need_place
from w365.sheets import Line, Reading, Sheet, Table
from w365.store.run_counts import Count, Counts
from w365.store.runs import Progress, RunView, add_problems, request_run
from w365.store.writeback import remote_mappings
from w365.store.writeback.remote_mappings import Remote
from w365.store.writeback.runs import TARGET

_HEADINGS = ("Provider", "Provider specific account id", "Account id")


@needs(Role.ANALYST)
def request_compare(service: Service, actor: Actor) -> int:
    need_place(service)
    with service.store.write() as connection:
        return request_run(connection, RunKind.COMPARE, TARGET, actor.name, service.clock())


def run_compare(service: Service, run: RunView, progress: Progress) -> Counts:
    """Read all rows of the table and keep them in the place of what was read before; nothing else is written.

    Differences follow from these rows and what is mapped, as both are at the moment of asking.
    """
    rows: list[RemoteMapping] = []
    rejected = 0
    place, begun = need_place(service), service.clock()
    with service.open_crm(progress.beat) as crm:
        for page in crm.mappings(place).pages():
            progress.check()
            rows += page.changed
            rejected += len(page.rejected)
            with service.store.write() as connection:
                add_problems(connection, run.id, page.rejected)
                progress.report(connection, done=len(rows), message="Reading the table")
    with service.store.write() as connection:
        remote_mappings.forget_remote(connection)
        remote_mappings.note_remote(connection, (_as_remote(row) for row in rows))
        remote_mappings.note_written_since(connection, str(place), begun)
        progress.report(connection, done=len(rows))
    return Counter({Count.READ: len(rows), Count.REJECTED: rejected})


@needs(Role.ANALYST)
def read_sheet(service: Service, actor: Actor, check: Check = never_stop) -> Sheet:
    """Read the table as if it were a file of mappings; what is read is looked at and imported as it was then.

    It waits for the CRM: for a process of its own. A page asks for a run that compares and takes what that read.
    """
    place = need_place(service)
    rows: list[Remote] = []
    with service.open_crm(check) as crm:
        for page in crm.mappings(place).pages():
            rows += map(_as_remote, page.changed)
    return _sheet(place, rows)


@needs(Role.ANALYST)
def sheet_as_read(service: Service, actor: Actor) -> Sheet:
    """The table as the last run that compares read it, in the shape of `read_sheet`; InputError where it is empty."""
    place = need_place(service)
    with service.store.read() as connection:
        rows = remote_mappings.list_remote(connection)
    return _sheet(place, rows)


def _sheet(place: MappingPlace, rows: Sequence[Remote]) -> Sheet:
    if not rows:
        raise InputError(f"The table {place.table} of Dataverse is empty.", kept="Nothing was imported.")
    first = 0 if place.provider_column else 1
    lines = (_HEADINGS[first:], *((row.provider, row.specific_id, row.account)[first:] for row in rows))

    def read() -> Iterator[Line]:
        return (Line(number, cells) for number, cells in enumerate(lines, start=1))

    table = Table(f"Dataverse table {place.table}", "read from the CRM", _HEADINGS[first:], Reading(heading_line=1))
    return Sheet(table, read)


def _as_remote(row: RemoteMapping) -> Remote:
    return Remote(row.row_id, row.specific_id, row.provider, row.account)
