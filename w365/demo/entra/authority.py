"""The token endpoint as MSAL uses it: discovery, client credentials, codes, refresh tokens, Entra's error bodies."""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from w365.demo.entra.aadsts import refuse_with_code
from w365.demo.entra.consent import CodeRequest, Codes, answer_authorization
from w365.demo.tokens import NOBODY, Person, TokenIssuer
from w365.demo.wire import Reply, Request, json_reply

_DISCOVERY = re.compile(r"/([^/]+)(?:/v2\.0)?/\.well-known/openid-configuration")
# The first form of the endpoint, without its version, names a resource instead of scopes.
_TOKEN = re.compile(r"/([^/]+)/oauth2/(?:v2\.0/)?token")
_AUTHORIZE = re.compile(r"/([^/]+)/oauth2/v2\.0/authorize")


@dataclass(frozen=True, slots=True)
class Authority:
    """``tenants`` are the ids and names it answers for, ``resources`` the audiences it issues tokens for.

    ``customers`` are tenants in which a person of the partner may use the application, and nobody else.
    While ``refusals`` holds numbers of Entra's errors, the token endpoint answers with the first of them.
    """

    url: str
    tenant_id: str
    tenants: frozenset[str]
    clients: Mapping[str, str] = field(repr=False)
    resources: frozenset[str]
    tokens: TokenIssuer = field(repr=False)
    refusals: list[int] = field(default_factory=list)
    codes: Codes = field(default_factory=Codes, repr=False)
    customers: frozenset[str] = frozenset()

    def __call__(self, request: Request) -> Reply:
        if request.path == "/common/discovery/instance":
            return self._answer_instance(request)
        if match := _DISCOVERY.fullmatch(request.path):
            return self._answer_configuration(match[1])
        if match := _TOKEN.fullmatch(request.path):
            return self._answer_token(match[1], request)
        if match := _AUTHORIZE.fullmatch(request.path):
            is_known = match[1].lower() in self.tenants
            return (
                answer_authorization(request, self.clients, self.codes)
                if is_known
                else refuse_with_code(90002, match[1])
            )
        return json_reply(404, {"error": "not_found", "error_description": "There is nothing here."})

    def _answer_instance(self, request: Request) -> Reply:
        tenant = request.parameters().get("authorization_endpoint", "").removeprefix(self.url).split("/")[1:2]
        endpoint = f"{self.url}/{tenant[0] if tenant else self.tenant_id}/v2.0/.well-known/openid-configuration"
        host = self.url.removeprefix("https://")
        metadata = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
        return json_reply(200, {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": metadata})

    def _answer_configuration(self, tenant: str) -> Reply:
        if tenant.lower() not in self.tenants | self.customers:
            return refuse_with_code(90002, tenant)
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

    def _answer_token(self, tenant: str, request: Request) -> Reply:
        if request.method != "POST":
            return refuse_with_code(900561)
        if tenant.lower() not in self.tenants | self.customers:
            return refuse_with_code(90002, tenant)
        form = _read_form(request)
        client_id, secret = _read_client(request, form)
        if self.refusals:
            return refuse_with_code(self.refusals[0], client_id)
        if client_id not in self.clients or not hmac.compare_digest(self.clients[client_id].encode(), secret.encode()):
            return refuse_with_code(7000215 if client_id in self.clients else 700016, client_id)
        if tenant in self.customers:
            return self._answer_for_customer(tenant, client_id, form)
        reply = self._answer_grant(client_id, form)
        return reply if "resource" not in form or reply.status >= 400 else _write_first_form(reply, form["resource"])

    def _answer_for_customer(self, tenant: str, client_id: str, form: Mapping[str, str]) -> Reply:
        """In a customer's tenant the application is known through a person's role only."""
        if form.get("grant_type") != "refresh_token":
            return refuse_with_code(700016, client_id)
        person = self.tokens.redeem_refresh_token(form.get("refresh_token", ""), client_id)
        if person is None or not person.name:
            return refuse_with_code(700082)
        return self._issue_renewable(client_id, self._read_resource(form.get("scope", "")), form, person, tenant=tenant)

    def _answer_grant(self, client_id: str, form: Mapping[str, str]) -> Reply:
        resource = self._read_resource(form.get("scope", ""))
        if not resource:
            return refuse_with_code(70011)
        if resource not in self.resources:
            return refuse_with_code(500011, resource)
        match form.get("grant_type", ""):
            case "client_credentials":
                return self._issue_token(client_id, resource)
            case "refresh_token":
                person = self.tokens.redeem_refresh_token(form.get("refresh_token", ""), client_id)
                return (
                    refuse_with_code(700082)
                    if person is None
                    else self._issue_renewable(client_id, resource, form, person)
                )
            case "authorization_code":
                return self._redeem_code(client_id, resource, form)
            case other:
                return refuse_with_code(70003, other)

    def _redeem_code(self, client_id: str, resource: str, form: Mapping[str, str]) -> Reply:
        grant = self.codes.redeem_code(form.get("code", ""), form, client_id)
        if not isinstance(grant, CodeRequest):
            return refuse_with_code(grant, form.get("redirect_uri", ""))
        identity = {
            "aud": client_id,
            "iss": f"{self.url}/{self.tenant_id}/v2.0",
            "tid": self.tenant_id,
            "sub": grant.person.name,
            "preferred_username": grant.person.name,
            "nonce": grant.nonce,
        }
        return self._issue_renewable(client_id, resource, form, grant.person, id_token=self.tokens.sign(identity))

    def _issue_renewable(
        self, client_id: str, resource: str, form: Mapping[str, str], person: Person, tenant: str = "", **more: str
    ) -> Reply:
        token = self.tokens.issue_refresh_token(client_id, person)
        more |= {"refresh_token": token, "scope": form.get("scope", "")}
        return self._issue_token(client_id, resource, person, tenant, **more)

    def _issue_token(
        self, client_id: str, resource: str, person: Person = NOBODY, tenant: str = "", **more: str
    ) -> Reply:
        token = self.tokens.issue(resource, client_id, tenant or self.tenant_id, person)
        seconds = self.tokens.lifetime
        content = {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
        return json_reply(200, content | more, ("cache-control", "no-store"))

    def _read_resource(self, scope: str) -> str:
        first = next((part for part in scope.split() if part.startswith("https://")), "")
        return first.removesuffix("/.default").removesuffix("/user_impersonation").rstrip("/")


def _read_form(request: Request) -> dict[str, str]:
    """The form, in which a resource of the first endpoint stands as the scope that means the same."""
    form = request.form()
    if request.path.endswith("/oauth2/token"):
        return {**form, "scope": f"{form.get('resource', '').rstrip('/')}/.default"}
    return {name: value for name, value in form.items() if name != "resource"}


def _write_first_form(reply: Reply, resource: str) -> Reply:
    """The answer of the first endpoint has its numbers as text, and says when and for what."""
    content = json.loads(reply.body)
    now = int(time.time())
    times = {"not_before": str(now), "expires_on": str(now + content["expires_in"])}
    seconds = {name: str(content[name]) for name in ("expires_in", "ext_expires_in")}
    return json_reply(200, content | seconds | times | {"resource": resource}, ("cache-control", "no-store"))


def _read_client(request: Request, form: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, value = request.header("authorization").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            return "", ""
        return unquote(client_id), unquote(secret)
    return form.get("client_id", ""), form.get("client_secret", "")
