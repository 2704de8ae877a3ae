"""Accounts as the CRM says them."""

from __future__ import annotations

import sqlalchemy as sa

from w365.store import tables as t


def read_crm_id(connection: sa.Connection, account_id: int) -> str | None:
    """Read the id that an account has in the CRM; None where there is no such account."""
    return connection.scalar(sa.select(t.Account.crm_id).where(t.Account.id == account_id))
