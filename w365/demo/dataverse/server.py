"""Dataverse's Web API for its tables: sign-in, routes and errors; reading and writing stand apart."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from w365.demo.dataverse import metadata
from w365.demo.dataverse.odata import ODataRefusal, Preferences, read_preferences
from w365.demo.dataverse.reading import Reader
from w365.demo.dataverse.rows import CrmRows
from w365.demo.dataverse.tables import TABLES, CrmTable
from w365.demo.dataverse.writing import Writer
from w365.demo.journal import Journal, Row
from w365.demo.tokens import TokenIssuer
from w365.demo.wire import Reply, Request, is_guid, json_reply, new_guid
from w365.demo.world import World

_PATH = re.compile(r"/api/data/(v9\.[0-2])/(\w+)(?:\(([^()]*)\))?(?:/([\w./]+))?/?")
ORGANISATION_ID = "5d0f2b7e-90a4-4c1c-8d6f-1f6a0c7be101"


@dataclass(slots=True)
class DataverseServer:
    """``client_id`` is the application user: tokens of other applications are refused."""

    url: str
    world: World
    journal: Journal
    tokens: TokenIssuer = field(repr=False)
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
            self._check_token(request)
            self._rows.refresh()
            reply = self._route(request, preferences)
        except ODataRefusal as refusal:
            reply = json_reply(refusal.status, {"error": {"code": refusal.code, "message": refusal.message}})
            if refusal.status == 401:
                reply = Reply(401, headers=(("www-authenticate", self._make_challenge()),))
        applied = (("preference-applied", preferences.applied),) if preferences.applied and reply.status < 300 else ()
        return reply.with_headers(
            ("odata-version", "4.0"), ("x-ms-service-request-id", new_guid()), ("cache-control", "no-cache"), *applied
        )

    def _make_challenge(self) -> str:
        return f"Bearer authorization_uri={self.authorize_url}, resource_id={self.url}/"

    def _check_token(self, request: Request) -> None:
        claims = self.tokens.read_bearer(request.header("authorization"))
        if claims is None or claims.audience != self.url:
            raise ODataRefusal(401, "", "")
        if claims.client_id != self.client_id:
            raise ODataRefusal(403, "0x80072560", "The user is not a member of the organization.")

    def _route(self, request: Request, preferences: Preferences) -> Reply:
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise _refuse_segment(request.path)
        version, name, key, rest = match.groups()
        root = f"{self.url}/api/data/{version}"
        if name == "EntityDefinitions" and request.method == "GET":
            return metadata.answer_definitions(root, key, rest, request.parameters())
        if name == "WhoAmI" and request.method == "GET":
            return _answer_who_am_i(root, self.client_id)
        table = TABLES.get(name)
        if table is None or rest:
            raise _refuse_segment(name)
        reader = Reader(root, self._rows, self.world.fingerprint, self.clock, table, request.parameters(), preferences)
        if key is None:
            return self._answer_collection(reader, request)
        keyed = _read_alternate_key(key, table)
        row_id = self._writer.find_row(table, keyed) if keyed else _read_row_id(key, table)
        return self._answer_row(reader, row_id, request, keyed)

    def _answer_collection(self, reader: Reader, request: Request) -> Reply:
        if request.method == "GET":
            return reader.list_rows()
        if request.method == "POST":
            return _confirm_write(reader, self._writer.create_row(reader.table, request), 201)
        raise _refuse_method()

    def _answer_row(self, reader: Reader, row_id: str, request: Request, keyed: Row) -> Reply:
        if request.method == "GET":
            return reader.read_row(row_id)
        if request.method == "PATCH":
            self._writer.update_row(reader.table, row_id, request, keyed)
            return _confirm_write(reader, row_id, 200)
        if request.method == "DELETE":
            self._writer.delete_row(reader.table, row_id, request)
            return Reply(204)
        raise _refuse_method()


def _confirm_write(reader: Reader, row_id: str, status: int) -> Reply:
    """Answer with the row as it is now where the client prefers that, else with its address only."""
    address = ("odata-entityid", f"{reader.root}/{reader.table.entity_set}({row_id})")
    if not reader.preferences.returns_representation:
        return Reply(204, headers=(address,))
    row = reader.read_row(row_id)
    return Reply(status, row.body, (*row.headers, address))


def _read_alternate_key(key: str, table: CrmTable) -> Row:
    """Read a key such as ``new_provider='x',new_id='y'``; empty when it is none of this table's."""
    parts = dict(re.findall(r"(\w+)='((?:[^']|'')*)'", key))
    if not table.key or parts.keys() != set(table.key):
        return {}
    return {name: value.replace("''", "'") for name, value in parts.items()}


def _read_row_id(key: str, table: CrmTable) -> str:
    value = key.removeprefix(f"{table.primary_id}=").strip("'")
    if not is_guid(value):
        raise ODataRefusal(400, "0x80060891", "A record with the specified key values does not exist in the table.")
    return value.lower()


def _refuse_segment(name: str) -> ODataRefusal:
    return ODataRefusal(404, "0x8006088a", f"Resource not found for the segment '{name}'.")


def _refuse_method() -> ODataRefusal:
    return ODataRefusal(405, "0x8006088a", "The requested resource does not support this HTTP method.")


def _answer_who_am_i(root: str, client_id: str) -> Reply:
    return json_reply(
        200,
        {
            "@odata.context": f"{root}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
            "BusinessUnitId": ORGANISATION_ID,
            "UserId": client_id,
            "OrganizationId": ORGANISATION_ID,
        },
    )
