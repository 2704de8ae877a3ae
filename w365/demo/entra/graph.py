"""Microsoft Graph's list of a tenant's domains. The token names the tenant, and carries a person."""

from __future__ import annotations

from dataclasses import dataclass, field

from w365.demo.tokens import Claims, Tokens
from w365.demo.wire import Reply, Request, json_reply, new_guid
from w365.demo.world import Domain, World

AUDIENCE = "https://graph.microsoft.com"


@dataclass(frozen=True, slots=True)
class Graph:
    """``audiences`` are those whose tokens it takes."""

    world: World
    tokens: Tokens = field(repr=False)
    audiences: frozenset[str] = frozenset({AUDIENCE})

    def __call__(self, request: Request) -> Reply:
        claims = self.tokens.read_bearer(request.header("authorization"))
        if claims is None or claims.audience not in self.audiences:
            return _error(401, "InvalidAuthenticationToken", "Access token validation failure.")
        if (request.method, request.path) != ("GET", "/v1.0/domains"):
            return _error(404, "Request_ResourceNotFound", "There is nothing here.")
        return self._domains(claims)

    def _domains(self, claims: Claims) -> Reply:
        customer = next((one for one in self.world.customers if one.id == claims.tenant_id), None)
        if customer is None or not claims.has_person:
            return _error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        context = f"{AUDIENCE}/v1.0/$metadata#domains"
        return json_reply(200, {"@odata.context": context, "value": [_domain(one) for one in customer.domains]})


def _domain(domain: Domain) -> dict[str, object]:
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


def _error(status: int, code: str, message: str) -> Reply:
    inner = {"request-id": new_guid(), "client-request-id": new_guid()}
    return json_reply(status, {"error": {"code": code, "message": message, "innerError": inner}})
