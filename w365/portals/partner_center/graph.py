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
from w365.portals.partner_center.records import read_domains
from w365.source_records import Customer, CustomerDomain

SOURCE = "Microsoft Graph"
GRAPH_DOMAINS = "Microsoft Graph"
_MOST_PAGES = 1000
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
        """Return the domains. Raises SourceRefused where the tenant does not permit it, and SourceError."""
        connection = dataclasses.replace(self._connection, tenant_id=customer.tenant_guid or customer.specific_id)
        tokens = UserTokens(
            SOURCE,
            connection,
            f"{connection.graph_audience}/.default",
            check=self._check,
            conditions=self._conditions,
            is_own_tenant=False,
        )
        client = ApiClient(SOURCE, connection, tokens, check=self._check, conditions=self._conditions)
        try:
            return read_domains(
                read_values(client, _PATH, "domains", is_tried_once=is_tried_once), customer.default_domain
            )
        except SignInRefused as error:
            raise _not_permitted(error) from None
        finally:
            client.close()


def read_values(client: ApiClient, first: str, of_what: str, *, is_tried_once: bool = False) -> list[Any]:
    """Read every page of a list: what is left out might be what maps. Raises FieldError for one that does not end."""
    link: str | None = first
    seen: set[str] = set()
    values: list[Any] = []
    while link is not None:
        seen.add(link)
        answer = client.get_json(link, is_tried_once=is_tried_once)
        page = answer.body.get("value") if isinstance(answer.body, dict) else None
        if not isinstance(page, list):
            raise FieldError(f"the list of {of_what} is missing.")
        values += page
        link = _next_link(answer, seen, of_what)
    return values


def _next_link(answer: Answer, seen: set[str], of_what: str) -> str | None:
    link = answer.body.get("@odata.nextLink")
    if link is None:
        return None
    if not isinstance(link, str) or (link := answer.follow(link)) in seen or len(seen) >= _MOST_PAGES:
        raise FieldError(f"the list of {of_what} does not end.")
    return link


def _not_permitted(error: SignInRefused) -> SourceRefused:
    """Say it with the code alone, so that a second run stores nothing new."""
    code = re.search(r"AADSTS\d+", error.what)
    return SourceRefused(
        error.what, status=403, code=code[0] if code else "", kept=error.kept, do=error.do, detail=error.detail
    )
