"""Dataverse's Web API for its tables: sign-in, routes and errors; reading and writing stand apart."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from w365.demo.dataverse import metadata
from w365.demo.dataverse.batch import Batch
from w365.demo.dataverse.linking import Behind, Segment
from w365.demo.dataverse.odata import ODataRefusal, Preferences, read_preferences, refuse_others
from w365.demo.dataverse.reading import ROW_OPTIONS, Reader
from w365.demo.dataverse.rows import CrmRows
from w365.demo.dataverse.tables import TABLES, CrmTable
from w365.demo.dataverse.writing import Writer
from w365.demo.journal import Journal, Row
from w365.demo.tokens import TokenIssuer
from w365.demo.wire import Reply, Request, is_guid, json_reply, new_guid
from w365.demo.world import World

_PATH = re.compile(r"/api/data/(v9\.[0-2])(/.*)?")
# A key may hold what else ends a segment, within quotes.
_SEGMENT = re.compile(r"/([^/()]+)(?:\(((?:[^()']|'(?:[^']|'')*')*)\))?")
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
        return self._answer(request, self._check_token)

    def _answer(self, request: Request, check: Callable[[Request], None] = lambda _: None) -> Reply:
        preferences = read_preferences(request.header("prefer"))
        try:
            check(request)
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
        self._rows.refresh()

    def _route(self, request: Request, preferences: Preferences) -> Reply:
        root, segments = self._read_path(request.path)
        if not segments:
            return metadata.list_entity_sets(root)
        (name, key), *rest = segments
        if plain := self._plain_routes(root).get((request.method, name)):
            return plain(request)
        if name in metadata.DEFINITIONS:
            return metadata.answer_definitions(root, segments, request)
        table = TABLES.get(name)
        if table is None:
            raise _refuse_segment(name)
        parameters, known = request.parameters(), request.header("if-none-match")
        reader = Reader(
            root, self._rows, self.world.fingerprint, self.clock, table, parameters, preferences, known=known
        )
        if not key:
            return self._answer_collection(reader, request, [part for part, _ in rest])
        keyed = _read_alternate_key(key, table)
        row_id = self._writer.find_row(table, keyed) if keyed else _read_row_id(key, table)
        if rest:
            return Behind(reader, self._writer, row_id, request).answer(rest)
        return self._answer_row(reader, row_id, request, keyed)

    def _read_path(self, path: str) -> tuple[str, list[Segment]]:
        match = _PATH.fullmatch(path)
        rest = (match[2] or "").rstrip("/") if match else ""
        segments = [(name, key) for name, key in _SEGMENT.findall(rest)]
        if match is None or _SEGMENT.sub("", rest):
            raise _refuse_segment(path)
        return f"{self.url}/api/data/{match[1]}", segments

    def _plain_routes(self, root: str) -> dict[tuple[str, str], Callable[[Request], Reply]]:
        return {
            ("POST", "$batch"): Batch(root, self._answer_part, self._rows.together).run,
            ("GET", "$metadata"): lambda _: metadata.write_csdl(),
            ("GET", "WhoAmI"): lambda request: _answer_who_am_i(root, self.client_id, request),
        }

    def _answer_part(self, request: Request) -> Reply:
        """Answer a request of a batch: it was signed in as a whole."""
        if request.path.endswith("/$batch"):
            raise ODataRefusal(400, "0x80060888", "A batch holds no batch.")
        return self._answer(request)

    def _answer_collection(self, reader: Reader, request: Request, rest: list[str]) -> Reply:
        if rest == ["$count"] and request.method == "GET":
            return reader.count_rows()
        if rest:
            raise _refuse_segment(rest[0])
        if request.method == "GET":
            return reader.list_rows()
        if request.method == "POST":
            return _confirm_write(reader, lambda: self._writer.create_row(reader.table, request), 201)
        raise _refuse_method()

    def _answer_row(self, reader: Reader, row_id: str, request: Request, keyed: Row) -> Reply:
        if request.method == "GET":
            return reader.read_row(row_id)
        if request.method == "PATCH":
            return _confirm_write(reader, lambda: self._update_row(reader, row_id, request, keyed), 200)
        if request.method == "DELETE":
            refuse_others(reader.query, ())
            self._writer.delete_row(reader.table, row_id, request)
            return Reply(204)
        raise _refuse_method()

    def _update_row(self, reader: Reader, row_id: str, request: Request, keyed: Row) -> str:
        self._writer.update_row(reader.table, row_id, request, keyed)
        return row_id


def _confirm_write(reader: Reader, write: Callable[[], str], status: int) -> Reply:
    """Write, and answer with the row as it is now where the client prefers that, else with its address only."""
    refuse_others(reader.query, ROW_OPTIONS)
    row_id = write()
    address = ("odata-entityid", f"{reader.root}/{reader.table.entity_set}({row_id})")
    if not reader.preferences.returns_representation:
        return Reply(204, headers=(address,))
    row = replace(reader, known="").read_row(row_id)
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


def _answer_who_am_i(root: str, client_id: str, request: Request) -> Reply:
    refuse_others(request.parameters(), ())
    return json_reply(
        200,
        {
            "@odata.context": f"{root}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
            "BusinessUnitId": ORGANISATION_ID,
            "UserId": client_id,
            "OrganizationId": ORGANISATION_ID,
        },
    )
