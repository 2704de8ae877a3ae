"""Reading from Dataverse: one row, pages of rows, and what changed since a change link was given out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar
from urllib.parse import quote, unquote

from w365.demo.dataverse.odata import Preferences, Refusal, parse_filter, syntax_error, unknown_property
from w365.demo.dataverse.rows import CrmRows
from w365.demo.dataverse.tables import PARENT_KIND, Table
from w365.demo.journal import Row
from w365.demo.wire import Reply, Request, json_reply

LARGEST_PAGE = 5_000
CHANGE_LINK_DAYS = 7

_OPTIONS = frozenset({"$select", "$filter", "$orderby", "$top", "$count", "$skiptoken", "$deltatoken"})
_NOT_TRACKED = ("$filter", "$orderby", "$top", "$expand")
_COOKIE = re.compile(r'pagenumber="(\d+)" pagingcookie="([^"]*)"(?: since="([\d-]+)" until="(\d+)")?')
_FORMATTED = "OData.Community.Display.V1.FormattedValue"
_LOOKUP_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
_LABELS = {"statecode": {0: "Active", 1: "Inactive"}, "statuscode": {1: "Active", 2: "Inactive"}}
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins. ``since`` (-1: a first full read) and ``until`` are set while changes are tracked."""

    page: int = 1
    last: str = ""
    since: int = -1
    until: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """``root`` is the address links begin with; ``fingerprint`` tells our change links from another world's."""

    root: str
    rows: CrmRows
    fingerprint: str
    clock: Callable[[], float]

    def one(self, table: Table, row_id: str, request: Request, preferences: Preferences) -> Reply:
        row = self.rows.table(table).by_id.get(row_id)
        if row is None:
            raise missing_row(table, row_id)
        columns = _selected(table, request.parameters())
        context = f"{self.root}/$metadata#{self._shape(table, request)}/$entity"
        return _reply({"@odata.context": context} | _shown(row, table, columns, preferences))

    def list(self, table: Table, request: Request, preferences: Preferences) -> Reply:
        query = request.parameters()
        for name in query:
            if name.startswith("$") and name not in _OPTIONS:
                raise Refusal(400, "0x80060888", f"The query parameter {name} is not supported.")
        if "$deltatoken" in query or preferences.tracks_changes:
            return self._tracked(table, request, query, preferences)
        return self._page(table, request, query, preferences)

    def _page(self, table: Table, request: Request, query: Mapping[str, str], preferences: Preferences) -> Reply:
        columns = _selected(table, query)
        place = _place(query)
        matching = self._matching(table, query, place)
        size, top = preferences.page_size or LARGEST_PAGE, _top(query)
        found, more = _take(matching, min(size, LARGEST_PAGE, top or LARGEST_PAGE))
        content: dict[str, object] = {"@odata.context": f"{self.root}/$metadata#{self._shape(table, request)}"}
        if query.get("$count") == "true":
            everything = self._matching(table, query, Place())
            content["@odata.count"] = min(sum(1 for _ in everything), LARGEST_PAGE)
        content["value"] = [_shown(row, table, columns, preferences) for row in found]
        if more and top is None:
            following = Place(place.page + 1, str(found[-1][table.primary_id]))
            content["@odata.nextLink"] = self._link(table, query, "$skiptoken", _cookie(table, following))
        return _reply(content)

    def _matching(self, table: Table, query: Mapping[str, str], place: Place) -> Iterator[Row]:
        order = query.get("$orderby", "")
        rows = self.rows.table(table).after("" if order else place.last)
        if text := query.get("$filter"):
            rows = filter(parse_filter(text, table.columns, table.logical_name), rows)
        return _behind(_ordered(rows, order, table), table, place.last) if order else rows

    def _tracked(self, table: Table, request: Request, query: Mapping[str, str], preferences: Preferences) -> Reply:
        for name in _NOT_TRACKED:
            if name in query:
                raise Refusal(400, "0x80060888", f"The {name} query parameter is not allowed when tracking changes.")
        columns = _selected(table, query)
        place = self._tracked_place(query)
        size = min(preferences.page_size or LARGEST_PAGE, LARGEST_PAGE)
        context = f"{self.root}/$metadata#{self._shape(table, request)}"
        if place.since < 0:
            found, more = _take(self.rows.table(table).after(place.last), size)
            shown = [_shown(row, table, columns, preferences) for row in found]
            last = str(found[-1][table.primary_id]) if found else ""
        else:
            context += "/$delta"
            changes, more = _take(self._changes(table, place), size)
            shown = [self._change(row_id, row, table, columns, preferences) for _, row_id, row in changes]
            last = str(changes[-1][0]) if changes else ""
        content: dict[str, object] = {"@odata.context": context}
        if more:
            following = Place(place.page + 1, last, place.since, place.until)
            link = {"@odata.nextLink": self._link(table, query, "$skiptoken", _cookie(table, following))}
            return _reply(content | {"value": shown} | link)
        content["@odata.deltaLink"] = self._link(table, query, "$deltatoken", self._delta_token(place.until))
        return _reply(content | {"value": shown})

    def _tracked_place(self, query: Mapping[str, str]) -> Place:
        if "$skiptoken" in query:
            return _place(query)
        # What changes while a client pages is told again at its next delta: better twice than never.
        until = self.rows.version
        return Place(since=self._delta_start(query["$deltatoken"]) if "$deltatoken" in query else -1, until=until)

    def _changes(self, table: Table, place: Place) -> Iterator[tuple[int, str, Row | None]]:
        start = int(place.last) if place.last else place.since
        return (change for change in self.rows.table(table).changed_since(start) if change[0] <= place.until)

    def _change(
        self, row_id: str, row: Row | None, table: Table, columns: Iterable[str], preferences: Preferences
    ) -> dict[str, object]:
        if row is not None:
            return _shown(row, table, columns, preferences)
        context = f"{self.root}/$metadata#{table.entity_set}/$deletedEntity"
        return {"@odata.context": context, "id": row_id, "reason": "deleted"}

    def _delta_token(self, version: int) -> str:
        now = datetime.fromtimestamp(self.clock(), UTC)
        return f"{version}!{self.fingerprint}!{now:%m/%d/%Y %H:%M:%S}"

    def _delta_start(self, token: str) -> int:
        # No recording of the answer to an old change link exists; 410 is OData's own status for it, and the code is
        # the platform's for an expired version stamp.
        expired = Refusal(
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

    def _shape(self, table: Table, request: Request) -> str:
        select = request.parameters().get("$select", "")
        return f"{table.entity_set}({select})" if select else table.entity_set

    def _link(self, table: Table, query: Mapping[str, str], name: str, token: str) -> str:
        kept = {key: value for key, value in query.items() if key not in ("$skiptoken", "$deltatoken")}
        parts = [f"{key}={quote(value, safe=',')}" for key, value in kept.items()] + [f"{name}={quote(token, safe='')}"]
        return f"{self.root}/{table.entity_set}?{'&'.join(parts)}"


def missing_row(table: Table, row_id: str) -> Refusal:
    return Refusal(404, "0x80040217", f"{table.logical_name} With Id = {row_id} Does Not Exist")


def _reply(content: dict[str, object]) -> Reply:
    return json_reply(200, content)


def _selected(table: Table, query: Mapping[str, str]) -> list[str]:
    wanted = [name.strip() for name in query.get("$select", "").split(",") if name.strip()]
    for name in wanted:
        if name not in table.columns:
            raise unknown_property(name, table.logical_name)
    return list(dict.fromkeys([*wanted, table.primary_id])) if wanted else list(table.columns)


def _shown(row: Row, table: Table, columns: Iterable[str], preferences: Preferences) -> dict[str, object]:
    shown: dict[str, object] = {"@odata.etag": f'W/"{row["versionnumber"]}"'}
    for name in columns:
        if preferences.annotations and row[name] is not None:
            shown |= _annotations(row, name, table, preferences)
        shown[name] = row[name]
    return shown


def _annotations(row: Row, name: str, table: Table, preferences: Preferences) -> dict[str, object]:
    if name in _LABELS and preferences.includes(_FORMATTED):
        return {f"{name}@{_FORMATTED}": _LABELS[name].get(int(row[name] or 0), "")}
    if table.columns[name].binding and preferences.includes(_LOOKUP_NAME):
        kind = row[PARENT_KIND] if table.columns[name].kind == "Customer" else table.logical_name
        return {f"{name}@{_LOOKUP_NAME}": kind}
    return {}


def _top(query: Mapping[str, str]) -> int | None:
    text = query.get("$top")
    if text is None:
        return None
    if not text.isdecimal() or not int(text):
        raise syntax_error(f"Invalid value '{text}' for $top query option found.")
    return int(text)


def _take(items: Iterable[_Item], count: int) -> tuple[list[_Item], bool]:
    """Take so many, and tell whether there are more."""
    found = list(islice(items, count + 1))
    return found[:count], len(found) > count


def _ordered(rows: Iterable[Row], order: str, table: Table) -> list[Row]:
    name, _, direction = order.strip().partition(" ")
    if name not in table.columns:
        raise unknown_property(name, table.logical_name)
    if direction not in ("", "asc", "desc"):
        raise syntax_error(f"Syntax error in the $orderby expression '{order}'.")

    def key(row: Row) -> tuple[bool, str | int]:
        value = row[name]
        return value is not None, value.casefold() if isinstance(value, str) else value or 0

    return sorted(rows, key=key, reverse=direction == "desc")


def _behind(rows: list[Row], table: Table, last: str) -> Iterator[Row]:
    if not last:
        return iter(rows)
    position = next((number for number, row in enumerate(rows) if row[table.primary_id] == last), None)
    if position is None:
        raise Refusal(400, "0x80041129", "Malformed XML in the Paging Cookie")
    return iter(rows[position + 1 :])


def _cookie(table: Table, place: Place) -> str:
    inner = f'<cookie page="{place.page - 1}"><{table.primary_id} last="{{{place.last}}}" /></cookie>'
    tracking = f' since="{place.since}" until="{place.until}"' if place.until else ""
    paging = quote(quote(inner, safe=""), safe="")
    return f'<cookie pagenumber="{place.page}" pagingcookie="{paging}"{tracking} istracking="{bool(tracking)}" />'


def _place(query: Mapping[str, str]) -> Place:
    if "$skiptoken" not in query:
        return Place()
    match = _COOKIE.search(query["$skiptoken"])
    last = re.search(r'last="\{([^}]*)\}"', unquote(unquote(match[2]))) if match else None
    if match is None or last is None:
        raise Refusal(400, "0x80041129", "Malformed XML in the Paging Cookie")
    return Place(int(match[1]), last[1], int(match[3] or -1), int(match[4] or 0))
