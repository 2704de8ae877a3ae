"""Dataverse's Web API for its tables: sign-in, routes and errors; reading and writing stand apart."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from w365.demo.dataverse import metadata
from w365.demo.dataverse.odata import Preferences, Refusal, read_preferences
from w365.demo.dataverse.reading import Reader
from w365.demo.dataverse.rows import CrmRows
from w365.demo.dataverse.tables import TABLES, Table
from w365.demo.dataverse.writing import Writer
from w365.demo.journal import Journal, Row
from w365.demo.tokens import Tokens
from w365.demo.wire import Reply, Request, is_guid, json_reply, new_guid
from w365.demo.world import World

_PATH = re.compile(r"/api/data/(v9\.[0-2])/(\w+)(?:\(([^()]*)\))?(?:/([\w./]+))?/?")
ORGANISATION_ID = "5d0f2b7e-90a4-4c1c-8d6f-1f6a0c7be101"


@dataclass(slots=True)
class Dataverse:
    """``client_id`` is the application user: tokens of other applications are refused."""

    url: str
    world: World
    journal: Journal
    tokens: Tokens = field(repr=False)
    client_id: str
    authorize_url: str
    clock: Callable[[], float] = time.time
    _rows: CrmRows = field(init=False, repr=False)
    _writer: Writer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._rows = CrmRows(self.world, self.journal)
        self._writer = Writer(self._rows, self.clock)

    def __call__(self, request: Request) -> Reply:
        preferences = read_preferences(request.header("prefer"))
        try:
            self._authorise(request)
            self._rows.refresh()
            reply = self._route(request, preferences)
        except Refusal as refusal:
            reply = json_reply(refusal.status, {"error": {"code": refusal.code, "message": refusal.message}})
            if refusal.status == 401:
                reply = Reply(401, headers=(("www-authenticate", self._challenge()),))
        applied = (("preference-applied", preferences.applied),) if preferences.applied and reply.status < 300 else ()
        return reply.with_headers(
            ("odata-version", "4.0"), ("x-ms-service-request-id", new_guid()), ("cache-control", "no-cache"), *applied
        )

    def _challenge(self) -> str:
        return f"Bearer authorization_uri={self.authorize_url}, resource_id={self.url}/"

    def _authorise(self, request: Request) -> None:
        claims = self.tokens.read_bearer(request.header("authorization"))
        if claims is None or claims.audience != self.url:
            raise Refusal(401, "", "")
        if claims.client_id != self.client_id:
            raise Refusal(403, "0x80072560", "The user is not a member of the organization.")

    def _route(self, request: Request, preferences: Preferences) -> Reply:
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise _nothing_here(request.path)
        version, name, key, rest = match.groups()
        root = f"{self.url}/api/data/{version}"
        if name == "EntityDefinitions" and request.method == "GET":
            return metadata.definitions(root, key, rest, request.parameters())
        if name == "WhoAmI" and request.method == "GET":
            return _who_am_i(root, self.client_id)
        table = TABLES.get(name)
        if table is None or rest:
            raise _nothing_here(name)
        if key is None:
            return self._collection(root, table, request, preferences)
        keyed = _alternate_key(key, table)
        row_id = self._writer.find(table, keyed) if keyed else _row_id(key, table)
        return self._record(root, table, row_id, request, preferences, keyed)

    def _collection(self, root: str, table: Table, request: Request, preferences: Preferences) -> Reply:
        if request.method == "GET":
            return self._reader(root).list(table, request, preferences)
        if request.method == "POST":
            row = self._writer.create(table, request)
            return self._written(root, table, row, request, preferences, 201)
        raise _wrong_method()

    def _record(
        self, root: str, table: Table, row_id: str, request: Request, preferences: Preferences, keyed: Row
    ) -> Reply:
        if request.method == "GET":
            return self._reader(root).one(table, row_id, request, preferences)
        if request.method == "PATCH":
            self._writer.update(table, row_id, request, keyed)
            return self._written(root, table, row_id, request, preferences, 200)
        if request.method == "DELETE":
            self._writer.delete(table, row_id, request)
            return Reply(204)
        raise _wrong_method()

    def _written(
        self, root: str, table: Table, row_id: str, request: Request, preferences: Preferences, status: int
    ) -> Reply:
        address = ("odata-entityid", f"{root}/{table.entity_set}({row_id})")
        if not preferences.returns_representation:
            return Reply(204, headers=(address,))
        shown = self._reader(root).one(table, row_id, request, preferences)
        return Reply(status, shown.body, (*shown.headers, address))

    def _reader(self, root: str) -> Reader:
        return Reader(root, self._rows, self.world.fingerprint, self.clock)


def _alternate_key(key: str, table: Table) -> Row:
    """Read a key such as ``new_provider='x',new_id='y'``; empty when it is none of this table's."""
    parts = dict(re.findall(r"(\w+)='((?:[^']|'')*)'", key))
    if not table.key or parts.keys() != set(table.key):
        return {}
    return {name: value.replace("''", "'") for name, value in parts.items()}


def _row_id(key: str, table: Table) -> str:
    value = key.removeprefix(f"{table.primary_id}=").strip("'")
    if not is_guid(value):
        raise Refusal(400, "0x80060891", "A record with the specified key values does not exist in the table.")
    return value.lower()


def _nothing_here(name: str) -> Refusal:
    return Refusal(404, "0x8006088a", f"Resource not found for the segment '{name}'.")


def _wrong_method() -> Refusal:
    return Refusal(405, "0x8006088a", "The requested resource does not support this HTTP method.")


def _who_am_i(root: str, client_id: str) -> Reply:
    return json_reply(
        200,
        {
            "@odata.context": f"{root}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
            "BusinessUnitId": ORGANISATION_ID,
            "UserId": client_id,
            "OrganizationId": ORGANISATION_ID,
        },
    )
