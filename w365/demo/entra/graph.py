"""Microsoft Graph's list of a tenant's domains. The token names the tenant, and carries a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from w365.demo.tokens import Claims, TokenIssuer
from w365.demo.wire import Reply, Request, json_reply, new_guid
from w365.demo.world import Domain, World

AUDIENCE = "https://graph.microsoft.com"
_ANY = Domain("any.example")


@dataclass(frozen=True, slots=True)
class GraphServer:
    """``audiences`` are those whose tokens it takes."""

    world: World
    tokens: TokenIssuer = field(repr=False)
    audiences: frozenset[str] = frozenset({AUDIENCE})

    def __call__(self, request: Request) -> Reply:
        claims = self.tokens.read_bearer(request.header("authorization"))
        if claims is None or claims.audience not in self.audiences:
            return _make_error(401, "InvalidAuthenticationToken", "Access token validation failure.")
        if (request.method, request.path) != ("GET", "/v1.0/domains"):
            return _make_error(404, "Request_ResourceNotFound", "There is nothing here.")
        return self._list_domains(claims, request.parameters())

    def _list_domains(self, claims: Claims, query: Mapping[str, str]) -> Reply:
        customer = next((each for each in self.world.customers if each.id == claims.tenant_id), None)
        if customer is None or not claims.has_person:
            return _make_error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        selected = [name for name in query.get("$select", "").split(",") if name]
        if unknown := (query.keys() - {"$select"}) | (set(selected) - _describe_domain(_ANY).keys()):
            return _make_error(400, "BadRequest", f"'{min(unknown)}' is not supported here.")
        domains = [_describe_domain(domain) for domain in customer.domains]
        rows = [{name: value for name, value in each.items() if name in (selected or each)} for each in domains]
        return json_reply(200, {"@odata.context": f"{AUDIENCE}/v1.0/$metadata#domains", "value": rows})


def _describe_domain(domain: Domain) -> dict[str, object]:
    return {
        "id": domain.name,
        "authenticationType": "Managed",
        "isAdminManaged": True,
        "isDefault": domain.is_default,
        "isInitial": domain.is_initial,
        "isRoot": True,
        "isVerified": domain.is_verified,
        "supportedServices": ["Email"],
    }


def _make_error(status: int, code: str, message: str) -> Reply:
    inner = {"request-id": new_guid(), "client-request-id": new_guid()}
    return json_reply(status, {"error": {"code": code, "message": message, "innerError": inner}})
