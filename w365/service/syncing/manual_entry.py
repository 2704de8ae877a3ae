"""Rows of a manual provider by form: one is added, or one that is there is edited."""

from __future__ import annotations

from collections.abc import Mapping

from w365.errors import InputError
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.syncing.manual_rows import (
    COUNTRY,
    DOMAINS,
    FIELDS,
    NAME,
    SEATS,
    SPECIFIC_ID,
    SUBSCRIPTIONS,
    TENANT,
    read_row,
)
from w365.store.syncing.customers import read_facts, read_ids, store_customers
from w365.store.syncing.manual_accounts import read_manual_account
from w365.store.syncing.providers import get_manual_provider

_LABELS = {field.name: field.label for field in FIELDS}


@needs(Role.ANALYST)
def save_entry(service: Service, actor: Actor, provider_id: int, texts: Mapping[str, str], *, is_new: bool) -> int:
    """Store a row from its texts by field name and return its id.

    Raises InputError for what cannot be used, and for a new row whose id is there already; nothing is changed then.
    """
    customer, problems = read_row(texts)
    if customer is None:
        sentence = "; ".join(f"{_LABELS[problem.field]} {problem.why}" for problem in problems)
        raise InputError(f"{sentence}.", kept="Nothing was changed.", do="Correct it.")
    with service.store.write() as connection:
        get_manual_provider(connection, provider_id)
        specific_id = customer.specific_id
        stored = read_facts(connection, provider_id, [specific_id], ("name",))
        if stored and is_new:
            raise InputError(
                f"{specific_id} is there already: {stored[specific_id]['name']}.",
                kept="Nothing was changed.",
                do="Open that provider account to edit it, or enter another id.",
            )
        store_customers(connection, provider_id, [customer], service.clock())
        return read_ids(connection, provider_id, [specific_id])[specific_id]


@needs(Role.VIEWER)
def read_entry(service: Service, actor: Actor, provider_account_id: int) -> tuple[int, dict[str, str]] | None:
    """Give the provider's id and the texts of a row to edit; None for a row that a connector brings."""
    with service.store.read() as connection:
        account = read_manual_account(connection, provider_account_id)
    if account is None:
        return None
    return account.provider_id, {
        SPECIFIC_ID: account.specific_id,
        NAME: account.name,
        DOMAINS: ", ".join(account.domains),
        COUNTRY: account.country,
        TENANT: account.tenant_guid,
        SUBSCRIPTIONS: str(account.subscriptions or ""),
        SEATS: str(account.seats) if account.subscriptions else "",
    }
