"""Import the rows of a manual provider from a file: look first, then all of it or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from w365.model import Actor, Role, RunKind, fold_guid
from w365.service import Service
from w365.service.access import needs, require
from w365.service.importing.choices import find_accounts_target, remember
from w365.service.importing.reading import LineTexts, Spool, find_damage, read_texts
from w365.service.importing.report import (
    LineError,
    Plan,
    Tell,
    Work,
    check_places,
    count_lines,
    keep_errors,
    refuse_errors,
    run_import,
)
from w365.service.syncing.manual_rows import COUNTRY, DOMAINS, FIELDS, SPECIFIC_ID, TENANT, read_row
from w365.sheets import Places, Sheet
from w365.source_records import Customer, CustomerPage
from w365.store.db.engine import Connection
from w365.store.run_counts import Count, Counts
from w365.store.runs import RunView, see
from w365.store.syncing.customer_changes import NOT_WRITTEN
from w365.store.syncing.customer_spellings import find_spellings
from w365.store.syncing.customers import (
    SUBJECT,
    compare_customers,
    read_facts,
    read_ids,
    read_present_ids,
    store_page,
)
from w365.store.syncing.gone_customers import mark_gone
from w365.store.syncing.gone_guard import GoneGuard, is_too_many
from w365.store.syncing.providers import get_manual_provider

_CHUNK = 2_000
_SHOWN = 100
_NOTHING = "Nothing was imported."
_GUARD = GoneGuard(
    "customers",
    "the file",
    kept=_NOTHING,
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

    `shown` are the first changes; `hidden` counts the lines that are hidden in the workbook, and read.
    """

    lines: int
    counts: Counts
    errors: tuple[LineError, ...]
    known: int
    missing: int
    too_many: bool
    shown: tuple[AccountChange, ...]
    hidden: int = 0

    @property
    def bad_lines(self) -> int:
        return count_lines(self.errors)


@needs(Role.ANALYST)
def preview_accounts(service: Service, actor: Actor, provider_id: int, sheet: Sheet, places: Places) -> AccountsPreview:
    """Say what importing would do; nothing is written."""
    check_places(sheet, FIELDS, places)
    counts: Counts = Counter()
    shown: list[AccountChange] = []
    find_target(service, provider_id)
    reader = _CustomerReader(sheet, places)
    with service.store.read() as connection:
        reader.compare(connection, provider_id)
        for customers in reader.chunks(connection, provider_id):
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
    return AccountsPreview(reader.lines, counts, errors, len(present), missing, too_many, tuple(shown), reader.hidden)


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
    plan = plan_accounts(service, provider_id, sheet, places, chosen, tell)
    return run_import(service, actor, RunKind.IMPORT, find_target(service, provider_id), plan)


def find_target(service: Service, provider_id: int) -> str:
    """What a run of an import is about: the name of a provider that is manual."""
    with service.store.read() as connection:
        return get_manual_provider(connection, provider_id, kept=_NOTHING).name


def plan_accounts(
    service: Service, provider_id: int, sheet: Sheet, places: Places, chosen: AccountsChoice, tell: Tell
) -> Plan:
    """Give what reads the file and then does what `import_accounts` does."""
    check_places(sheet, FIELDS, places)

    def read() -> Work:
        reader = _CustomerReader(sheet, places, tell)
        return lambda connection, run_id: write(connection, run_id, reader)

    def write(connection: Connection, run_id: int, reader: _CustomerReader) -> Counts:
        counts: Counts = Counter()
        reader.compare(connection, provider_id)
        at = service.clock()
        for customers in reader.chunks(connection, provider_id):
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
        remember(connection, find_accounts_target(provider_id), sheet, FIELDS, places)
        return +counts

    return read


class _CustomerReader:
    """Reads lines into customers, before any transaction, and keeps what is wrong. In memory stay the ids met."""

    def __init__(self, sheet: Sheet, places: Places, tell: Tell = lambda _: None) -> None:
        self._sheet, self._places, self._tell = sheet, places, tell
        self._errors: list[LineError] = []
        self._damaged: dict[str, LineError] = {}
        self._others: dict[str, str] = {}
        self.ids: dict[str, int] = {}
        self.lines = self.hidden = 0
        self._spool = Spool(self._parts())

    def _parts(self) -> Iterator[list[_Read]]:
        part: list[_Read] = []
        for line in read_texts(self._sheet, FIELDS, self._places):
            self.lines += 1
            self.hidden += line.is_hidden
            if customer := self._customer(line):
                part.append((customer, frozenset(line.texts)))
            if len(part) == _CHUNK:
                yield part
                self._tell(self.lines)
                part = []
        if part:
            yield part

    def _customer(self, line: LineTexts) -> Customer | None:
        if line.surplus:
            width = len(self._sheet.headings)
            why = f"has {line.surplus} cells under {width} headings; quote a cell that holds the separator"
            self._errors.append(LineError(line.number, "", "", why))
            return None
        customer, problems = read_row(line.texts, line.doubts)
        for problem in problems:
            self._refuse(line, problem.field, problem.why)
        specific_id = fold_guid(line.texts.get(SPECIFIC_ID, ""))
        first = self.ids.setdefault(specific_id, line.number) if specific_id else line.number
        if first != line.number:
            self._refuse(line, SPECIFIC_ID, f"stands in line {first:,} already")
            return None
        if customer and (why := find_damage(specific_id)):
            self._damaged[specific_id] = self._error(line, SPECIFIC_ID, why)
        return customer

    def _refuse(self, line: LineTexts, field: str, why: str) -> None:
        self._errors.append(self._error(line, field, why))

    def _error(self, line: LineTexts, field: str, why: str) -> LineError:
        heading = self._sheet.headings[self._places[field]] if field in self._places else ""
        return LineError(line.number, heading, line.texts.get(field, ""), why)

    # --- against what is stored ---

    def compare(self, connection: Connection, provider_id: int) -> None:
        """Let ids pass that look as if a spreadsheet had changed them, but are stored; find GUIDs stored otherwise."""
        for known in read_ids(connection, provider_id, list(self._damaged)):
            del self._damaged[known]
        self._others = find_spellings(connection, provider_id, self.ids)
        for text, stored in self._others.items():
            self.ids[stored] = self.ids.pop(text)

    @property
    def errors(self) -> list[LineError]:
        return sorted((*self._errors, *self._damaged.values()), key=lambda error: error.line)

    def chunks(self, connection: Connection, provider_id: int) -> Iterator[list[Customer]]:
        """Give the customers as they are to be stored: a fact that a line does not have stays as it is."""
        for part in self._spool:
            kept = [read for read in part if read[0].specific_id not in self._damaged]
            ids = [self._others.get(customer.specific_id, customer.specific_id) for customer, _ in kept]
            is_whole = all(_KEPT.keys() <= said for _, said in kept)
            stored = {} if is_whole else read_facts(connection, provider_id, ids, list(_KEPT.values()))
            yield [
                replace(customer, specific_id=specific_id, **_facts_kept(said, stored.get(specific_id, {})))
                for (customer, said), specific_id in zip(kept, ids, strict=True)
            ]


_Read = tuple[Customer, frozenset[str]]
"""A customer, and the fields that its line has."""

_KEPT = {COUNTRY: "country", TENANT: "tenant_guid", DOMAINS: "default_domain"}
"""Fields, and the stored facts that stay where a line does not have them."""


def _facts_kept(said: frozenset[str], stored: Mapping[str, Any]) -> dict[str, Any]:
    return {fact: stored[fact] for field, fact in _KEPT.items() if field not in said and fact in stored}
