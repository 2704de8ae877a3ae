"""Pax8's token endpoint, companies and subscriptions, as its published OpenAPI has them.

What that leaves open and was chosen here is marked "our guess".
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from w365.demo.pax8.records import company_record, subscription_record
from w365.demo.rate_limit import RateLimit
from w365.demo.tokens import TokenIssuer
from w365.demo.wire import Reply, Request, json_reply
from w365.demo.world import World

AUDIENCE = "https://api.pax8.com"
TOKEN_SECONDS = 86_400
LARGEST_PAGE = 200
DEFAULT_PAGE = 10
REMEMBERED_LISTS = 8
_ADDRESS = frozenset({"city", "country", "stateOrProvince", "postalCode"})
_OWN = frozenset({"status", "companyId", "productId", "billingTerm"})
"""What lists can be narrowed by, where their records have it."""
_ORDER = {"companies": "name", "subscriptions": "createdDate"}
"""What lists are sorted by unless the client says."""

Record = Mapping[str, Any]


@dataclass(slots=True)
class Pax8Server:
    """``clients`` are the secrets by client id; ``calls_per_minute`` 0 is no limit."""

    world: World
    tokens: TokenIssuer = field(repr=False)
    clients: Mapping[str, str] = field(repr=False)
    calls_per_minute: int = 0
    clock: Callable[[], float] = time.monotonic
    _records: Mapping[str, Sequence[Record]] = field(init=False, repr=False)
    _lists: dict[tuple[object, ...], Sequence[Record]] = field(init=False, repr=False, default_factory=dict)
    _limit: RateLimit = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._limit = RateLimit(self.calls_per_minute, self.clock)
        companies = self.world.companies
        self._records = {
            "companies": [company_record(company) for company in companies],
            "subscriptions": [
                subscription_record(company.id, bought) for company in companies for bought in company.subscriptions
            ],
        }

    def __call__(self, request: Request) -> Reply:
        if request.path == "/v1/token":
            return self._answer_token(request)
        return self._check_rate(request) or self._check_token(request) or self._route(request)

    def _answer_token(self, request: Request) -> Reply:
        if request.method != "POST":
            return _make_error(request, 405, "Method Not Allowed")
        grant = _read_json_object(request.body)
        secret = self.clients.get(str(grant.get("client_id")), "")
        is_known = bool(secret) and hmac.compare_digest(secret.encode(), str(grant.get("client_secret")).encode())
        if not is_known or grant.get("audience") != AUDIENCE or grant.get("grant_type") != "client_credentials":
            return json_reply(401, {"error": "access_denied", "error_description": "Unauthorized"})
        token = self.tokens.issue(AUDIENCE, str(grant["client_id"]), "")
        return json_reply(200, {"access_token": token, "expires_in": self.tokens.lifetime, "token_type": "Bearer"})

    def _check_rate(self, request: Request) -> Reply | None:
        """Our guess: the published description names neither a limit nor a Retry-After."""
        return _make_error(request, 429, "Too Many Requests") if self._limit.seconds_to_wait() else None

    def _check_token(self, request: Request) -> Reply | None:
        claims = self.tokens.read_bearer(request.header("authorization"))
        if claims is not None and claims.audience == AUDIENCE:
            return None
        return _make_error(request, 401, "Unauthorized")

    def _route(self, request: Request) -> Reply:
        match (request.method, request.path.strip("/").split("/")):
            case ("GET", ["v1", kind]) if kind in self._records:
                return self._list_records(request, kind)
            case ("GET", ["v1", kind, record_id]) if kind in self._records:
                record = next((each for each in self._records[kind] if each["id"] == record_id.lower()), None)
                return json_reply(200, record) if record else _make_error(request, 404, "Not Found")
        return _make_error(request, 404, "Not Found")

    def _list_records(self, request: Request, kind: str) -> Reply:
        query = request.parameters()
        number, size = query.pop("page", "0"), query.pop("size", str(DEFAULT_PAGE))
        if not (number.isdecimal() and size.isdecimal() and 1 <= int(size) <= LARGEST_PAGE):
            # Our guess at the refusal; the bounds are documented.
            detail = f"page and size must be numbers, size at most {LARGEST_PAGE}."
            return _make_error(request, 400, "Bad Request", detail)
        return json_reply(200, _make_page(self._order_records(kind, query), int(number), int(size)))

    def _order_records(self, kind: str, query: Mapping[str, str]) -> Sequence[Record]:
        """Give the records that fit, in order; remembered, as a list is read page by page and never changes."""
        key = (kind, *sorted(query.items()))
        if key not in self._lists:
            if len(self._lists) >= REMEMBERED_LISTS:
                self._lists.clear()
            chosen = [record for record in self._records[kind] if _fits_query(record, query)]
            self._lists[key] = _sort_records(chosen, query.get("sort", _ORDER[kind]))
        return self._lists[key]


def _make_page(records: Sequence[Record], number: int, size: int) -> Record:
    count = len(records)
    page = {"size": size, "totalElements": count, "totalPages": -(-count // size), "number": number}
    return {"content": records[number * size : (number + 1) * size], "page": page}


def _fits_query(record: Record, query: Mapping[str, str]) -> bool:
    facts = {name: record[name] for name in _OWN & record.keys()}
    facts |= {name: value for name, value in record.get("address", {}).items() if name in _ADDRESS}
    return all(facts.get(name, value) == value for name, value in query.items())


def _sort_records(records: Sequence[Record], sort: str) -> Sequence[Record]:
    name, _, direction = sort.partition(",")
    return sorted(
        records,
        key=lambda record: ((record.get("address") or {}).get(name) or record.get(name) or "", record["id"]),
        reverse=direction == "desc",
    )


def _read_json_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _make_error(request: Request, status: int, message: str, *details: str) -> Reply:
    content = {
        "type": message.upper().replace(" ", "_"),
        "message": message,
        "instance": request.path,
        "status": status,
        "details": [{"message": detail} for detail in details],
    }
    return json_reply(status, content)
