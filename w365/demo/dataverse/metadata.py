"""What the Dataverse server tells about its own tables, as far as clients ask before they read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from w365.demo.dataverse.odata import Refusal, parse_filter, unknown_property
from w365.demo.dataverse.tables import TABLES, Table
from w365.demo.journal import Row
from w365.demo.wire import Reply, json_reply


def definitions(root: str, key: str | None, rest: str | None, query: Mapping[str, str]) -> Reply:
    """Answer ``EntityDefinitions``, one definition, or the attributes of one."""
    context = f"{root}/$metadata#EntityDefinitions"
    if key is None:
        found = [_selected(row, query) for row in _matching(query)]
        return json_reply(200, {"@odata.context": context, "value": found})
    table = _by_key(key)
    if rest is None:
        return json_reply(200, {"@odata.context": f"{context}/$entity"} | _selected(_definition(table), query))
    found = _attributes(table)
    if rest.startswith("Attributes/Microsoft.Dynamics.CRM."):
        # One kind of attribute, as the official Python client asks before it writes.
        kind = rest.rpartition(".")[2].removesuffix("AttributeMetadata")
        found = [attribute for attribute in found if attribute["AttributeType"] == kind]
    elif rest in _PARTS:
        return json_reply(
            200, {"@odata.context": f"{context}('{table.metadata_id}')/{rest}", "value": _PARTS[rest](table)}
        )
    elif rest != "Attributes":
        raise Refusal(404, "0x8006088a", f"Resource not found for the segment '{rest}'.")
    return json_reply(200, {"@odata.context": f"{context}('{table.metadata_id}')/Attributes", "value": found})


def _matching(query: Mapping[str, str]) -> list[Row]:
    rows = [_definition(table) for table in TABLES.values()]
    if text := query.get("$filter"):
        test = parse_filter(text, rows[0], "EntityMetadata")
        rows = [row for row in rows if test(row)]
    return rows


def _by_key(key: str) -> Table:
    name = re.sub(r"^LogicalName=", "", key).strip("'")
    for table in TABLES.values():
        if name in (table.logical_name, table.metadata_id):
            return table
    raise Refusal(404, "0x80060888", f"Could not find an entity with name or id '{name}'.")


def _definition(table: Table) -> Row:
    return {
        "MetadataId": table.metadata_id,
        "LogicalName": table.logical_name,
        "SchemaName": table.logical_name.capitalize(),
        "EntitySetName": table.entity_set,
        "LogicalCollectionName": table.entity_set,
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": table.primary_name,
        "ChangeTrackingEnabled": True,
        "IsCustomEntity": int(table.logical_name.startswith("new_")),
        "IsPrivate": False,
    }


def _selected(row: Row, query: Mapping[str, str]) -> dict[str, object]:
    wanted = [name.strip() for name in query.get("$select", "").split(",") if name.strip()]
    for name in wanted:
        if name not in row:
            raise unknown_property(name, "EntityMetadata")
    return {name: row[name] for name in {"MetadataId": 0, **dict.fromkeys(wanted or row)}}


def _attributes(table: Table) -> list[dict[str, object]]:
    return [
        {
            "LogicalName": column.name.removeprefix("_").removesuffix("_value"),
            "SchemaName": column.name.removeprefix("_").removesuffix("_value"),
            "AttributeType": column.kind,
            "MaxLength": column.length or None,
            "IsValidForCreate": column.writable,
            "IsValidForUpdate": column.writable,
        }
        for column in table.columns.values()
    ]


def _relationships(table: Table) -> list[dict[str, object]]:
    return [
        {
            "ReferencingEntity": table.logical_name,
            "ReferencingAttribute": column.name.removeprefix("_").removesuffix("_value"),
            "ReferencingEntityNavigationPropertyName": navigation,
            "ReferencedEntity": TABLES[entity_set].logical_name,
        }
        for column in table.columns.values()
        for navigation, entity_set in (column.binding or {}).items()
    ]


def _keys(table: Table) -> list[dict[str, object]]:
    name = f"{table.logical_name}_key"
    status = {"EntityLogicalName": table.logical_name, "EntityKeyIndexStatus": "Active"}
    return [{"LogicalName": name, "KeyAttributes": list(table.key), **status}] if table.key else []


_PARTS: Mapping[str, Callable[[Table], list[dict[str, object]]]] = {
    "ManyToOneRelationships": _relationships,
    "Keys": _keys,
}
