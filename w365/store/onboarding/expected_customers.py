"""Expected customers: existing tenants that were asked to accept the partner, each for a CRM account.

When one appears, it is mapped to its account, unless a person said otherwise meanwhile.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import PolicyBreach
from w365.model import DecisionKind, Disposition, MatchPolicy, Origin
from w365.store import tables as t
from w365.store.deciding.decisions import (
    ROW,
    Change,
    Standing,
    Who,
    decide_rows,
    read_standing,
    refuse_mapping,
    row_values,
)
from w365.store.matching import refresh_derived
from w365.store.matching.candidates import order_elsewhere
from w365.store.matching.evidence import THOSE


@dataclass(frozen=True, slots=True)
class ExpectedView:
    """A customer that is expected; ``remark`` is why it waits although it appeared."""

    id: int
    provider_id: int
    provider: str
    account_id: int
    account: str
    account_crm_id: str
    tenant_guid: str
    domain: str
    actor: str
    at: dt.datetime
    remark: str

    @property
    def tenant(self) -> str:
        return self.domain or self.tenant_guid


def list_expected(connection: sa.Connection, limit: int | None = None) -> list[ExpectedView]:
    """Those that did not appear yet, the oldest first."""
    return [ExpectedView(*row) for row in connection.execute(_EXPECTED.limit(limit))]


_EXPECTED = (
    sa.select(
        t.ExpectedCustomer.id,
        t.ExpectedCustomer.provider_id,
        t.Provider.name,
        t.ExpectedCustomer.account_id,
        t.Account.name,
        t.Account.crm_id,
        t.ExpectedCustomer.tenant_guid,
        t.ExpectedCustomer.domain,
        t.ExpectedCustomer.actor,
        t.ExpectedCustomer.at,
        t.ExpectedCustomer.remark,
    )
    .join(t.Provider, t.Provider.id == t.ExpectedCustomer.provider_id)
    .join(t.Account, t.Account.id == t.ExpectedCustomer.account_id)
    .where(t.ExpectedCustomer.ended_at.is_(None))
    .order_by(t.ExpectedCustomer.id)
)


def put_expected(connection: sa.Connection, values: dict[str, Any]) -> None:
    """Expect a customer; one that is expected already stays as it is."""
    table = t.ExpectedCustomer
    same = [getattr(table, name) == values[name] for name in ("provider_id", "account_id", "tenant_guid", "domain")]
    if connection.scalar(sa.select(table.id).where(table.ended_at.is_(None), *same)) is None:
        connection.execute(sa.insert(table).values(**values))


def end_expected(
    connection: sa.Connection, expected_id: int, at: dt.datetime, reason: str, row: int | None = None
) -> bool:
    table = t.ExpectedCustomer
    update = sa.update(table).where(table.id == expected_id, table.ended_at.is_(None))
    return bool(connection.execute(update.values(ended_at=at, remark=reason, provider_account_id=row)).rowcount)


def find_tenant(
    connection: sa.Connection, provider_id: int, tenant_guid: str, domain: str
) -> Sequence[sa.Row[int, str]]:
    """The provider accounts, gone ones left out, that are this tenant: (id, name)."""
    pa, pad = t.ProviderAccount, t.ProviderAccountDomain
    by_domain = sa.select(pad.provider_account_id).where(pad.domain == domain, pad.is_verified)
    is_it = sa.or_(
        sa.and_(sa.literal(tenant_guid) != "", pa.tenant_guid == tenant_guid),
        sa.and_(sa.literal(domain) != "", pa.id.in_(by_domain)),
    )
    query = sa.select(pa.id, pa.name).where(pa.provider_id == provider_id, pa.gone_at.is_(None), is_it)
    return connection.execute(query.order_by(pa.id).limit(2)).all()


def map_expected(connection: sa.Connection, policy: MatchPolicy, run_id: int, at: dt.datetime) -> int:
    """Map the expected customers that have appeared, and return how many; see `service.matching.run.MapFirst`."""
    rows = [_map_if_there(connection, policy, expected, run_id, at) for expected in list_expected(connection)]
    mapped = [row for row in rows if row is not None]
    if mapped:
        refresh_derived.refresh_with_rivals(connection, policy, THOSE, {"ids": mapped})
        order_elsewhere(connection, THOSE, {"ids": mapped})
    return len(mapped)


def _map_if_there(
    connection: sa.Connection, policy: MatchPolicy, expected: ExpectedView, run_id: int, at: dt.datetime
) -> int | None:
    """Map one that appeared. What a person decided ends it; what may change later makes it wait, in words."""
    tenants = find_tenant(connection, expected.provider_id, expected.tenant_guid, expected.domain)
    if not tenants:
        return None
    if len(tenants) > 1:
        names = f"{tenants[0].name} and {tenants[1].name}"
        _wait(connection, expected, f"{names} both are this tenant; map the right one by hand.")
        return None
    row = tenants[0].id
    now = read_standing(connection, policy, row, expected.account_id, seen=None)
    if reason := _why_to_end(connection, expected, now):
        end_expected(connection, expected.id, at, reason, row)
        return None
    try:
        refuse_mapping(connection, policy, now, DecisionKind.MAP)
    except PolicyBreach as error:
        _wait(connection, expected, error.what)
        return None
    _map(connection, policy, expected, row, run_id, at)
    end_expected(connection, expected.id, at, "mapped", row)
    return int(row)


def _map(
    connection: sa.Connection, policy: MatchPolicy, expected: ExpectedView, row: int, run_id: int, at: dt.datetime
) -> None:
    """Decide in the name of who asked. Not as a decision of the run, with which it would be undone."""
    reason = (
        f"Expected: {expected.actor} asked the tenant {expected.tenant} on {expected.at:%Y-%m-%d} "
        f"to accept the relationship for this account; run {run_id} met it."
    )
    change = Change(DecisionKind.MAP, Origin.PROVISIONED, reason)
    decide_rows(connection, policy, Who(expected.actor, at), change, ROW, row_values(row, expected.account_id))


def _why_to_end(connection: sa.Connection, expected: ExpectedView, now: Standing) -> str:
    """Whatever was decided about the row since it was expected, and any order that holds, comes before."""
    decision = t.Decision
    if now.account_id is not None:
        return "it was mapped before it was looked at here"
    if now.disposition is not Disposition.OPEN:
        return f"it is {now.disposition}"
    since = sa.select(decision.actor).where(decision.provider_account_id == now.id, decision.at > expected.at)
    if actor := connection.scalar(since.order_by(decision.id.desc()).limit(1)):
        return f"{actor} decided it"
    if now.is_rejected:
        return "this account was rejected for it"
    if now.why == "account_gone":
        return "the account was deleted in the CRM"
    return ""


def _wait(connection: sa.Connection, expected: ExpectedView, reason: str) -> None:
    if reason != expected.remark:
        table = t.ExpectedCustomer
        connection.execute(sa.update(table).where(table.id == expected.id).values(remark=reason))
