"""The token endpoint, as MSAL uses it: discovery, client credentials, refresh tokens, and Entra's error bodies."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote

from w365.demo.tokens import Tokens
from w365.demo.wire import Reply, Request, json_reply, new_guid

_DISCOVERY = re.compile(r"/([^/]+)(?:/v2\.0)?/\.well-known/openid-configuration")
_TOKEN = re.compile(r"/([^/]+)/oauth2/v2\.0/token")


@dataclass(frozen=True, slots=True)
class Authority:
    """``tenants`` are the ids and names it answers for, ``resources`` the audiences it issues tokens for."""

    url: str
    tenant_id: str
    tenants: frozenset[str]
    clients: Mapping[str, str] = field(repr=False)
    resources: frozenset[str]
    tokens: Tokens = field(repr=False)

    def __call__(self, request: Request) -> Reply:
        if request.path == "/common/discovery/instance":
            return self._instance(request)
        if match := _DISCOVERY.fullmatch(request.path):
            return self._configuration(match[1])
        if match := _TOKEN.fullmatch(request.path):
            return self._token(match[1], request)
        return json_reply(404, {"error": "not_found", "error_description": "There is nothing here."})

    def _instance(self, request: Request) -> Reply:
        tenant = request.parameters().get("authorization_endpoint", "").removeprefix(self.url).split("/")[1:2]
        endpoint = f"{self.url}/{tenant[0] if tenant else self.tenant_id}/v2.0/.well-known/openid-configuration"
        host = self.url.removeprefix("https://")
        metadata = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
        return json_reply(200, {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": metadata})

    def _configuration(self, tenant: str) -> Reply:
        if tenant.lower() not in self.tenants:
            return _unknown_tenant(tenant)
        root = f"{self.url}/{tenant}"
        return json_reply(
            200,
            {
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
                "issuer": f"{self.url}/{self.tenant_id}/v2.0",
                "jwks_uri": f"{root}/discovery/v2.0/keys",
                "response_types_supported": ["code"],
            },
        )

    def _token(self, tenant: str, request: Request) -> Reply:
        if request.method != "POST":
            return _refusal("invalid_request", 900561, "The endpoint only accepts POST requests.")
        if tenant.lower() not in self.tenants:
            return _unknown_tenant(tenant)
        form = request.form()
        client_id, secret = _client(request, form)
        if client_id not in self.clients:
            return _refusal(
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory.",
            )
        if not hmac.compare_digest(self.clients[client_id].encode(), secret.encode()):
            return _refusal(
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret"
                f" value, not the client secret ID, for a secret added to app '{client_id}'.",
                status=401,
            )
        return self._grant(client_id, form)

    def _grant(self, client_id: str, form: Mapping[str, str]) -> Reply:
        resource = self._resource(form.get("scope", ""))
        if not resource:
            return _refusal("invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.")
        if resource not in self.resources:
            return _refusal(
                "invalid_resource", 500011, f"The resource principal named {resource} was not found in the tenant."
            )
        grant = form.get("grant_type")
        if grant == "client_credentials":
            return self._issue(client_id, resource)
        if grant == "refresh_token":
            return self._refresh(client_id, resource, form)
        return _refusal("unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'.")

    def _refresh(self, client_id: str, resource: str, form: Mapping[str, str]) -> Reply:
        if not self.tokens.redeem_refresh_token(form.get("refresh_token", ""), client_id):
            return _refusal("invalid_grant", 700082, "The refresh token has expired due to inactivity.")
        rotated = self.tokens.issue_refresh_token(client_id)
        return self._issue(client_id, resource, refresh_token=rotated, scope=form.get("scope", ""))

    def _issue(self, client_id: str, resource: str, **more: str) -> Reply:
        token = self.tokens.issue(resource, client_id, self.tenant_id)
        seconds = self.tokens.lifetime
        content = {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
        return json_reply(200, content | more, ("cache-control", "no-store"))

    def _resource(self, scope: str) -> str:
        found = [part for part in scope.split() if part.startswith("https://")]
        return found[0].removesuffix("/.default").removesuffix("/user_impersonation").rstrip("/") if found else ""


def _client(request: Request, form: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, value = request.header("authorization").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            return "", ""
        return unquote(client_id), unquote(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


def _unknown_tenant(tenant: str) -> Reply:
    return _refusal(
        "invalid_tenant", 90002, f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
    )


def _refusal(error: str, code: int, sentence: str, *, status: int = 400) -> Reply:
    now, trace, correlation = datetime.now(UTC), new_guid(), new_guid()
    stamp = f"{now:%Y-%m-%d %H:%M:%S}Z"
    return json_reply(
        status,
        {
            "error": error,
            "error_description": f"AADSTS{code}: {sentence} Trace ID: {trace} Correlation ID: {correlation}"
            f" Timestamp: {stamp}",
            "error_codes": [code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={code}",
        },
    )
