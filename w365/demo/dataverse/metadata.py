"""What the Dataverse server tells about its own tables, as far as clients ask before they read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from w365.demo.dataverse.odata import ODataRefusal, parse_filter, unknown_property
from w365.demo.dataverse.tables import TABLES, CrmTable
from w365.demo.journal import Row
from w365.demo.wire import Reply, json_reply


def answer_definitions(root: str, key: str | None, rest: str | None, query: Mapping[str, str]) -> Reply:
    """Answer ``EntityDefinitions``, one definition, or the attributes of one."""
    context = f"{root}/$metadata#EntityDefinitions"
    if key is None:
        tables = [_select_columns(row, query) for row in _filter_definitions(query)]
        return json_reply(200, {"@odata.context": context, "value": tables})
    table = _find_table(key)
    if rest is None:
        definition = _select_columns(_describe_table(table), query)
        return json_reply(200, {"@odata.context": f"{context}/$entity"} | definition)
    # Of the attributes also one kind, as the official Python client asks before it writes.
    part, _, kind = rest.partition("/Microsoft.Dynamics.CRM.")
    if part not in _PARTS or (kind and part != "Attributes"):
        raise ODataRefusal(404, "0x8006088a", f"Resource not found for the segment '{rest}'.")
    kind = kind.removesuffix("AttributeMetadata")
    items = [item for item in _PARTS[part](table) if kind in ("", item.get("AttributeType"))]
    return json_reply(200, {"@odata.context": f"{context}('{table.metadata_id}')/{part}", "value": items})


def _filter_definitions(query: Mapping[str, str]) -> list[Row]:
    rows = [_describe_table(table) for table in TABLES.values()]
    if text := query.get("$filter"):
        test = parse_filter(text, rows[0], "EntityMetadata")
        rows = [row for row in rows if test(row)]
    return rows


def _find_table(key: str) -> CrmTable:
    name = re.sub(r"^LogicalName=", "", key).strip("'")
    for table in TABLES.values():
        if name in (table.logical_name, table.metadata_id):
            return table
    raise ODataRefusal(404, "0x80060888", f"Could not find an entity with name or id '{name}'.")


def _describe_table(table: CrmTable) -> Row:
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


def _select_columns(row: Row, query: Mapping[str, str]) -> dict[str, object]:
    names = [name.strip() for name in query.get("$select", "").split(",") if name.strip()]
    for name in names:
        if name not in row:
            raise unknown_property(name, "EntityMetadata")
    return {name: row[name] for name in {"MetadataId": 0, **dict.fromkeys(names or row)}}


def _describe_columns(table: CrmTable) -> list[dict[str, object]]:
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


def _describe_relationships(table: CrmTable) -> list[dict[str, object]]:
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


def _describe_keys(table: CrmTable) -> list[dict[str, object]]:
    name = f"{table.logical_name}_key"
    status = {"EntityLogicalName": table.logical_name, "EntityKeyIndexStatus": "Active"}
    return [{"LogicalName": name, "KeyAttributes": list(table.key), **status}] if table.key else []


_PARTS: Mapping[str, Callable[[CrmTable], list[dict[str, object]]]] = {
    "Attributes": _describe_columns,
    "ManyToOneRelationships": _describe_relationships,
    "Keys": _describe_keys,
}
