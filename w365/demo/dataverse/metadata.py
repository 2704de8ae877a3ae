"""What the Dataverse server tells about its own tables, as far as clients ask before they read."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from w365.demo.dataverse.navigation import all_navigations, list_name, navigations_of, read_expansions
from w365.demo.dataverse.odata import ODataRefusal, parse_filter, refuse_others, unknown_property
from w365.demo.dataverse.tables import TABLES, Column, CrmTable
from w365.demo.wire import Reply, Request, json_reply

Definition = dict[str, Any]
DEFINITIONS = frozenset({"EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions"})
_OPTIONS = frozenset({"$select", "$filter", "$expand"})
_PART_OPTIONS = frozenset({"$select", "$filter"})


def list_entity_sets(root: str) -> Reply:
    """Answer the address of the service itself."""
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in TABLES]
    return json_reply(200, {"@odata.context": f"{root}/$metadata", "value": sets})


def answer_definitions(root: str, segments: Sequence[tuple[str, str]], request: Request) -> Reply:
    """Answer for tables, for one, for the parts of one, for relationships. Nobody can change them."""
    if request.method != "GET":
        raise ODataRefusal(405, "0x8006088a", "The definitions of this server cannot be changed.")
    (name, key), *rest = segments
    query, context = request.parameters(), f"{root}/$metadata#{name}"
    if name == "EntityDefinitions" and key:
        return _answer_table(context, _find_table(key), rest, query)
    refuse_others(query, _OPTIONS if name == "EntityDefinitions" else _PART_OPTIONS)
    if key:
        raise ODataRefusal(404, "0x80060888", f"Could not find a definition with name or id '{key}'.")
    if name == "EntityDefinitions":
        definitions = [_describe_table(table) | _expand_parts(table, query) for table in TABLES.values()]
    else:
        definitions = _relationships() if name == "RelationshipDefinitions" else []
    shown = _pick(definitions, query, name, also=("MetadataId", *read_expansions(query.get("$expand", ""))))
    return json_reply(200, {"@odata.context": context, "value": shown})


def _answer_table(context: str, table: CrmTable, rest: Sequence[tuple[str, str]], query: Mapping[str, str]) -> Reply:
    if not rest:
        refuse_others(query, _OPTIONS)
        definition = _describe_table(table) | _expand_parts(table, query)
        also = ("MetadataId", *read_expansions(query.get("$expand", "")))
        shown = _pick([definition], query, "EntityMetadata", also=also)[0]
        return json_reply(200, {"@odata.context": f"{context}/$entity"} | shown)
    # Of the attributes also one kind, as the official Python client asks before it writes.
    (part, key), *cast = rest
    kind = cast[0][0].removeprefix("Microsoft.Dynamics.CRM.").removesuffix("AttributeMetadata") if cast else ""
    if part not in _PARTS or len(cast) > 1 or (kind and part != "Attributes"):
        raise ODataRefusal(404, "0x8006088a", f"Resource not found for the segment '{part}'.")
    # No column is a choice, so that there is nothing to expand where a client asks for the choices.
    refuse_others(query, _OPTIONS if kind == "Picklist" else _PART_OPTIONS)
    every = _PARTS[part](table)
    items = [item for item in every if kind in ("", item.get("AttributeType"))]
    if key:
        items = [item for item in items if _name_in(key) in (item["LogicalName"], item.get("MetadataId"))]
        if not items:
            raise ODataRefusal(404, "0x80060888", f"Could not find an attribute with name or id '{_name_in(key)}'.")
        return json_reply(200, {"@odata.context": f"{context}/{part}/$entity"} | _pick(items, query, part, every)[0])
    picked = _pick(items, query, part, every)
    return json_reply(200, {"@odata.context": f"{context}('{table.metadata_id}')/{part}", "value": picked})


def _pick(
    definitions: Sequence[Definition],
    query: Mapping[str, str],
    kind: str,
    every: Sequence[Definition] = (),
    *,
    also: Iterable[str] = (),
) -> list[Definition]:
    """Those that the filter lets through, with the columns selected. ``every`` tells what columns there are."""
    known: Collection[str] = {name for definition in every or definitions for name in definition}
    if (text := query.get("$filter")) and definitions:
        definitions = [each for each in definitions if parse_filter(text, known, kind)(each)]
    names = [name.strip() for name in query.get("$select", "").split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise unknown_property(name, kind)
    picked = [*also, *names]
    return [{name: each[name] for name in picked if name in each} if names else each for each in definitions]


def _expand_parts(table: CrmTable, query: Mapping[str, str]) -> Definition:
    expanded: Definition = {}
    for part, options in read_expansions(query.get("$expand", "")).items():
        if part not in _PARTS:
            raise unknown_property(part, "EntityMetadata")
        refuse_others(options, _PART_OPTIONS)
        expanded[part] = _pick(_PARTS[part](table), options, part)
    return expanded


def _find_table(key: str) -> CrmTable:
    name = _name_in(key)
    for table in TABLES.values():
        if name in (table.logical_name, table.metadata_id):
            return table
    raise ODataRefusal(404, "0x80060888", f"Could not find an entity with name or id '{name}'.")


def _name_in(key: str) -> str:
    return re.sub(r"^(LogicalName|MetadataId)=", "", key).strip("'")


def _describe_table(table: CrmTable) -> Definition:
    return {
        "MetadataId": table.metadata_id,
        "LogicalName": table.logical_name,
        "SchemaName": table.logical_name.capitalize(),
        "EntitySetName": table.entity_set,
        "LogicalCollectionName": table.entity_set,
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": table.primary_name,
        "ChangeTrackingEnabled": True,
        "CanChangeTrackingBeEnabled": {"Value": True, "CanBeChanged": True},
        "IsCustomEntity": table.logical_name.startswith("new_"),
        "IsPrivate": False,
    }


def _describe_columns(table: CrmTable) -> list[Definition]:
    return [_describe_column(table, column) for column in table.columns.values()]


def _describe_column(table: CrmTable, column: Column) -> Definition:
    name = _logical_name(column)
    own: Definition = {"MaxLength": column.length} if column.length else {}
    if column.kind == "DateTime":
        own = {"DateTimeBehavior": {"Value": "UserLocal"}}
    return {
        "MetadataId": str(uuid.uuid5(uuid.UUID(table.metadata_id), name)),
        "LogicalName": name,
        "SchemaName": name,
        "AttributeType": column.kind,
        "IsValidForCreate": column.writable,
        "IsValidForUpdate": column.writable,
        **own,
    }


def _logical_name(column: Column) -> str:
    return column.name.removeprefix("_").removesuffix("_value")


def _relationships() -> list[Definition]:
    return [
        {
            "SchemaName": list_name(lookup),
            "RelationshipType": "OneToManyRelationship",
            "ReferencingEntity": lookup.holder.logical_name,
            "ReferencingAttribute": _logical_name(lookup.column),
            "ReferencingEntityNavigationPropertyName": lookup.name,
            "ReferencedEntity": lookup.named.logical_name,
            "ReferencedEntityNavigationPropertyName": list_name(lookup),
        }
        for lookup in all_navigations()
    ]


def _describe_relationships(table: CrmTable) -> list[Definition]:
    return [each for each in _relationships() if each["ReferencingEntity"] == table.logical_name]


def write_csdl() -> Reply:
    """The description of everything as XML."""
    types = "".join(_write_type(table) for table in TABLES.values())
    sets = "".join(
        f'<EntitySet Name="{name}" EntityType="mscrm.{table.logical_name}"/>' for name, table in TABLES.items()
    )
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        '<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
        f'{types}<EntityContainer Name="System">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    )
    return Reply(200, text.encode(), (("content-type", "application/xml; charset=utf-8"),))


_EDM = {"Uniqueidentifier": "Guid", "Lookup": "Guid", "Customer": "Guid", "DateTime": "DateTimeOffset"}
_EDM |= {"State": "Int32", "Status": "Int32", "BigInt": "Int64"}


def _write_type(table: CrmTable) -> str:
    columns = "".join(
        f'<Property Name={quoteattr(column.name)} Type="Edm.{_EDM.get(column.kind, "String")}"/>'
        for column in table.columns.values()
    )
    ways = "".join(
        f'<NavigationProperty Name={quoteattr(name)} Type="{_write_target(way.target, is_list=way.is_list)}"/>'
        for name, way in navigations_of(table).items()
    )
    key = f'<Key><PropertyRef Name="{table.primary_id}"/></Key>'
    return f'<EntityType Name="{table.logical_name}">{key}{columns}{ways}</EntityType>'


def _write_target(table: CrmTable, *, is_list: bool) -> str:
    return f"Collection(mscrm.{table.logical_name})" if is_list else f"mscrm.{table.logical_name}"


def _describe_keys(table: CrmTable) -> list[Definition]:
    name = f"{table.logical_name}_key"
    status = {"EntityLogicalName": table.logical_name, "EntityKeyIndexStatus": "Active"}
    return [{"LogicalName": name, "KeyAttributes": list(table.key), **status}] if table.key else []


_PARTS: Mapping[str, Callable[[CrmTable], list[Definition]]] = {
    "Attributes": _describe_columns,
    "ManyToOneRelationships": _describe_relationships,
    "Keys": _describe_keys,
}
