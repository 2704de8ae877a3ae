"""Import the rows of a manual provider from a file: look first, then all of it or nothing."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import InputError, MassDisappearance
from w365.model import Actor, Customer, CustomerPage, ProviderKind, Role, RunKind
from w365.service import Service
from w365.service.access import require
from w365.service.importing.report import (
    LineError,
    Tell,
    check_places,
    count_lines,
    keep_errors,
    refuse_errors,
    run_import,
)
from w365.service.syncing.customer_changes import LEFT_ALONE
from w365.service.syncing.customers import SUBJECT, compare_customers, is_too_many, mark_gone, store_page
from w365.service.syncing.manual_rows import COUNTRY, DOMAINS, FIELDS, SPECIFIC_ID, TENANT, read_row
from w365.sheets import Line, Places, Sheet
from w365.store import tables as t
from w365.store.runs import RunView, see

_CHUNK = 2_000
_SHOWN = 100
_NOTHING = ("unchanged", LEFT_ALONE)


@dataclass(frozen=True, slots=True)
class Choice:
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
    word: str
    change: str


@dataclass(frozen=True, slots=True)
class AccountsPreview:
    """What an import would do. `missing` are the provider's customers, of `known`, that the file does not have.

    `shown` are the first changes.
    """

    lines: int
    counts: Counter[str]
    errors: tuple[LineError, ...]
    known: int
    missing: int
    too_many: bool
    shown: tuple[AccountChange, ...]

    @property
    def bad_lines(self) -> int:
        return count_lines(self.errors)


def preview_accounts(service: Service, actor: Actor, provider_id: int, sheet: Sheet, places: Places) -> AccountsPreview:
    """Say what importing would do; nothing is written."""
    require(actor, Role.ANALYST)
    check_places(sheet, FIELDS, places)
    counts: Counter[str] = Counter()
    shown: list[AccountChange] = []
    with service.store.read() as connection:
        _name_of(connection, provider_id)
        reader = _Reader(connection, provider_id, sheet, places)
        for customers in reader.chunks():
            compared = compare_customers(connection, provider_id, customers)
            counts.update(word for word, _ in compared)
            pairs = zip(customers, compared, strict=True)
            changes = [AccountChange(one.specific_id, one.name, *how) for one, how in pairs if how[0] not in _NOTHING]
            shown.extend(changes[: _SHOWN - len(shown)])
        pa = t.ProviderAccount
        query = sa.select(pa.specific_id).where(pa.provider_id == provider_id, pa.gone_at.is_(None), pa.is_synced)
        here = set(connection.scalars(query))
        missing = len(here - reader.ids.keys())
        too_many = is_too_many(connection, missing, len(here))
    errors = tuple(reader.errors)
    return AccountsPreview(reader.lines, counts, errors, len(here), missing, too_many, tuple(shown))


def import_accounts(
    service: Service,
    actor: Actor,
    provider_id: int,
    sheet: Sheet,
    places: Places,
    choice: Choice | None = None,
    *,
    tell: Tell = lambda _: None,
) -> RunView:
    """Store the lines as one run, and mark what a full list does not have as gone; all of it or nothing.

    Raises InputError when lines cannot be used and were not to be left out, MassDisappearance when a full list lacks
    more customers than the guard lets pass; nothing is imported then. Only an admin may wave the guard aside.
    """
    chosen = choice or Choice()
    require(actor, Role.ADMIN if chosen.many_gone else Role.ANALYST)
    check_places(sheet, FIELDS, places)
    with service.store.read() as connection:
        name = _name_of(connection, provider_id)

    def work(connection: sa.Connection, run_id: int) -> Counter[str]:
        counts: Counter[str] = Counter()
        reader = _Reader(connection, provider_id, sheet, places)
        at = service.clock()
        for customers in reader.chunks():
            store_page(connection, provider_id, CustomerPage(tuple(customers)), run_id, at, counts)
            tell(reader.lines)
        if not chosen.leave_out_errors:
            refuse_errors(reader.errors)
        keep_errors(connection, run_id, reader.errors)
        counts["rejected"] = count_lines(reader.errors)
        if chosen.full_list:
            see(connection, run_id, SUBJECT, reader.ids)
            counts["gone"] = _mark_gone(service, connection, provider_id, run_id, guard=not chosen.many_gone)
        return +counts

    return run_import(service, actor, RunKind.IMPORT, name, work)


def _mark_gone(service: Service, connection: sa.Connection, provider_id: int, run_id: int, *, guard: bool) -> int:
    try:
        return mark_gone(connection, provider_id, run_id, service.clock(), guard=guard)
    except MassDisappearance as error:
        raise MassDisappearance(
            error.what.replace("the provider's list", "the file"),
            kept="Nothing was imported.",
            do="Check that the file is the full list; an admin can confirm that so many left.",
        ) from None


def _name_of(connection: sa.Connection, provider_id: int) -> str:
    row = connection.execute(sa.select(t.Provider.name, t.Provider.kind).where(t.Provider.id == provider_id)).first()
    if row is None or row.kind != ProviderKind.MANUAL:
        raise InputError(
            "Rows can be imported into manual providers only.",
            kept="Nothing was imported.",
            do="Choose a manual provider; an admin adds one on the Providers page.",
        )
    return str(row.name)


class _Reader:
    """Reads lines into customers, some at a time, and keeps what is wrong. In memory stay the ids met, no more."""

    def __init__(self, connection: sa.Connection, provider_id: int, sheet: Sheet, places: Places) -> None:
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
        for one in problems:
            heading = self._heading(one.field)
            self.errors.append(LineError(line.number, heading, texts.get(one.field, ""), one.why))
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
        pa = t.ProviderAccount
        ids = [one.specific_id for one in customers]
        query = sa.select(pa.specific_id, *(getattr(pa, name) for name in kept))
        where = (pa.provider_id == self._provider_id, pa.specific_id.in_(ids))
        known = {row[0]: dict(zip(kept, row[1:], strict=True)) for row in self._connection.execute(query.where(*where))}
        return [
            dataclasses.replace(one, **known[one.specific_id]) if one.specific_id in known else one for one in customers
        ]
