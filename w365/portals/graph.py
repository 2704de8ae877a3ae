"""Microsoft Graph: the domains of a customer's tenant, where Partner Center does not tell them.

It needs a person's sign-in, the customer's consent to the application, and a role in the customer's tenant (GDAP).
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from w365.connection import Connection
from w365.errors import SignInRefused, SourceRefused
from w365.http.client import Answer, ApiClient
from w365.http.conditions import REAL_CONDITIONS, Conditions
from w365.http.fields import FieldError
from w365.http.sign_in.user_tokens import UserTokens
from w365.http.wait import Check, Waiting, never_stop
from w365.portals.partner_center_records import read_domains
from w365.source_records import Customer, CustomerDomain

SOURCE = "Microsoft Graph"
GRAPH_DOMAINS = "Microsoft Graph"
_SCOPE = "https://graph.microsoft.com/.default"
_MOST_PAGES = 50
_PATH = "/v1.0/domains?$select=id,isDefault,isVerified"


class GraphDomains:
    """Asks one tenant after the other, each with a token of its own."""

    def __init__(
        self, connection: Connection, *, check: Check = never_stop, conditions: Conditions = REAL_CONDITIONS
    ) -> None:
        self._connection = dataclasses.replace(connection, url=connection.graph_url, calls_per_minute=None)
        self._check = check
        self._conditions = conditions
        self._limiter = conditions.limiters.of(connection.graph_url)

    @property
    def waiting(self) -> Waiting | None:
        return self._limiter.waiting

    def read(self, customer: Customer, *, is_tried_once: bool = False) -> tuple[CustomerDomain, ...]:
        """Return the verified domains. Raises SourceRefused where the tenant does not permit it, and SourceError."""
        connection = dataclasses.replace(self._connection, tenant_id=customer.tenant_guid or customer.specific_id)
        tokens = UserTokens(
            SOURCE, connection, _SCOPE, check=self._check, conditions=self._conditions, is_own_tenant=False
        )
        client = ApiClient(SOURCE, connection, tokens, check=self._check, conditions=self._conditions)
        try:
            return read_domains(_read_all(client, is_tried_once=is_tried_once), customer.default_domain)
        except SignInRefused as error:
            raise _not_permitted(error) from None
        finally:
            client.close()


def _read_all(client: ApiClient, *, is_tried_once: bool) -> list[Any]:
    """Read every page: a domain left out might be the one that maps."""
    link: str | None = _PATH
    seen: set[str] = set()
    domains: list[Any] = []
    while link is not None:
        seen.add(link)
        answer = client.get_json(link, is_tried_once=is_tried_once)
        body = answer.body
        values = body.get("value") if isinstance(body, dict) else None
        if not isinstance(values, list):
            raise FieldError("the list of domains is missing.")
        domains += values
        link = _next_link(answer, seen)
    return domains


def _next_link(answer: Answer, seen: set[str]) -> str | None:
    link = answer.body.get("@odata.nextLink")
    if link is None:
        return None
    if not isinstance(link, str) or (link := answer.follow(link)) in seen or len(seen) >= _MOST_PAGES:
        raise FieldError("the list of domains does not end.")
    return link


def _not_permitted(error: SignInRefused) -> SourceRefused:
    """Say it with the code alone, so that a second run stores nothing new."""
    code = re.search(r"AADSTS\d+", error.what)
    return SourceRefused(
        error.what, status=403, code=code[0] if code else "", kept=error.kept, do=error.do, detail=error.detail
    )
