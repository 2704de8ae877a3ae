"""Reading from Dataverse: one row, pages of rows, and what changed since a change link was given out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar
from urllib.parse import quote, unquote

from w365.demo.dataverse.navigation import Navigation, follow, navigations_of, read_expansions
from w365.demo.dataverse.odata import (
    ODataRefusal,
    Preferences,
    parse_filter,
    parse_orderby,
    refuse_others,
    syntax_error,
    unknown_property,
)
from w365.demo.dataverse.rows import CrmRows
from w365.demo.dataverse.tables import PARENT_KIND, CrmTable
from w365.demo.journal import Row
from w365.demo.wire import Reply, json_reply

LARGEST_PAGE = 5_000
CHANGE_LINK_DAYS = 7

ROW_OPTIONS = frozenset({"$select", "$expand"})
_PART_OPTIONS = frozenset({"$select", "$filter", "$orderby", "$top"})
_LIST_OPTIONS = ROW_OPTIONS | _PART_OPTIONS | {"$count", "$skiptoken", "$deltatoken"}
_NOT_TRACKED = ("$filter", "$orderby", "$top", "$expand")
_COOKIE = re.compile(r'pagenumber="(\d+)" pagingcookie="([^"]*)"(?: since="([\d-]+)" until="(\d+)")?')
_FORMATTED = "OData.Community.Display.V1.FormattedValue"
_LOOKUP_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
_LABELS = {"statecode": {0: "Active", 1: "Inactive"}, "statuscode": {1: "Active", 2: "Inactive"}}
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class PageStart:
    """Where a page begins. ``since`` (-1: a first full read) and ``until`` are set while changes are tracked."""

    page: int = 1
    last: str = ""
    since: int = -1
    until: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """Answers one request about a table.

    ``root`` is the address links begin with; ``fingerprint`` tells our change links from another world's. ``known`` is
    the version that the client has of a row. Where ``among`` is given, only these rows are listed.
    """

    root: str
    rows: CrmRows
    fingerprint: str
    clock: Callable[[], float]
    table: CrmTable
    query: Mapping[str, str]
    preferences: Preferences
    known: str = ""
    among: Sequence[Row] | None = None

    def find_row(self, row_id: str) -> Row:
        row = self.rows.table(self.table).by_id.get(row_id)
        if row is None:
            raise missing_row(self.table, row_id)
        return row

    def read_row(self, row_id: str) -> Reply:
        refuse_others(self.query, ROW_OPTIONS)
        row = self.find_row(row_id)
        etag = make_etag(row)
        if self.known == etag:
            return Reply(304, headers=(("etag", etag),))
        context = {"@odata.context": f"{self._make_context()}/$entity"}
        return json_reply(200, context | self._make_show()(row), ("etag", etag))

    def count_rows(self) -> Reply:
        refuse_others(self.query, {"$filter"})
        count = min(sum(1 for _ in self._find_rows(PageStart())), LARGEST_PAGE)
        return Reply(200, str(count).encode(), (("content-type", "text/plain"),))

    def list_rows(self) -> Reply:
        refuse_others(self.query, _LIST_OPTIONS)
        is_tracked = "$deltatoken" in self.query or self.preferences.tracks_changes
        return self._list_tracked() if is_tracked else self._list_page()

    def _list_page(self) -> Reply:
        show, start, top = self._make_show(), _read_start(self.query), _read_top(self.query)
        rows, more = _take_page(self._find_rows(start), min(self._page_size(), top or LARGEST_PAGE))
        content: dict[str, object] = {"@odata.context": self._make_context()}
        if self.query.get("$count") == "true":
            content["@odata.count"] = min(sum(1 for _ in self._find_rows(PageStart())), LARGEST_PAGE)
        content["value"] = [show(row) for row in rows]
        if more and top is None:
            content["@odata.nextLink"] = self._link_next(start, str(rows[-1][self.table.primary_id]))
        return json_reply(200, content)

    def _find_rows(self, start: PageStart) -> Iterator[Row]:
        """In the order asked for, else in that of their ids."""
        order = self.query.get("$orderby", "")
        if self.among is None:
            rows = self.rows.table(self.table).after("" if order else start.last)
        else:
            order = order or self.table.primary_id
            rows = iter(self.among)
        if text := self.query.get("$filter"):
            rows = filter(parse_filter(text, self.table.columns, self.table.logical_name), rows)
        if not order:
            return rows
        ordered = parse_orderby(order, self.table.columns, self.table.logical_name)(rows)
        return _skip_to(ordered, self.table, start.last)

    def _list_tracked(self) -> Reply:
        if untracked := [name for name in _NOT_TRACKED if name in self.query]:
            message = f"The {untracked[0]} query parameter is not allowed when tracking changes."
            raise ODataRefusal(400, "0x80060888", message)
        show, start = self._make_show(), self._find_tracked_start()
        entries, more = _take_page(self._find_entries(start), self._page_size())
        content: dict[str, object] = {"@odata.context": self._make_context() + ("/$delta" if start.since >= 0 else "")}
        if not more:
            content["@odata.deltaLink"] = self._make_link("$deltatoken", self._make_delta_token(start.until))
        content["value"] = [show(row) if row else self._show_deleted(row_id) for _, row_id, row in entries]
        if more:
            content["@odata.nextLink"] = self._link_next(start, str(entries[-1][0]))
        return json_reply(200, content)

    def _find_tracked_start(self) -> PageStart:
        if "$skiptoken" in self.query:
            return _read_start(self.query)
        token = self.query.get("$deltatoken")
        # What changes while a client pages is told again at its next delta: better twice than never.
        return PageStart(since=-1 if token is None else self._read_delta_token(token), until=self.rows.version)

    def _find_entries(self, start: PageStart) -> Iterator[tuple[str | int, str, Row | None]]:
        """Where the next page would go on, the id and the row (None: deleted): of all rows first, then of changes."""
        rows = self.rows.table(self.table)
        if start.since < 0:
            for row in rows.after(start.last):
                row_id = str(row[self.table.primary_id])
                yield row_id, row_id, row
        else:
            changes = rows.changed_since(int(start.last) if start.last else start.since)
            yield from (change for change in changes if change[0] <= start.until)

    def _page_size(self) -> int:
        return min(self.preferences.page_size or LARGEST_PAGE, LARGEST_PAGE)

    def _make_delta_token(self, version: int) -> str:
        now = datetime.fromtimestamp(self.clock(), UTC)
        return f"{version}!{self.fingerprint}!{now:%m/%d/%Y %H:%M:%S}"

    def _read_delta_token(self, token: str) -> int:
        # No recording of the answer to an old change link exists; 410 is OData's own status for it, and the code is
        # the platform's for an expired version stamp.
        expired = ODataRefusal(
            410, "0x80044352", "Version stamp associated with the client has expired. Please perform a full sync."
        )
        try:
            version, fingerprint, given = token.split("!")
            moment = datetime.strptime(given, "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC).timestamp()
            start = int(version)
        except ValueError:
            raise expired from None
        is_old = moment < self.clock() - CHANGE_LINK_DAYS * 86_400
        if is_old or fingerprint != self.fingerprint or start > self.rows.version:
            raise expired
        return start

    def _make_context(self) -> str:
        select = self.query.get("$select", "")
        return f"{self.root}/$metadata#{self.table.entity_set}{f'({select})' if select else ''}"

    def _link_next(self, start: PageStart, last: str) -> str:
        following = replace(start, page=start.page + 1, last=last)
        return self._make_link("$skiptoken", _make_cookie(self.table, following))

    def _make_link(self, name: str, token: str) -> str:
        kept = {key: value for key, value in self.query.items() if key not in ("$skiptoken", "$deltatoken")}
        parts = [f"{key}={quote(value, safe=',')}" for key, value in kept.items()] + [f"{name}={quote(token, safe='')}"]
        return f"{self.root}/{self.table.entity_set}?{'&'.join(parts)}"

    def _select_columns(self) -> list[str]:
        names = [name.strip() for name in self.query.get("$select", "").split(",") if name.strip()]
        for name in names:
            if name not in self.table.columns:
                raise unknown_property(name, self.table.logical_name)
        return list(dict.fromkeys([*names, self.table.primary_id])) if names else list(self.table.columns)

    def _make_show(self) -> Callable[[Row], dict[str, object]]:
        """Give the function from a row to what is shown of it, with the rows that are expanded."""
        columns, navigations = self._select_columns(), navigations_of(self.table)
        expanded: dict[str, Callable[[Row], object]] = {}
        for name, options in read_expansions(self.query.get("$expand", "")).items():
            if name not in navigations:
                raise unknown_property(name, self.table.logical_name)
            refuse_others(options, _PART_OPTIONS)
            expanded[name] = self._make_expansion(navigations[name], options)
        if not expanded:
            return lambda row: self._show_row(row, columns)
        return lambda row: self._show_row(row, columns) | {name: show(row) for name, show in expanded.items()}

    def _make_expansion(self, navigation: Navigation, options: Mapping[str, str]) -> Callable[[Row], object]:
        inner = replace(self, table=navigation.target, query=options)
        show, find, top = inner._make_show(), follow(navigation, self.rows), _read_top(options)  # noqa: SLF001 - its own kind

        def expand(row: Row) -> object:
            rows = replace(inner, among=find(row))._find_rows(PageStart())  # noqa: SLF001 - its own kind
            shown = [show(each) for each in islice(rows, top)]
            return shown if navigation.is_list else next(iter(shown), None)

        return expand

    def _show_row(self, row: Row, columns: Iterable[str]) -> dict[str, object]:
        shown: dict[str, object] = {"@odata.etag": make_etag(row)}
        for name in columns:
            if self.preferences.annotations and row[name] is not None:
                shown |= self._annotate(row, name)
            shown[name] = row[name]
        return shown

    def _annotate(self, row: Row, name: str) -> dict[str, object]:
        if name in _LABELS and self.preferences.includes(_FORMATTED):
            return {f"{name}@{_FORMATTED}": _LABELS[name].get(int(row[name] or 0), "")}
        if self.table.columns[name].binding and self.preferences.includes(_LOOKUP_NAME):
            kind = row[PARENT_KIND] if self.table.columns[name].kind == "Customer" else self.table.logical_name
            return {f"{name}@{_LOOKUP_NAME}": kind}
        return {}

    def _show_deleted(self, row_id: str) -> dict[str, object]:
        context = f"{self.root}/$metadata#{self.table.entity_set}/$deletedEntity"
        return {"@odata.context": context, "id": row_id, "reason": "deleted"}


def make_etag(row: Row) -> str:
    return f'W/"{row["versionnumber"]}"'


def missing_row(table: CrmTable, row_id: str) -> ODataRefusal:
    return ODataRefusal(404, "0x80040217", f"{table.logical_name} With Id = {row_id} Does Not Exist")


def _read_top(query: Mapping[str, str]) -> int | None:
    text = query.get("$top")
    if text is None:
        return None
    if not text.isdecimal() or not int(text):
        raise syntax_error(f"Invalid value '{text}' for $top query option found.")
    return int(text)


def _take_page(items: Iterable[_Item], count: int) -> tuple[list[_Item], bool]:
    """Take so many, and tell whether there are more."""
    taken = list(islice(items, count + 1))
    return taken[:count], len(taken) > count


def _skip_to(rows: list[Row], table: CrmTable, last: str) -> Iterator[Row]:
    if not last:
        return iter(rows)
    position = next((number for number, row in enumerate(rows) if row[table.primary_id] == last), None)
    if position is None:
        raise ODataRefusal(400, "0x80041129", "Malformed XML in the Paging Cookie")
    return iter(rows[position + 1 :])


def _make_cookie(table: CrmTable, start: PageStart) -> str:
    inner = f'<cookie page="{start.page - 1}"><{table.primary_id} last="{{{start.last}}}" /></cookie>'
    tracking = f' since="{start.since}" until="{start.until}"' if start.until else ""
    paging = quote(quote(inner, safe=""), safe="")
    return f'<cookie pagenumber="{start.page}" pagingcookie="{paging}"{tracking} istracking="{bool(tracking)}" />'


def _read_start(query: Mapping[str, str]) -> PageStart:
    if "$skiptoken" not in query:
        return PageStart()
    match = _COOKIE.search(query["$skiptoken"])
    last = re.search(r'last="\{([^}]*)\}"', unquote(unquote(match[2]))) if match else None
    if match is None or last is None:
        raise ODataRefusal(400, "0x80041129", "Malformed XML in the Paging Cookie")
    return PageStart(int(match[1]), last[1], int(match[3] or -1), int(match[4] or 0))
