"""The OpenAPI description of `/api/v1`, made of the operations and the shapes of what they ask and answer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from w365 import __version__
from w365.api.programs.examples import ANSWERS, VALUES
from w365.api.programs.operations import OPERATIONS, SEEN, Operation
from w365.api.programs.problems import MEDIA_TYPE, Problem, ProblemKind
from w365.api.programs.shapes import MOST_VALUES, Field, Schema, field_schema, schema_of, shapes_in

PREFIX = "/api/v1"
_ABOUT = """Reads and decides what the pages do, by the same calls. Numbers and words are the pages' own.

Get in with the token of a service account, which an admin makes on the People page or by `w365 tokens add`. Lists come
page by page: ask again with `next` as `cursor` until it is null. Who decides says which version it looked at by
`If-Match`; where somebody decided since, nothing is changed (412). Answers may get further members; ignore what you do
not know."""
_VERSION = {"type": "string", "pattern": '^"[0-9]{1,15}"$', "description": "The version that was looked at, in quotes."}
_TEXT: Schema = {"type": "string"}


def describe(base: str = "") -> dict[str, Any]:
    """Describe the interface of the app below a base path."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation)
    shapes = {shape.__name__: schema_of(shape) for shape in _shapes()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "W365 Provider Accounts",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base or "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(shapes.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "`w365_…`"}},
        },
    }


def _shapes() -> list[type]:
    roots = [*(operation.answer for operation in OPERATIONS), Problem]
    return list(dict.fromkeys(shape for root in roots for shape in shapes_in(root)))


def _operation(operation: Operation) -> dict[str, Any]:
    summary, _, more = operation.about.partition("\n\n")
    needs = f"Needs the role {operation.role.name.lower()}."
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": summary,
        "description": f"{more} {needs}".strip(),
        "parameters": _parameters(operation),
        "responses": {str(operation.status): _success(operation), **_refusals(operation)},
    }
    if operation.in_body:
        is_needed = any(field.is_needed for field in operation.in_body)
        described["requestBody"] = {"required": is_needed, "content": {"application/json": _body(operation)}}
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    places = (("path", operation.in_path), ("query", operation.in_query))
    listed = [_parameter(field, place) for place, fields in places for field in fields]
    if operation.has_version:
        version = {"name": "If-Match", "in": "header", "required": True, "schema": _VERSION}
        listed.append(version | {"example": f'"{VALUES[SEEN]}"'})
    return listed


def _parameter(field: Field, place: str) -> dict[str, Any]:
    schema = _in_text(field_schema(field))
    about = schema.pop("description", "")
    described = {"name": field.name, "in": place, "required": field.is_needed, "schema": schema, "description": about}
    return described | ({"example": VALUES[field.name]} if field.name in VALUES else {})


def _in_text(schema: Schema) -> Schema:
    """What may be null in JSON is left out of a query, and what comes several times has an end."""
    alone: Schema = schema.pop("anyOf", [{}])[0]
    return alone | schema | ({"maxItems": MOST_VALUES} if schema.get("type") == "array" else {})


def _body(operation: Operation) -> dict[str, Any]:
    fields = operation.in_body
    schema = {
        "type": "object",
        "properties": {field.name: field_schema(field) for field in fields},
        "required": [field.name for field in fields if field.is_needed],
        "additionalProperties": False,
    }
    return {"schema": schema, "example": {field.name: VALUES[field.name] for field in fields if field.is_needed}}


def _success(operation: Operation) -> dict[str, Any]:
    answer = operation.answer
    headers = {}
    if operation.has_version or operation.path.endswith("/mapping"):
        headers["ETag"] = {"description": "The version, in quotes.", "schema": _TEXT}
    if operation.status == 202:
        headers["Location"] = {"description": "Where the run is read.", "schema": _TEXT}
    content = {"schema": {"$ref": f"#/components/schemas/{answer.__name__}"}, "example": asdict(ANSWERS[answer])}
    return {"description": answer.__doc__, "headers": headers, "content": {"application/json": content}}


def _refusals(operation: Operation) -> dict[str, Any]:
    by_status: dict[int, list[ProblemKind]] = {}
    for kind in operation.problems:
        by_status.setdefault(kind.status, []).append(kind)
    return {str(status): _refusal(kinds) for status, kinds in by_status.items()}


def _refusal(kinds: list[ProblemKind]) -> dict[str, Any]:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}}
    told = " ".join(f"`{kind.type}`: {kind.title}" for kind in kinds)
    waits = kinds[0] in (ProblemKind.TOO_MANY, ProblemKind.UNAVAILABLE)
    after = {"Retry-After": {"description": "Seconds to wait.", "schema": _TEXT}}
    return {"description": told, "content": {MEDIA_TYPE: content}, **({"headers": after} if waits else {})}
