"""Writing to Dataverse: create, update, delete, with the conditions clients may attach."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from w365.demo.dataverse.odata import ODataRefusal
from w365.demo.dataverse.reading import missing_row
from w365.demo.dataverse.rows import CrmRows
from w365.demo.dataverse.tables import (
    ACCOUNTS,
    CONTACTS,
    PARENT_KIND,
    PROVIDER_ACCOUNTS,
    TABLES,
    Column,
    CrmTable,
    full_name,
    time_text,
)
from w365.demo.journal import Row, RowChange
from w365.demo.wire import Request, is_guid, new_guid


@dataclass(frozen=True, slots=True)
class Writer:
    """Checks a change and hands it to the journal; nothing is changed when it refuses."""

    rows: CrmRows
    clock: Callable[[], float]

    def create_row(self, table: CrmTable, request: Request) -> str:
        """Give the id of the new row."""
        values = self._read_values(table, request)
        if table is ACCOUNTS and request.header("mscrm.suppressduplicatedetection").lower() == "false":
            self._refuse_duplicate(values)
        row_id = str(values.get(table.primary_id) or new_guid()).lower()
        if row_id in self.rows.table(table).by_id:
            raise ODataRefusal(412, "0x80040237", "A record with matching key values already exists.")
        self._insert_row(table, row_id, values)
        return row_id

    def find_row(self, table: CrmTable, keyed: Row) -> str:
        """Give the id of the row with these values of the alternate key, or a new one."""
        for row_id, row in self.rows.table(table).by_id.items():
            if _key_values(row, tuple(keyed)) == _key_values(keyed, tuple(keyed)):
                return row_id
        return new_guid()

    def update_row(self, table: CrmTable, row_id: str, request: Request, keyed: Row) -> None:
        """Change a row. Without ``If-Match`` a missing row is created, as Dataverse does it, with its key's values."""
        values = {**self._read_values(table, request), **keyed}
        row_before = self.rows.table(table).by_id.get(row_id)
        if row_before is None:
            if request.header("if-match"):
                raise missing_row(table, row_id)
            self._insert_row(table, row_id, values)
            return
        _check_conditions(row_before, request)
        self.write_values(table, row_id, values)

    def change_columns(self, table: CrmTable, row_id: str, content: Mapping[str, object], request: Request) -> None:
        """Change single columns of a row that is there."""
        _check_conditions(self.rows.table(table).by_id[row_id], request)
        self.write_values(table, row_id, _read_columns(table, content))

    def write_values(self, table: CrmTable, row_id: str, values: Row) -> None:
        """Change a row that is there, without a further look."""
        before = self.rows.table(table).by_id[row_id]
        row = _fill_full_name({**before, **values, table.primary_id: row_id, "modifiedon": self._now()}, table)
        self.rows.write(RowChange(table.entity_set, row_id, row))

    def delete_row(self, table: CrmTable, row_id: str, request: Request) -> None:
        """Delete a row; an account takes its contacts with it."""
        row_before = self.rows.table(table).by_id.get(row_id)
        if row_before is None:
            raise missing_row(table, row_id)
        _check_conditions(row_before, request)
        contacts = self.rows.table(CONTACTS).by_id.items() if table is ACCOUNTS else ()
        children = [contact_id for contact_id, row in contacts if row["_parentcustomerid_value"] == row_id]
        deletions = [RowChange(CONTACTS.entity_set, contact_id, None) for contact_id in children]
        self.rows.write(*deletions, *self._unlink_account(row_id), RowChange(table.entity_set, row_id, None))

    def _unlink_account(self, account_id: str) -> list[RowChange]:
        """The rows of the custom table that lose their account."""
        rows = self.rows.table(PROVIDER_ACCOUNTS).by_id.items()
        return [
            RowChange(PROVIDER_ACCOUNTS.entity_set, row_id, {**row, "_new_account_value": None})
            for row_id, row in rows
            if row["_new_account_value"] == account_id
        ]

    def _read_values(self, table: CrmTable, request: Request) -> Row:
        """Read the body; a lookup must name a row that is there."""
        values = _parse_values(table, request)
        for column in table.columns.values():
            target = values.get(column.name)
            if column.kind == "Lookup" and target and column.binding:
                other = TABLES[next(iter(column.binding.values()))]
                if target not in self.rows.table(other).by_id:
                    raise missing_row(other, str(target))
        return values

    def _insert_row(self, table: CrmTable, row_id: str, values: Row) -> None:
        same = [
            row
            for row in self.rows.table(table).by_id.values()
            if _key_values(row, table.key) == _key_values(values, table.key)
        ]
        if table.key and same:
            raise ODataRefusal(412, "0x80040237", "A record with matching key values already exists.")
        now = self._now()
        life: Row = {"statecode": 0, "statuscode": 1, "createdon": now, "modifiedon": now}
        row = _fill_full_name(dict.fromkeys(table.columns) | life | values | {table.primary_id: row_id}, table)
        self.rows.write(RowChange(table.entity_set, row_id, row))

    def _refuse_duplicate(self, values: Row) -> None:
        name = str(values.get("name") or "").strip().casefold()
        for row in self.rows.table(ACCOUNTS).by_id.values():
            if name and str(row["name"] or "").strip().casefold() == name:
                message = (
                    "A record was not created or updated because a duplicate of the current record already exists."
                )
                raise ODataRefusal(412, "0x80040333", message)

    def _now(self) -> str:
        return time_text(datetime.fromtimestamp(self.clock(), UTC))


def _key_values(row: Row, columns: tuple[str, ...]) -> list[str]:
    return [str(row.get(name) or "").casefold() for name in columns]


def _fill_full_name(row: Row, table: CrmTable) -> Row:
    if table is CONTACTS:
        row = {PARENT_KIND: None, **row, "fullname": full_name(row["firstname"], row["lastname"])}
    return row


def _check_conditions(row: Row, request: Request) -> None:
    if request.header("if-none-match") == "*":
        raise ODataRefusal(412, "", "A record with matching key values already exists.")
    condition = request.header("if-match")
    if condition not in ("", "*", f'W/"{row["versionnumber"]}"'):
        message = "The version of the existing record doesn't match the RowVersion property provided."
        raise ODataRefusal(412, "", message)


def _parse_values(table: CrmTable, request: Request) -> Row:
    """Read the body as column values. Read-only columns are ignored, unknown ones refused, as Dataverse does it."""
    try:
        content = json.loads(request.body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise _refuse_payload(table, "The body is not a JSON object.")
    return _read_columns(table, content)


def _read_columns(table: CrmTable, content: Mapping[str, object]) -> Row:
    values: Row = {}
    for name, value in content.items():
        if name.endswith("@odata.bind"):
            values |= _parse_binding(table, name.removesuffix("@odata.bind"), value)
        elif name.partition("@")[2]:
            continue
        elif name not in table.columns or name.startswith("_"):
            message = f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{table.logical_name}'."
            raise _refuse_payload(
                table, f"{message} Make sure to only use property names that are defined by the type."
            )
        elif table.columns[name].writable:
            values[name] = _check_value(table, table.columns[name], value)
    return values


def _check_value(table: CrmTable, column: Column, value: object) -> str | int | None:
    if value is None or value == "":
        return None
    if column.kind in ("State", "Status") and isinstance(value, int):
        return value
    if not isinstance(value, str) or column.kind in ("State", "Status"):
        raise _refuse_payload(table, f"Cannot convert the value of '{column.name}' to the expected type.")
    if column.kind == "Uniqueidentifier" and not is_guid(value):
        raise _refuse_payload(table, f"Cannot convert the literal '{value}' to the expected type 'Edm.Guid'.")
    if column.length and len(value) > column.length:
        message = (
            f"A validation error occurred. The length of the '{column.name}' attribute of the '{table.logical_name}'"
            f" entity exceeded the maximum allowed length of '{column.length}'."
        )
        raise ODataRefusal(400, "0x80044331", message)
    return value


def _parse_binding(table: CrmTable, navigation: str, value: object) -> Row:
    for column in table.columns.values():
        bindings: Mapping[str, str] = column.binding or {}
        if navigation in bindings and value is None:
            return {column.name: None}
        if navigation in bindings:
            entity_set, _, key = str(value).rstrip(")").rpartition("/")[2].partition("(")
            if entity_set != bindings[navigation] or not is_guid(key):
                raise _refuse_payload(table, f"The reference in '{navigation}' is not valid.")
            kind: Row = {PARENT_KIND: entity_set.removesuffix("s")} if column.kind == "Customer" else {}
            return {column.name: key.lower(), **kind}
    raise _refuse_payload(table, f"An undeclared property '{navigation}' was found in the payload.")


def _refuse_payload(table: CrmTable, reason: str) -> ODataRefusal:
    message = f"Error identified in Payload provided by the user for Entity :'{table.entity_set}'. {reason}"
    return ODataRefusal(400, "0x80048d19", message)
