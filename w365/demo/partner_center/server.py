"""Partner Center's customers, their domains and subscriptions.

Where no recording exists the choice made here is marked "our guess".
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from w365.demo.journal import Journal
from w365.demo.partner_center.audit import AuditRecords
from w365.demo.partner_center.creation import NewCustomers, Refused
from w365.demo.partner_center.records import (
    created_record,
    customer_item,
    customer_record,
    reseller_item,
    subscription_item,
)
from w365.demo.rate_limit import Pace
from w365.demo.tokens import Tokens
from w365.demo.wire import Reply, Request, is_guid, json_reply, new_guid
from w365.demo.world import Customer, World

AUDIENCE = "https://api.partnercenter.microsoft.com"
LARGEST_PAGE = 500
PARTNER_ID = "9d1f6c3e-2b47-4f0a-8a55-71c0e4b2d6f8"
RELATIONSHIP_REQUEST = {
    "url": f"https://admin.microsoft.com/Adminportal/Home?invType=ResellerRelationship&partnerId={PARTNER_ID}"
    "&msppId=0&DAP=false#/BillingAccounts/partner-invitation",
    "attributes": {"objectType": "RelationshipRequest"},
}
_FILTER_FIELDS: Mapping[str, Callable[[Customer], str]] = {
    "companyname": lambda customer: customer.name,
    "domain": lambda customer: customer.domain,
}


@dataclass(slots=True)
class PartnerCenter:
    """``calls_per_minute`` 0 is no limit; ``audiences`` are those whose tokens it takes.

    Without a ``journal`` no customer can be created.
    """

    world: World
    tokens: Tokens = field(repr=False)
    audiences: frozenset[str] = frozenset({AUDIENCE})
    calls_per_minute: int = 0
    clock: Callable[[], float] = time.monotonic
    journal: Journal | None = None
    audit: AuditRecords | None = None
    _new: NewCustomers = field(init=False, repr=False)
    _customers: dict[str, Customer] = field(init=False, repr=False)
    _names: set[str] = field(init=False, repr=False)
    _pace: Pace = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._customers = {customer.id: customer for customer in self.world.customers}
        self._names = {domain.name.lower() for customer in self.world.customers for domain in customer.domains}
        self._new = NewCustomers(self.journal)
        self._pace = Pace(self.calls_per_minute, self.clock)

    def __call__(self, request: Request) -> Reply:
        self._read_new()
        reply = self._too_many() or self._unauthorised(request) or self._for_persons(request) or self._route(request)
        return reply.with_headers(
            ("ms-requestid", request.header("ms-requestid") or new_guid()),
            ("ms-correlationid", request.header("ms-correlationid") or new_guid()),
            ("ms-cv", "w365DemoVector0.0"),
            ("ms-serverid", "202010406"),
        )

    def _read_new(self) -> None:
        for customer in self._new.read():
            self._customers[customer.id] = customer
            self._names.update(domain.name.lower() for domain in customer.domains)

    def _too_many(self) -> Reply | None:
        wait = self._pace.seconds_to_wait()
        if not wait:
            return None
        message = f"Rate limit is exceeded. Try again in {wait} seconds."
        return json_reply(429, {"statusCode": 429, "message": message}, ("retry-after", str(wait)))

    def _unauthorised(self, request: Request) -> Reply | None:
        claims = self.tokens.read_bearer(request.header("authorization"))
        if claims is None:
            return Reply(401, headers=(("www-authenticate", 'Bearer error="invalid_token"'),))
        if claims.audience not in self.audiences:
            return _error(401, 900420, "The audience of the token is not accepted.")
        return None

    def _for_persons(self, request: Request) -> Reply | None:
        """Refuse an application by itself what Partner Center tells only where a person signed in."""
        claims = self.tokens.read_bearer(request.header("authorization"))
        is_reserved = request.path.rstrip("/").lower() == "/v1/relationships"
        if is_reserved and not (claims and claims.has_person):
            return _error(403, 900329, "The operation needs an application and a user.")
        return None

    def _route(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        plain = {
            ("GET", "v1/customers"): self._list,
            ("POST", "v1/customers"): self._create,
            ("POST", "v1/validations/address"): self._validate_address,
            ("GET", "v1/customers/relationshiprequests"): lambda _: json_reply(200, RELATIONSHIP_REQUEST, bom=True),
            ("GET", "v1/auditrecords"): self._audit,
            ("GET", "v1/relationships"): self._relationships,
        }
        if answer := plain.get((request.method, "/".join(parts))):
            return answer(request)
        match (request.method, parts):
            case ("GET", ["v1", "customers", customer_id, *rest]) if len(rest) <= 1:
                return self._one(customer_id, rest[0].lower() if rest else "")
            case ("HEAD", ["v1", "domains", name]):
                return Reply(200 if name.lower() in self._names else 404)
        return _error(404, 404, "Resource not found.")

    def _create(self, request: Request) -> Reply:
        try:
            made = self._new.create(request, self._names)
        except Refused as refused:
            return _error(refused.status, refused.code, refused.description)
        self._read_new()
        return json_reply(201, created_record(made.customer, made.billing, made.credentials), bom=True)

    def _validate_address(self, request: Request) -> Reply:
        try:
            self._new.validate_address(request)
        except Refused as refused:
            return _error(refused.status, refused.code, refused.description)
        return Reply(200)

    def _audit(self, request: Request) -> Reply:
        found = self.audit.between(request.parameters(), dt.datetime.now(dt.UTC)) if self.audit else []
        return _error(400, 2000, found) if isinstance(found, str) else _collection(found)

    def _relationships(self, request: Request) -> Reply:
        kind = request.parameters().get("relationship_type", "").lower()
        if kind != "isindirectcloudsolutionproviderof":
            return _error(400, 2000, "The relationship type is not supported.")
        return _collection([reseller_item(one) for one in self.world.resellers])

    def _one(self, customer_id: str, part: str) -> Reply:
        if not is_guid(customer_id):
            return _error(400, 2000, "The customer id is not a GUID.")
        customer = self._customers.get(customer_id.lower())
        if customer is None:
            return _error(404, 2002, "The customer was not found.")
        if customer.departed:
            return _error(403, 20002, "No relationship between caller and account.")
        return _part_of(customer, part)

    def _list(self, request: Request) -> Reply:
        query = request.parameters()
        text = query.get("size", "0")
        if not text.isdecimal():
            return _error(400, 2000, "The size is not a number.")
        # Our guess: more than the most is cut to the most.
        size = min(int(text) or LARGEST_PAGE, LARGEST_PAGE)
        customers = self._filtered(query.get("filter", ""))
        if customers is None:
            return _error(400, 2000, "The filter is not supported.")
        start = self._position(request, query)
        if start is None:
            # Our guess at the refusal; that the header carries the position is documented.
            return _error(400, 2000, "The continuation token is missing or not valid.")
        return self._page(customers, start, size, query.get("filter", ""))

    def _filtered(self, text: str) -> tuple[Customer, ...] | None:
        if not text:
            return tuple(self._customers.values())
        try:
            content = json.loads(text)
            values = {str(key).lower(): str(value) for key, value in content.items()}
        except (ValueError, AttributeError):
            return None
        if values.get("operator", "").lower() not in ("starts_with", "startswith"):
            return None
        wanted, name = values.get("value", "").casefold(), values.get("field", "").lower()
        if name == "indirectreseller":
            through = {found for one in self.world.resellers if one.id == wanted for found in one.customers}
            return tuple(customer for customer in self._customers.values() if customer.id in through)
        if (read := _FILTER_FIELDS.get(name)) is None:
            return None
        return tuple(customer for customer in self._customers.values() if read(customer).casefold().startswith(wanted))

    def _position(self, request: Request, query: Mapping[str, str]) -> int | None:
        if "seekOperation" not in query or query["seekOperation"] == "First":
            return 0
        if query["seekOperation"] != "Next":
            return None
        try:
            token = base64.b64decode(request.header("ms-continuationtoken"), validate=True).decode()
            fingerprint, start = token.split(":")
            return int(start) if fingerprint == self.world.fingerprint else None
        except ValueError:
            return None

    def _page(self, customers: tuple[Customer, ...], start: int, size: int, filter_text: str) -> Reply:
        own = {"size": str(size)} | ({"filter": filter_text} if filter_text else {})
        links = {"self": _link(own)}
        if start + size < len(customers):
            token = base64.b64encode(f"{self.world.fingerprint}:{start + size}".encode()).decode()
            links["next"] = _link(own | {"seekOperation": "Next"}, token)
        items = [customer_item(customer) for customer in customers[start : start + size]]
        content = {"totalCount": len(items), "items": items, "links": links}
        return json_reply(200, content | {"attributes": {"objectType": "Collection"}}, bom=True)


def _part_of(customer: Customer, part: str) -> Reply:
    if part == "":
        return json_reply(200, customer_record(customer), bom=True)
    if part == "customdomains":
        # Our guess: no recording of this body exists. The other collections of the API have this envelope.
        return _collection([domain.name for domain in customer.domains if domain.is_verified])
    if part == "subscriptions":
        return _collection([subscription_item(item) for item in customer.subscriptions])
    return _error(404, 404, "Resource not found.")


def _link(query: Mapping[str, str], token: str = "") -> dict[str, object]:
    headers = [{"key": "MS-ContinuationToken", "value": token}] if token else []
    return {"uri": f"/customers?{urlencode(query, quote_via=quote)}", "method": "GET", "headers": headers}


def _collection(items: list[str] | list[dict[str, object]]) -> Reply:
    return json_reply(
        200, {"totalCount": len(items), "items": items, "attributes": {"objectType": "Collection"}}, bom=True
    )


def _error(status: int, code: int, description: str) -> Reply:
    content = {"code": code, "description": description, "data": [], "source": "PartnerFD"}
    return json_reply(status, content, bom=True)
