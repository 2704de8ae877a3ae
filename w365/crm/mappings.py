"""Mappings in a table of the CRM: read all, find one, write one so that a repeat changes nothing.

A row is written under the condition that it is as it was read (or not there), so that neither a repeat after a time-out
nor a second writer makes a second row, and what somebody else wrote meanwhile is never overwritten unseen. Written is
what is read back, whatever was answered.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from w365.crm.changes import Table, TableReader
from w365.crm.refusals import explain_access
from w365.crm.tables import Shape, quote_literal
from w365.errors import InputError, SourceRefused, SourceUnreachable, W365Error
from w365.http.client import Answer, ApiClient
from w365.http.fields import FieldError, Record, guid_or_empty, nullable_text, required_guid
from w365.http.refusal import Refusal
from w365.source_records import ChangePage

_API = "/api/data/v9.2"
_TRIES = 4
# With characters such as / < > * % & : ? + in its key, Dataverse does not find a row.
_KEY_SAFE = re.compile(r"[A-Za-z0-9 ._-]{1,100}")
# Never to be changed: the ids of the rows that were written follow from it.
_NAMESPACE = uuid.UUID("8d4c4a52-7c1c-4c53-9a5c-0f3c1c9a8f11")
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class RemoteMapping:
    """A row of the CRM's table. `account` is the GUID of the account, empty for none; `etag` its version."""

    row_id: str
    specific_id: str
    provider: str
    account: str
    etag: str = ""


class _Changed(Exception):
    """The row is not as it was read."""


class MappingTable:
    """Reads and writes the rows of the table."""

    def __init__(self, client: ApiClient, shape: Shape, headers: dict[str, str]) -> None:
        self.shape = shape
        self._client, self._headers = client, headers
        self._path = f"{_API}/{shape.entity_set}"
        place = shape.place
        self._account = f"_{place.account_column}_value"
        named = (shape.primary_id, place.id_column, place.provider_column, self._account)
        self._columns = tuple(dict.fromkeys(name for name in named if name))
        table = Table(place.table, self._path, shape.primary_id, self._columns, self._read)
        self._reader = TableReader(client, table, headers)

    def pages(self) -> Iterator[ChangePage[RemoteMapping]]:
        """Read all rows."""
        yield from self._reader.everything()

    def find(self, specific_id: str, provider: str) -> RemoteMapping | None:
        """Find the row of a provider account. Raises InputError where there are several."""
        terms = [f"{self.shape.place.id_column} eq {self._id_literal(specific_id)}"]
        if self.shape.place.provider_column:
            terms.append(f"{self.shape.place.provider_column} eq {quote_literal(provider)}")
        # The values are escaped already; what is left are the blanks around the operator.
        conditions = "%20and%20".join(term.replace(" ", "%20") for term in terms)
        path = f"{self._path}?$select={','.join(self._columns)}&$filter={conditions}&$top=2"
        answer = self._client.get_json(path, headers=self._headers, explain=self._reader.explain)
        rows = self._reader.rows_of(answer)
        if len(rows) > 1:
            raise InputError(
                f"{self._client.source} has more than one row for {specific_id}, and nobody can tell which one counts.",
                kept="None was changed.",
                do="Delete the others there.",
            )
        try:
            return self._read(rows[0]) if rows else None
        except (FieldError, TypeError, AttributeError) as error:
            raise answer.changed(self._client.source, f"a row of {self.shape.place.table}: {error}") from None

    def put(self, specific_id: str, provider: str, account: str, accepted: frozenset[str]) -> RemoteMapping | None:
        """Make the row say this account (empty: none), if it says one of `accepted` or none; return it as read then.

        A row that says another account is returned as it is, unchanged; None is: there is none and none is needed.
        Raises what the write was refused with, or InputError, while the row read back says what it said before.
        """
        row = self.find(specific_id, provider)
        for _ in range(_TRIES):
            if _is_settled(row, account, accepted):
                return row
            row = self._change(row, specific_id, provider, account)
        if _is_settled(row, account, accepted):
            return row
        raise InputError(
            f"The row of {specific_id} is being changed in {self._client.source} all the time.",
            kept="It was left as it is there.",
            do="Try again.",
        )

    def _change(
        self, before: RemoteMapping | None, specific_id: str, provider: str, account: str
    ) -> RemoteMapping | None:
        """Write, and return the row as it is read then, whoever changed it."""
        try:
            refusal = self._write(before, specific_id, provider, account)
        except _Changed:
            return self.find(specific_id, provider)
        after = self.find(specific_id, provider)
        if before and not account and _account_of(after) == before.account:
            refusal = self._unlink(before) or refusal
            after = self.find(specific_id, provider)
        if _account_of(after) == _account_of(before):
            raise refusal or self._not_taken(specific_id)
        return after

    def _not_taken(self, specific_id: str) -> InputError:
        return InputError(
            f"{self._client.source} accepted the change, but the row of {specific_id} says what it said before.",
            kept="It was left as it is there.",
            do="See whether a rule or plug-in of the table sets the account back, then try again.",
        )

    def _write(self, existing: RemoteMapping | None, specific_id: str, provider: str, account: str) -> W365Error | None:
        """Write, and return the refusal that only reading the row can judge. Raises _Changed."""
        bound = {f"{self.shape.navigation}@odata.bind": f"/accounts({account})" if account else None}
        if existing is not None:
            key, values, condition = existing.row_id, bound, {"If-Match": existing.etag or "*"}
        else:
            key, own = self._new_key(specific_id, provider)
            values, condition = {**own, **bound}, {"If-None-Match": "*"}
        return self._try(
            lambda: self._client.patch_json(
                f"{self._path}({key})", values, headers=self._writing(condition), explain=self._explain
            )
        )

    def _unlink(self, row: RemoteMapping) -> W365Error | None:
        """Take the account away the other way that is documented, which knows no condition."""
        path = f"{self._path}({row.row_id})/{self.shape.navigation}/$ref"
        return self._try(lambda: self._client.delete(path, headers=self._writing({}), explain=self._explain_access))

    def _new_key(self, specific_id: str, provider: str) -> tuple[str, dict[str, str]]:
        """The address of a row to be made, and the columns that the address does not say.

        By the table's alternate key where it has one and can say these values; else by an id that follows from them.
        """
        place = self.shape.place
        values = {place.id_column: specific_id}
        if place.provider_column:
            values[place.provider_column] = provider
        if self.shape.has_key and all(_KEY_SAFE.fullmatch(value) for value in values.values()):
            return ",".join(f"{name}={quote_literal(value)}" for name, value in values.items()), {}
        return str(uuid.uuid5(_NAMESPACE, f"{place.table}\n{specific_id.casefold()}\n{provider.casefold()}")), values

    def _writing(self, condition: dict[str, str]) -> dict[str, str]:
        # A write has one condition, and it is not the one that keeps reads out of caches.
        return {name: text for name, text in self._headers.items() if name != "If-None-Match"} | condition

    def _try(self, send: Callable[[], Answer]) -> W365Error | None:
        try:
            send()
        except (SourceRefused, SourceUnreachable) as error:
            return error
        return None

    def _explain(self, refusal: Refusal) -> Exception | None:
        if refusal.status == 412:
            return _Changed()
        if refusal.status == 404:
            return InputError(
                f"{self._client.source} no longer has the account or the row ({refusal.say()}).",
                kept="It was left as it is there.",
                do="Sync the CRM, then look at the row again.",
                detail=refusal.detail,
            )
        return self._explain_access(refusal)

    def _explain_access(self, refusal: Refusal) -> Exception | None:
        table = self.shape.place.table
        role = f"creates and changes rows of {table}"
        return explain_access(self._client.source, refusal, f"write to {table}", role)

    def _id_literal(self, specific_id: str) -> str:
        if not self.shape.is_guid:
            return quote_literal(specific_id)
        if not (guid := guid_or_empty(specific_id)):
            raise InputError(
                f"“{specific_id}” is no GUID, as the column {self.shape.place.id_column} holds.",
                kept="Nothing was written.",
                do="Choose a text column.",
            )
        return guid

    def _read(self, record: Record) -> RemoteMapping:
        specific_id = nullable_text(record, self.shape.place.id_column)[:_LONGEST]
        etag = record.get("@odata.etag")
        provider = self.shape.place.provider_column
        return RemoteMapping(
            required_guid(record, self.shape.primary_id),
            guid_or_empty(specific_id) or specific_id,
            nullable_text(record, provider) if provider else "",
            guid_or_empty(nullable_text(record, self._account)),
            etag if isinstance(etag, str) else "",
        )


def _account_of(row: RemoteMapping | None) -> str:
    return row.account if row else ""


def _is_settled(row: RemoteMapping | None, account: str, accepted: frozenset[str]) -> bool:
    """Whether the row says what it shall, none is needed, or it is not ours to change."""
    there = _account_of(row)
    return (there == account and (row is not None or not account)) or bool(there and there not in accepted)
