"""Ask a tenant that exists to accept the partner, and remember for which CRM account."""

from __future__ import annotations

import re

from w365.errors import InputError, NotFound
from w365.matching.domains import normalise_domain
from w365.model import Actor, DomainKind, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.onboarding.provider import open_provider
from w365.store.db.engine import Connection
from w365.store.onboarding import expected_customers
from w365.store.onboarding.accounts import check_can_be_mapped
from w365.store.onboarding.expected_customers import ExpectedView

PER_PAGE = 50
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@needs(Role.ANALYST)
def request_relationship(service: Service, actor: Actor, provider_id: int, account_id: int, tenant: str) -> str:
    """Return the link for the tenant's admin, and expect the tenant for this account.

    `tenant` is its domain or id. Without it only the link is given: nobody could tell the customer when it appears.
    """
    guid, domain = _read_tenant(tenant)
    with service.store.read() as connection:
        check_can_be_mapped(connection, provider_id, account_id)
        _check_is_no_customer(connection, provider_id, guid, domain)
    with open_provider(service, provider_id) as portal:
        link = portal.request_link()
    if guid or domain:
        with service.store.write() as connection:
            values = {"provider_id": provider_id, "account_id": account_id, "tenant_guid": guid, "domain": domain}
            expected_customers.put_expected(connection, values | {"actor": actor.name, "at": service.clock()})
    return link


@needs(Role.VIEWER)
def list_awaited(service: Service, actor: Actor) -> list[ExpectedView]:
    """The customers that are expected and did not appear yet, the oldest first."""
    with service.store.read() as connection:
        return expected_customers.list_expected(connection, PER_PAGE)


@needs(Role.ANALYST)
def forget_expected(service: Service, actor: Actor, expected_id: int) -> None:
    """Expect it no longer: when it appears it is matched like any other."""
    with service.store.write() as connection:
        why = f"no longer expected by {actor.name}"
        if not expected_customers.end_expected(connection, expected_id, service.clock(), why):
            raise NotFound("This customer is not expected any more.", do="Reload the page.")


def _read_tenant(text: str) -> tuple[str, str]:
    """Tell an id from a domain: (GUID, domain), one of them empty."""
    tenant = text.strip().lower().strip("{}")
    if not tenant:
        return "", ""
    if _GUID.fullmatch(tenant):
        return tenant, ""
    domain = normalise_domain(tenant)
    if domain.kind not in (DomainKind.OWN_NAME, DomainKind.SERVICE):
        raise InputError(
            "This is neither a domain nor the id of a tenant.", kept="Nothing was asked.", do="Correct it."
        )
    return "", domain.name


def _check_is_no_customer(connection: Connection, provider_id: int, guid: str, domain: str) -> None:
    known = expected_customers.find_tenant(connection, provider_id, guid, domain)
    if known:
        raise InputError(
            f"This tenant is a customer of yours already: {known[0].name}.",
            kept="Nothing was asked.",
            do="Map it on the Provider accounts page.",
        )
