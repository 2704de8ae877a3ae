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
from w365.demo.partner_center.creation import NewCustomers
from w365.demo.partner_center.records import (
    company_profile,
    created_record,
    customer_item,
    customer_record,
    reseller_item,
    subscription_item,
)
from w365.demo.partner_center.refusal import PartnerCenterRefusal
from w365.demo.rate_limit import RateLimit
from w365.demo.tokens import TokenIssuer
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
_OF_PERSONS = ("/relationships", "/profiles/company")
"""What an application by itself is refused."""
_FILTER_FIELDS: Mapping[str, Callable[[Customer], str]] = {
    "companyname": lambda customer: customer.name,
    "domain": lambda customer: customer.domain,
}


@dataclass(slots=True)
class PartnerCenterServer:
    """``calls_per_minute`` 0 is no limit; ``audiences`` are those whose tokens it takes.

    Without a ``journal`` no customer can be created.
    """

    world: World
    tokens: TokenIssuer = field(repr=False)
    audiences: frozenset[str] = frozenset({AUDIENCE})
    calls_per_minute: int = 0
    clock: Callable[[], float] = time.monotonic
    journal: Journal | None = None
    audit: AuditRecords | None = None
    _new: NewCustomers = field(init=False, repr=False)
    _customers: dict[str, Customer] = field(init=False, repr=False)
    _names: set[str] = field(init=False, repr=False)
    _limit: RateLimit = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._customers = {customer.id: customer for customer in self.world.customers}
        self._names = {domain.name.lower() for customer in self.world.customers for domain in customer.domains}
        self._new = NewCustomers(self.journal)
        self._limit = RateLimit(self.calls_per_minute, self.clock)

    def __call__(self, request: Request) -> Reply:
        self._take_in_new()
        reply = self._check_rate() or self._check_token(request) or self._answer(request)
        return reply.with_headers(
            ("ms-requestid", request.header("ms-requestid") or new_guid()),
            ("ms-correlationid", request.header("ms-correlationid") or new_guid()),
            ("ms-cv", "w365DemoVector0.0"),
            ("ms-serverid", "202010406"),
        )

    def _take_in_new(self) -> None:
        for customer in self._new.read_new():
            self._customers[customer.id] = customer
            self._names.update(domain.name.lower() for domain in customer.domains)

    def _check_rate(self) -> Reply | None:
        wait = self._limit.seconds_to_wait()
        if not wait:
            return None
        message = f"Rate limit is exceeded. Try again in {wait} seconds."
        return json_reply(429, {"statusCode": 429, "message": message}, ("retry-after", str(wait)))

    def _check_token(self, request: Request) -> Reply | None:
        if self.tokens.read_bearer(request.header("authorization")):
            return None
        return Reply(401, headers=(("www-authenticate", 'Bearer error="invalid_token"'),))

    def _answer(self, request: Request) -> Reply:
        try:
            self._check_claims(request)
            return self._route(request)
        except PartnerCenterRefusal as refusal:
            return refusal.make_reply()

    def _check_claims(self, request: Request) -> None:
        """Refuse tokens for others, and to an application by itself what needs a person who signed in."""
        claims = self.tokens.read_bearer(request.header("authorization"))
        if claims is None or claims.audience not in self.audiences:
            raise PartnerCenterRefusal("The audience of the token is not accepted.", 401, 900420)
        if request.path.rstrip("/").lower().endswith(_OF_PERSONS) and not claims.has_person:
            raise PartnerCenterRefusal("The operation needs an application and a user.", 403, 900329)

    def _route(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        plain = {
            ("GET", "v1/customers"): self._list_customers,
            ("POST", "v1/customers"): self._create_customer,
            ("POST", "v1/validations/address"): self._check_address,
            ("GET", "v1/customers/relationshiprequests"): lambda _: json_reply(200, RELATIONSHIP_REQUEST, bom=True),
            ("GET", "v1/auditrecords"): self._list_audit_records,
            ("GET", "v1/relationships"): self._list_resellers,
        }
        if answer := plain.get((request.method, "/".join(parts))):
            return answer(request)
        match (request.method, parts):
            case ("GET", ["v1", "customers", customer_id, *rest]):
                return self._answer_customer(customer_id, "/".join(rest).lower())
            case ("HEAD", ["v1", "domains", name]):
                return Reply(200 if name.lower() in self._names else 404)
        raise PartnerCenterRefusal("Resource not found.", 404, 404)

    def _create_customer(self, request: Request) -> Reply:
        created = self._new.create_customer(request, self._names)
        self._take_in_new()
        return json_reply(201, created_record(created.customer, created.billing, created.credentials), bom=True)

    def _check_address(self, request: Request) -> Reply:
        self._new.check_address(request)
        return Reply(200)

    def _list_audit_records(self, request: Request) -> Reply:
        records = self.audit.between(request.parameters(), dt.datetime.now(dt.UTC)) if self.audit else []
        return _make_collection(records)

    def _list_resellers(self, request: Request) -> Reply:
        kind = request.parameters().get("relationship_type", "").lower()
        if kind != "isindirectcloudsolutionproviderof":
            raise PartnerCenterRefusal("The relationship type is not supported.")
        return _make_collection([reseller_item(reseller) for reseller in self.world.resellers])

    def _answer_customer(self, customer_id: str, part: str) -> Reply:
        if not is_guid(customer_id):
            raise PartnerCenterRefusal("The customer id is not a GUID.")
        customer = self._customers.get(customer_id.lower())
        if customer is None:
            raise PartnerCenterRefusal("The customer was not found.", 404, 2002)
        if customer.departed:
            raise PartnerCenterRefusal("No relationship between caller and account.", 403, 20002)
        if part == "relationships":
            resellers = [each for each in self.world.resellers if customer.id in each.customers]
            return _make_collection([reseller_item(reseller) for reseller in resellers])
        return _answer_part(customer, part)

    def _list_customers(self, request: Request) -> Reply:
        query = request.parameters()
        text = query.get("size", "0")
        if not text.isdecimal():
            raise PartnerCenterRefusal("The size is not a number.")
        # Our guess: more than the most is cut to the most.
        size = min(int(text) or LARGEST_PAGE, LARGEST_PAGE)
        customers = self._filter_customers(query.get("filter", ""))
        return self._make_page(customers, self._read_position(request, query), size, query.get("filter", ""))

    def _filter_customers(self, text: str) -> list[Customer]:
        customers = list(self._customers.values())
        if not text:
            return customers
        try:
            values = {str(key).lower(): str(value) for key, value in json.loads(text).items()}
        except (ValueError, AttributeError):
            values = {}
        name, value = values.get("field", "").lower(), values.get("value", "").casefold()
        is_prefix = values.get("operator", "").lower() in ("starts_with", "startswith")
        if is_prefix and name == "indirectreseller":
            bought = [reseller.customers for reseller in self.world.resellers if reseller.id == value]
            return [customer for customer in customers if any(customer.id in ids for ids in bought)]
        if is_prefix and name in _FILTER_FIELDS:
            return [customer for customer in customers if _FILTER_FIELDS[name](customer).casefold().startswith(value)]
        raise PartnerCenterRefusal("The filter is not supported.")

    def _read_position(self, request: Request, query: Mapping[str, str]) -> int:
        operation = query.get("seekOperation", "First")
        if operation == "First":
            return 0
        try:
            token = base64.b64decode(request.header("ms-continuationtoken"), validate=True).decode()
            fingerprint, start = token.split(":")
            if operation == "Next" and fingerprint == self.world.fingerprint:
                return int(start)
        except ValueError:
            pass
        # Our guess at the refusal; that the header carries the position is documented.
        raise PartnerCenterRefusal("The continuation token is missing or not valid.")

    def _make_page(self, customers: list[Customer], start: int, size: int, filter_text: str) -> Reply:
        own = {"size": str(size)} | ({"filter": filter_text} if filter_text else {})
        links = {"self": _make_link(own)}
        if start + size < len(customers):
            token = base64.b64encode(f"{self.world.fingerprint}:{start + size}".encode()).decode()
            links["next"] = _make_link(own | {"seekOperation": "Next"}, token)
        items = [customer_item(customer) for customer in customers[start : start + size]]
        content = {"totalCount": len(items), "items": items, "links": links}
        return json_reply(200, content | {"attributes": {"objectType": "Collection"}}, bom=True)


def _answer_part(customer: Customer, part: str) -> Reply:
    if part == "":
        return json_reply(200, customer_record(customer), bom=True)
    if part == "customdomains":
        # As published: a bare list of names, in none of the envelopes that the other collections have.
        return json_reply(200, [domain.name for domain in customer.domains if domain.is_verified], bom=True)
    if part == "profiles/company":
        return json_reply(200, company_profile(customer), bom=True)
    if part == "subscriptions":
        return _make_collection([subscription_item(item) for item in customer.subscriptions])
    raise PartnerCenterRefusal("Resource not found.", 404, 404)


def _make_link(query: Mapping[str, str], token: str = "") -> dict[str, object]:
    headers = [{"key": "MS-ContinuationToken", "value": token}] if token else []
    return {"uri": f"/customers?{urlencode(query, quote_via=quote)}", "method": "GET", "headers": headers}


def _make_collection(items: list[dict[str, object]]) -> Reply:
    return json_reply(
        200, {"totalCount": len(items), "items": items, "attributes": {"objectType": "Collection"}}, bom=True
    )
