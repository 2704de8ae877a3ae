"""The same customer at another provider: by the Microsoft tenant or by a domain of its own."""

from __future__ import annotations

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.reading import same_customer
from w365.store.reading.same_customer import Twin


@needs(Role.VIEWER)
def list_twins(service: Service, actor: Actor, provider_account_id: int) -> tuple[Twin, ...]:
    """List the first rows of other providers that are the same customer, those by tenant before those by domain."""
    with service.store.read() as connection:
        return same_customer.list_twins(connection, provider_account_id)
