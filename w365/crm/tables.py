"""The table of the CRM that holds mappings: which one, and what its metadata says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from w365.crm.refusals import explain_access
from w365.errors import ConfigurationError
from w365.http.client import Answer, ApiClient
from w365.http.refusal import Refusal
from w365.model import LOGICAL_NAME

TEXT, GUID = "String", "Uniqueidentifier"
_TEXTS = frozenset({TEXT, "Memo"})
_API = "/api/data/v9.2"
_ADVICE = "Choose the table and its columns anew on the Configuration page."


def rows_of(answer: Answer, source: str, what: str) -> list[Any]:
    """Take the rows out of a list of Dataverse, `what` of `source`; SourceChanged where there is none."""
    if not isinstance(answer.body, dict) or not isinstance(rows := answer.body.get("value"), list):
        raise answer.changed(source, f"the list of {what} is missing.")
    return rows


@dataclass(frozen=True, slots=True)
class MappingPlace:
    """Where mappings lie in the CRM, by logical names. `provider_column` may be empty."""

    table: str
    id_column: str
    provider_column: str
    account_column: str

    def __str__(self) -> str:
        return f"{self.table}/{self.id_column}/{self.provider_column}/{self.account_column}"


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The columns of a table that can hold ids or names, and those that point to an account."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    lookups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A mapping place with what requests need to know. `navigation` is the name the lookup is written by."""

    place: MappingPlace
    entity_set: str
    primary_id: str
    navigation: str
    is_guid: bool
    has_key: bool


class Metadata:
    """Reads the definitions of tables."""

    def __init__(self, client: ApiClient, headers: dict[str, str]) -> None:
        self._client, self._headers = client, headers

    def tables(self) -> tuple[str, ...]:
        """Name all tables, the organisation's own first."""
        rows = self._rows("EntityDefinitions?$select=LogicalName,EntitySetName,IsCustomEntity", "tables")
        named = [
            row for row in rows if _text(row, "EntitySetName") and LOGICAL_NAME.fullmatch(_text(row, "LogicalName"))
        ]
        named.sort(key=lambda row: (not row.get("IsCustomEntity"), _text(row, "LogicalName")))
        return tuple(_text(row, "LogicalName") for row in named)

    def columns(self, table: str) -> TableColumns:
        kinds, navigation = self._kinds(table), self._navigation(table)
        texts = tuple(sorted(name for name, kind in kinds.items() if kind in _TEXTS))
        ids = tuple(sorted(name for name, kind in kinds.items() if kind == GUID))
        return TableColumns((*texts, *ids), texts, tuple(sorted(navigation)))

    def shape(self, place: MappingPlace) -> Shape:
        """Look the table and its columns up. Raises ConfigurationError naming what is missing or of another kind."""
        definition = self._one(
            f"{_definition(place.table)}?$select=LogicalName,EntitySetName,PrimaryIdAttribute", place
        )
        kinds, navigation = self._kinds(place.table), self._navigation(place.table)
        names = [place.id_column, place.account_column, *filter(None, [place.provider_column])]
        for name in names:
            if name not in kinds:
                raise _wrong(f"The table “{place.table}” of {self._client.source} has no column “{name}”.")
        if kinds[place.id_column] not in (*_TEXTS, GUID):
            raise _wrong(f"The column “{place.id_column}” holds neither text nor ids.")
        if place.provider_column and kinds[place.provider_column] not in _TEXTS:
            raise _wrong(f"The column “{place.provider_column}” holds no text.")
        if place.account_column not in navigation:
            raise _wrong(f"The column “{place.account_column}” is no lookup to accounts.")
        addressed = {place.id_column, *filter(None, [place.provider_column])}
        is_guid = kinds[place.id_column] == GUID
        return Shape(
            place,
            _text(definition, "EntitySetName"),
            _text(definition, "PrimaryIdAttribute"),
            navigation[place.account_column],
            is_guid,
            not is_guid and addressed in self._keys(place.table),
        )

    def _kinds(self, table: str) -> dict[str, str]:
        rows = self._rows(f"{_definition(table)}/Attributes?$select=LogicalName,AttributeType", f"columns of {table}")
        return {_text(row, "LogicalName"): _text(row, "AttributeType") for row in rows}

    def _navigation(self, table: str) -> dict[str, str]:
        """The lookups to accounts, each with the name by which it is written."""
        select = "ReferencingAttribute,ReferencedEntity,ReferencingEntityNavigationPropertyName"
        rows = self._rows(f"{_definition(table)}/ManyToOneRelationships?$select={select}", f"lookups of {table}")
        return {
            _text(row, "ReferencingAttribute"): _text(row, "ReferencingEntityNavigationPropertyName")
            for row in rows
            if row.get("ReferencedEntity") == "account"
        }

    def _keys(self, table: str) -> list[set[str]]:
        select = "LogicalName,KeyAttributes,EntityKeyIndexStatus"
        rows = self._rows(f"{_definition(table)}/Keys?$select={select}", f"keys of {table}")
        # A key can be used once its index is built.
        active = (row for row in rows if row.get("EntityKeyIndexStatus") == "Active")
        return [set(row["KeyAttributes"]) for row in active if isinstance(row.get("KeyAttributes"), list)]

    def _rows(self, path: str, what: str) -> list[dict[str, Any]]:
        rows = rows_of(self._get(path, what), self._client.source, what)
        return [row for row in rows if isinstance(row, dict)]

    def _one(self, path: str, place: MappingPlace) -> dict[str, Any]:
        answer = self._get(path, place.table)
        body = answer.body if isinstance(answer.body, dict) else {}
        if not (
            _text(body, "EntitySetName").isidentifier() and LOGICAL_NAME.fullmatch(_text(body, "PrimaryIdAttribute"))
        ):
            raise answer.changed(self._client.source, f"the definition of {place.table} is incomplete.")
        return body

    def _get(self, path: str, what: str) -> Answer:
        return self._client.get_json(
            f"{_API}/{path}", headers=self._headers, explain=lambda refusal: self._explain(refusal, what)
        )

    def _explain(self, refusal: Refusal, what: str) -> Exception | None:
        source = self._client.source
        if refusal.status == 404:
            return _wrong(f"{source} does not have this table or does not show it: {what} ({refusal.say()}).")
        return explain_access(source, refusal, "read the definitions of tables", "reads them, such as Basic User")


def quote_literal(text: str) -> str:
    """Write a text as a literal for an address: quotes doubled, everything else escaped."""
    return quote("'" + text.replace("'", "''") + "'", safe="")


def _definition(table: str) -> str:
    if not LOGICAL_NAME.fullmatch(table):
        raise _wrong(f"“{table}” is not the logical name of a table.")
    return f"EntityDefinitions(LogicalName={quote_literal(table)})"


def _wrong(what: str) -> ConfigurationError:
    return ConfigurationError(what, kept="Nothing was read or written there.", do=_ADVICE)


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""
