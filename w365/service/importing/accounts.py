"""Import the rows of a manual provider from a file: look first, then all of it or nothing."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from w365.model import Actor, Role, RunKind
from w365.service import Service
from w365.service.access import needs, require
from w365.service.importing.report import (
    LineError,
    Tell,
    Work,
    check_places,
    count_lines,
    keep_errors,
    refuse_errors,
    run_import,
)
from w365.service.syncing.manual_rows import COUNTRY, DOMAINS, FIELDS, SPECIFIC_ID, TENANT, read_row
from w365.sheets import Line, Places, Sheet
from w365.source_records import Customer, CustomerPage
from w365.store.db.engine import Connection
from w365.store.run_counts import Count, Counts
from w365.store.runs import RunView, see
from w365.store.syncing.customer_changes import NOT_WRITTEN
from w365.store.syncing.customers import SUBJECT, compare_customers, read_facts, read_present_ids, store_page
from w365.store.syncing.gone_customers import mark_gone
from w365.store.syncing.gone_guard import GoneGuard, is_too_many
from w365.store.syncing.providers import get_manual_provider

_CHUNK = 2_000
_SHOWN = 100
_KEPT = "Nothing was imported."
_GUARD = GoneGuard(
    "customers",
    "the file",
    kept=_KEPT,
    do="Check that the file is the full list; an admin can confirm that so many left.",
)


@dataclass(frozen=True, slots=True)
class AccountsChoice:
    """What the person decided before the import.

    `full_list`: customers that the file does not have are gone; `many_gone`: even if they are more than the guard lets
    pass.
    """

    leave_out_errors: bool = False
    full_list: bool = False
    many_gone: bool = False


@dataclass(frozen=True, slots=True)
class AccountChange:
    """A line that would change something: the customer, whether new, changed or returned, and what changes."""

    specific_id: str
    name: str
    word: Count
    change: str


@dataclass(frozen=True, slots=True)
class AccountsPreview:
    """What an import would do. `missing` are the provider's customers, of `known`, that the file does not have.

    `shown` are the first changes.
    """

    lines: int
    counts: Counts
    errors: tuple[LineError, ...]
    known: int
    missing: int
    too_many: bool
    shown: tuple[AccountChange, ...]

    @property
    def bad_lines(self) -> int:
        return count_lines(self.errors)


@needs(Role.ANALYST)
def preview_accounts(service: Service, actor: Actor, provider_id: int, sheet: Sheet, places: Places) -> AccountsPreview:
    """Say what importing would do; nothing is written."""
    check_places(sheet, FIELDS, places)
    counts: Counts = Counter()
    shown: list[AccountChange] = []
    with service.store.read() as connection:
        get_manual_provider(connection, provider_id, kept=_KEPT)
        reader = _CustomerReader(connection, provider_id, sheet, places)
        for customers in reader.chunks():
            compared = compare_customers(connection, provider_id, customers)
            counts.update(change.outcome for change in compared)
            changes = [
                AccountChange(change.customer.specific_id, change.customer.name, change.outcome, change.describe())
                for change in compared
                if change.outcome not in NOT_WRITTEN
            ]
            shown.extend(changes[: _SHOWN - len(shown)])
        present = read_present_ids(connection, provider_id)
        missing = len(present - reader.ids.keys())
        too_many = is_too_many(connection, missing, len(present))
    errors = tuple(reader.errors)
    return AccountsPreview(reader.lines, counts, errors, len(present), missing, too_many, tuple(shown))


@needs(Role.ANALYST)
def import_accounts(
    service: Service,
    actor: Actor,
    provider_id: int,
    sheet: Sheet,
    places: Places,
    choice: AccountsChoice | None = None,
    *,
    tell: Tell = lambda _: None,
) -> RunView:
    """Store the lines as one run, and mark what a full list does not have as gone; all of it or nothing.

    Raises InputError when lines cannot be used and were not to be left out, MassDisappearance when a full list lacks
    more customers than the guard lets pass; nothing is imported then. Only an admin may wave the guard aside.
    """
    chosen = choice or AccountsChoice()
    if chosen.many_gone:
        require(actor, Role.ADMIN)
    work = plan_accounts(service, provider_id, sheet, places, chosen, tell)
    return run_import(service, actor, RunKind.IMPORT, find_target(service, provider_id), work)


def find_target(service: Service, provider_id: int) -> str:
    """What a run of an import is about: the name of a provider that is manual."""
    with service.store.read() as connection:
        return get_manual_provider(connection, provider_id, kept=_KEPT).name


def plan_accounts(
    service: Service, provider_id: int, sheet: Sheet, places: Places, chosen: AccountsChoice, tell: Tell
) -> Work:
    """Give what `import_accounts` does in its transaction."""
    check_places(sheet, FIELDS, places)

    def work(connection: Connection, run_id: int) -> Counts:
        counts: Counts = Counter()
        reader = _CustomerReader(connection, provider_id, sheet, places)
        at = service.clock()
        for customers in reader.chunks():
            store_page(connection, provider_id, CustomerPage(tuple(customers)), run_id, at, counts)
            tell(reader.lines)
        if not chosen.leave_out_errors:
            refuse_errors(reader.errors)
        keep_errors(connection, run_id, reader.errors)
        counts[Count.REJECTED] = count_lines(reader.errors)
        if chosen.full_list:
            see(connection, run_id, SUBJECT, reader.ids)
            guard = None if chosen.many_gone else _GUARD
            counts[Count.GONE] = mark_gone(connection, provider_id, run_id, service.clock(), guard)
        return +counts

    return work


class _CustomerReader:
    """Reads lines into customers, some at a time, and keeps what is wrong. In memory stay the ids met, no more."""

    def __init__(self, connection: Connection, provider_id: int, sheet: Sheet, places: Places) -> None:
        self._connection, self._provider_id = connection, provider_id
        self._sheet, self._places = sheet, places
        self.errors: list[LineError] = []
        self.ids: dict[str, int] = {}
        self.lines = 0

    def chunks(self) -> Iterator[list[Customer]]:
        part: list[Customer] = []
        for line in self._sheet.lines():
            self.lines += 1
            if customer := self._customer(line):
                part.append(customer)
            if len(part) == _CHUNK:
                yield self._filled_in(part)
                part = []
        if part:
            yield self._filled_in(part)

    def _customer(self, line: Line) -> Customer | None:
        width = len(self._sheet.headings)
        if any(line.cells[width:]):
            why = f"has {len(line.cells)} cells under {width} headings; quote a cell that holds the separator"
            self.errors.append(LineError(line.number, "", "", why))
            return None
        texts = {name: line.cell(place) for name, place in self._places.items()}
        customer, problems = read_row(texts)
        for problem in problems:
            heading = self._heading(problem.field)
            self.errors.append(LineError(line.number, heading, texts.get(problem.field, ""), problem.why))
        specific_id = texts[SPECIFIC_ID]
        first = self.ids.setdefault(specific_id, line.number) if specific_id else line.number
        if first == line.number:
            return customer
        self.errors.append(
            LineError(line.number, self._heading(SPECIFIC_ID), specific_id, f"stands in line {first:,} already")
        )
        return None

    def _heading(self, field: str) -> str:
        return self._sheet.headings[self._places[field]]

    def _filled_in(self, customers: Sequence[Customer]) -> list[Customer]:
        """A fact for which the file has no column stays as it is stored."""
        kept = [name for name in (COUNTRY, TENANT) if name not in self._places]
        kept += ["default_domain"] if DOMAINS not in self._places else []
        if not kept:
            return list(customers)
        ids = [customer.specific_id for customer in customers]
        stored = read_facts(self._connection, self._provider_id, ids, kept)
        return [dataclasses.replace(customer, **stored.get(customer.specific_id, {})) for customer in customers]
