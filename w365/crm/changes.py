"""Reading a Dataverse table page by page, whole or by its changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, urljoin, urlsplit

from w365.crm.records import is_deleted, read_deleted
from w365.crm.refusals import explain_access, refuses_link
from w365.crm.tables import rows_of
from w365.errors import DeltaExpired
from w365.http.attempts import KEPT
from w365.http.client import Answer, ApiClient, Explain
from w365.http.fields import FieldError, Record, guid_or_empty, name_record, refuse_pattern, required_guid
from w365.http.refusal import Refusal
from w365.source_records import ChangePage, Rejected

T = TypeVar("T")

# The most rows that Dataverse gives a page.
_PAGE_SIZE = 5000
# A page may be empty and the list go on; so many in a row lead nowhere.
_MOST_EMPTY_PAGES = 20
_TRACKING = re.compile(r"change.?tracking|track-changes", re.IGNORECASE)
_TRACK = "odata.track-changes"


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """A table of the CRM: the name of its set, what is selected, and how a row is read."""

    name: str
    path: str
    id_column: str
    columns: tuple[str, ...]
    read: Callable[[Record], T] = field(repr=False)
    annotations: str = ""


class _TrackingRefused(Exception):
    """The table does not track changes for this application."""


class TableReader(Generic[T]):
    """Reads ``table`` through ``client``."""

    def __init__(self, client: ApiClient, table: Table[T], headers: Mapping[str, str]) -> None:
        self._client = client
        self._table = table
        self._headers = headers

    def changes(self, since: str) -> Iterator[ChangePage[T]]:
        """Yield what changed since the delta link.

        Raises DeltaExpired when it is too old, for other columns, or of the address the CRM was reached at before.
        """
        self._refuse_other(since)
        for page in self._pages(since, self._prefer(), self._explain_link):
            yield replace(page, cursor=None)  # changes are asked for once more from their beginning

    def rest(self, cursor: str) -> Iterator[ChangePage[T]]:
        """Yield the rows after a page of `everything`. Raises DeltaExpired as `changes` does."""
        self._refuse_other(cursor)
        yield from self._pages(cursor, self._prefer(_TRACK), self._explain_link)

    def everything(self) -> Iterator[ChangePage[T]]:
        """Yield all rows; with a delta link at the end where the table tracks changes."""
        path = f"{self._table.path}?$select={','.join(self._table.columns)}"
        try:
            yield from self._pages(path, self._prefer(_TRACK), self._explain_tracking)
        # Without change tracking the preference is refused: the table is then read whole at each sync.
        except _TrackingRefused:
            yield from self._pages(path, self._prefer(), self.explain)

    def first_row(self) -> None:
        """Read one row, to see whether that is allowed."""
        path = f"{self._table.path}?$select={','.join(self._table.columns)}&$top=1"
        self.rows_of(self._client.get_json(path, headers=self._headers, explain=self.explain))

    def _refuse_other(self, link: str) -> None:
        selected = parse_qs(urlsplit(link).query).get("$select", [""])[0].split(",")
        if not {*self._table.columns} <= {column.strip() for column in selected} or not self._client.is_at(link):
            raise self._expired("")

    def _prefer(self, *more: str) -> dict[str, str]:
        preferences = [f"odata.maxpagesize={_PAGE_SIZE}", *more]
        if self._table.annotations:
            preferences.append(f'odata.include-annotations="{self._table.annotations}"')
        return {**self._headers, "Prefer": ",".join(preferences)}

    def _pages(self, first: str, headers: Mapping[str, str], explain: Explain) -> Iterator[ChangePage[T]]:
        link: str | None = first
        seen: set[str] = set()
        empty = 0
        while link is not None:
            seen.add(link)
            answer = self._client.get_json(link, headers=headers, explain=explain)
            rows = self.rows_of(answer)
            link = self._link(answer, "@odata.nextLink")
            empty = 0 if rows else empty + 1
            if link in seen or empty >= _MOST_EMPTY_PAGES:
                raise answer.changed(self._client.source, f"its list of {self._table.name} leads in a circle.")
            page = self._read(rows, None if link else self._link(answer, "@odata.deltaLink"))
            yield replace(page, cursor=link)

    def rows_of(self, answer: Answer) -> list[Any]:
        return rows_of(answer, self._client.source, self._table.name)

    def _link(self, answer: Answer, name: str) -> str | None:
        link = answer.body.get(name)
        if link is not None and not isinstance(link, str):
            raise answer.changed(self._client.source, f"{name} is not text.")
        return urljoin(answer.url, link) if link else None

    def _read(self, rows: list[Any], delta_link: str | None) -> ChangePage[T]:
        """Read a page. Of what happened to one record the last counts: it is there, or it is gone."""
        standing: dict[str, T | None] = {}
        rejected: list[Rejected] = []
        for position, row in enumerate(rows):
            try:
                record_id, record = self._read_row(row)
                standing.pop(record_id, None)
                standing[record_id] = record
            except FieldError as error:
                record_id = name_record(row, self._table.id_column, position)
                rejected.append(Rejected(record_id, str(error)))
                standing.pop(guid_or_empty(record_id), None)
        refuse_pattern(self._client.source, rejected, len(rows))
        changed = tuple(record for record in standing.values() if record is not None)
        deleted = tuple(record_id for record_id, record in standing.items() if record is None)
        return ChangePage(changed, deleted, tuple(rejected), delta_link)

    def _read_row(self, row: Any) -> tuple[str, T | None]:
        """The id of a record and the record, None where it was deleted. Raises FieldError."""
        if is_deleted(row):
            return read_deleted(row), None
        record = _as_record(row)
        return required_guid(record, self._table.id_column), self._table.read(record)

    def explain(self, refusal: Refusal) -> Exception | None:
        """Say which permission is missing."""
        table = self._table.name
        role = f"reads {table} of the whole organisation"
        return explain_access(self._client.source, refusal, f"read {table}", role)

    def _explain_tracking(self, refusal: Refusal) -> Exception | None:
        if refusal.status in {400, 403, 501} and _TRACKING.search(refusal.message):
            return _TrackingRefused()
        return self.explain(refusal)

    def _explain_link(self, refusal: Refusal) -> Exception | None:
        if refuses_link(refusal):
            return self._expired(refusal.detail, f" ({refusal.say()})")
        return self.explain(refusal)

    def _expired(self, detail: str, why: str = "") -> DeltaExpired:
        return DeltaExpired(
            f"{self._client.source} no longer takes the change link of {self._table.name}{why}.",
            kept=KEPT,
            do="All of them are read once more.",
            detail=detail,
        )


def _as_record(row: Any) -> Record:
    if not isinstance(row, dict):
        raise FieldError("the record is not an object.")
    return row
