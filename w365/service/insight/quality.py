"""Data quality: what to mend at the providers and in the CRM so that more can be matched."""

from __future__ import annotations

from dataclasses import dataclass

from w365.model import Actor, Reason, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.insight.quality import Flaw, FlawedAccount, SharedByAccounts, count_flawed, list_duplicates, list_flawed
from w365.store.reading.row_counts import count_rows
from w365.store.reading.worklist import Filter

NO_USABLE_DOMAIN = (Reason.NO_DOMAIN, Reason.SERVICE_DOMAIN, Reason.FREE_MAIL)
"""Why a customer has no domain that could be evidence."""


@dataclass(frozen=True, slots=True)
class Quality:
    """`customers` counts provider accounts by why they have no usable domain: exactly what the grid lists for it.

    `flaws` counts active CRM accounts, and domains where accounts are duplicates by one.
    """

    customers: dict[Reason, int]
    flaws: dict[Flaw, int]


@needs(Role.VIEWER)
def read_quality(service: Service, actor: Actor) -> Quality:
    with service.store.read() as connection:
        return Quality(
            {reason: count_rows(connection, Filter(reasons=(reason,))) for reason in NO_USABLE_DOMAIN},
            {flaw: count_flawed(connection, flaw) for flaw in Flaw},
        )


@needs(Role.VIEWER)
def list_flawed_accounts(
    service: Service, actor: Actor, flaw: Flaw, *, start: int = 0, limit: int = 100
) -> list[FlawedAccount]:
    """List active CRM accounts with no contact, or with free mail only, by name."""
    with service.store.read() as connection:
        return list_flawed(connection, flaw, start=start, limit=limit)


@needs(Role.VIEWER)
def list_shared_domains(service: Service, actor: Actor, *, start: int = 0, limit: int = 100) -> list[SharedByAccounts]:
    """List the domains that several active CRM accounts have, those of the most accounts first."""
    with service.store.read() as connection:
        return list_duplicates(connection, start=start, limit=limit)
