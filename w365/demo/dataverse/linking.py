"""What lies behind a row: its single columns, the rows it leads to, and the links between them (``$ref``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from w365.demo.dataverse.navigation import Navigation, follow, navigations_of
from w365.demo.dataverse.odata import ODataRefusal, refuse_others, unknown_property
from w365.demo.dataverse.reading import Reader
from w365.demo.dataverse.tables import CrmTable
from w365.demo.dataverse.writing import Writer
from w365.demo.journal import Row
from w365.demo.wire import Reply, Request, is_guid, json_reply

Segment = tuple[str, str]
"""A part of a path: its name, and the key in brackets or nothing."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Answers for the part of an address behind the row ``row_id`` of ``reader``'s table."""

    reader: Reader
    writer: Writer
    row_id: str
    request: Request

    def answer(self, segments: Sequence[Segment]) -> Reply:
        (name, key), *rest = segments
        row = self.reader.find_row(self.row_id)
        navigation = navigations_of(self.reader.table).get(name)
        match (navigation, [part for part, _ in rest]):
            case (None, [] | ["$value"]) if not key:
                return self._answer_column(row, name, is_raw=bool(rest))
            case (Navigation() as known, []) if not key and self.request.method == "GET":
                return self._list_related(known, row)
            case (Navigation() as known, ["$count"]) if known.is_list and self.request.method == "GET":
                return replace(self.reader, table=known.target, among=follow(known, self.reader.rows)(row)).count_rows()
            case (Navigation() as known, ["$ref"]):
                return self._answer_links(known, row, key)
        raise ODataRefusal(404, "0x8006088a", f"Resource not found for the segment '{name}'.")

    def _answer_column(self, row: Row, name: str, *, is_raw: bool) -> Reply:
        table = self.reader.table
        if name not in table.columns:
            raise unknown_property(name, table.logical_name)
        refuse_others(self.reader.query, ())
        if self.request.method == "GET":
            context = f"{self.reader.root}/$metadata#{table.entity_set}({self.row_id})/{name}"
            if is_raw or row[name] is None:
                text = "" if row[name] is None else str(row[name])
                return Reply(200 if text else 204, text.encode(), (("content-type", "text/plain; charset=utf-8"),))
            return json_reply(200, {"@odata.context": context, "value": row[name]})
        if self.request.method == "PUT":
            self.writer.change_columns(table, self.row_id, {name: _read_body(self.request).get("value")}, self.request)
        elif self.request.method == "DELETE":
            self.writer.change_columns(table, self.row_id, {name: None}, self.request)
        else:
            raise _refuse_method()
        return Reply(204)

    def _list_related(self, navigation: Navigation, row: Row) -> Reply:
        related = follow(navigation, self.reader.rows)(row)
        inner = replace(self.reader, table=navigation.target, among=related)
        if navigation.is_list:
            return inner.list_rows()
        return inner.read_row(str(related[0][navigation.target.primary_id])) if related else Reply(204)

    def _answer_links(self, navigation: Navigation, row: Row, key: str) -> Reply:
        method = self.request.method
        if method == "GET" and not key:
            refuse_others(self.reader.query, ())
            return self._list_links(navigation, row)
        if method == "DELETE":
            self._unlink(navigation, key or _read_reference(self.reader.query.get("$id", ""), navigation.target))
        elif method == ("POST" if navigation.is_list else "PUT") and not key:
            reference = str(_read_body(self.request).get("@odata.id") or "")
            self._link(navigation, _read_reference(reference, navigation.target))
        else:
            raise _refuse_method()
        return Reply(204)

    def _list_links(self, navigation: Navigation, row: Row) -> Reply:
        target, root = navigation.target, self.reader.root
        related = follow(navigation, self.reader.rows)(row)
        links = [{"@odata.id": f"{root}/{target.entity_set}({each[target.primary_id]})"} for each in related]
        context = {"@odata.context": f"{root}/$metadata#{'Collection($ref)' if navigation.is_list else '$ref'}"}
        if navigation.is_list:
            return json_reply(200, context | {"value": links})
        return json_reply(200, context | links[0]) if links else Reply(204)

    def _link(self, navigation: Navigation, other_id: str) -> None:
        replace(self.reader, table=navigation.target).find_row(other_id)
        holder_id, named_id = (other_id, self.row_id) if navigation.is_list else (self.row_id, other_id)
        self.writer.write_values(navigation.holder, holder_id, navigation.values(named_id))

    def _unlink(self, navigation: Navigation, other_id: str) -> None:
        """A row that is not linked stays as it is."""
        if navigation.is_list and not other_id:
            raise ODataRefusal(400, "0x80060888", "The row that is to be taken off the list is not named.")
        holder_id = other_id if navigation.is_list else self.row_id
        holder = replace(self.reader, table=navigation.holder).find_row(holder_id)
        named = navigation.key_in(holder)
        if named and (named == self.row_id if navigation.is_list else other_id in ("", named)):
            self.writer.write_values(navigation.holder, holder_id, navigation.values(None))


def _read_reference(reference: str, table: CrmTable) -> str:
    """Take the id out of ``https://…/accounts(guid)``, ``accounts(guid)`` or nothing."""
    if not reference:
        return ""
    entity_set, _, key = reference.rstrip(")").rpartition("/")[2].partition("(")
    if entity_set != table.entity_set or not is_guid(key):
        raise ODataRefusal(400, "0x80060888", f"'{reference}' is no reference to a row of {table.entity_set}.")
    return key.lower()


def _read_body(request: Request) -> dict[str, object]:
    try:
        content = json.loads(request.body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ODataRefusal(400, "0x80048d19", "The body is not a JSON object.")
    return content


def _refuse_method() -> ODataRefusal:
    return ODataRefusal(405, "0x8006088a", "The requested resource does not support this HTTP method.")
