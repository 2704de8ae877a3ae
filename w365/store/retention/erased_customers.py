"""A customer deleted with all that was noted and decided about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa

from w365.store import tables as t
from w365.store.tables import Base


@dataclass(frozen=True, slots=True)
class StandingCustomer:
    """A provider account, and what may keep it from being erased."""

    id: int
    provider_id: int
    provider: str
    name: str
    specific_id: str
    is_gone: bool
    is_mapped: bool
    is_in_crm_table: bool
    is_expected: bool


def list_customers_called(connection: sa.Connection, specific_id: str, provider: str | None) -> list[StandingCustomer]:
    """Read the provider accounts with this id, of one provider or of any."""
    chosen = _CUSTOMERS.where(t.ProviderAccount.specific_id == specific_id)
    if provider is not None:
        chosen = chosen.where(t.Provider.name == provider)
    return [StandingCustomer(**row._asdict()) for row in connection.execute(chosen)]


def is_provider_busy(connection: sa.Connection, provider: str) -> bool:
    """Tell whether a run is queued or under way that may read or write this provider's rows."""
    busy = sa.select(t.Run.id).where(sa.text(t.ACTIVE_RUNS), sa.or_(t.Run.kind != "sync", t.Run.target == provider))
    return connection.execute(busy.limit(1)).first() is not None


def delete_customer(connection: sa.Connection, customer: StandingCustomer) -> dict[str, int]:
    """Delete a customer from every table, and return how many rows of which."""
    values = {"of_row": customer.id, "of_specific_id": customer.specific_id, "of_provider": customer.provider}
    rows = Counter({table: connection.execute(delete, values).rowcount for table, delete in _deletes()})
    return {table: number for table, number in rows.items() if number > 0}


@cache
def _deletes() -> list[tuple[str, sa.Delete]]:
    """Build the statements, what refers to another row before that row."""
    return [(table.name, sa.delete(table).where(which)) for table, which in (*_by_key(), *_by_source_id())]


def _by_key() -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
    row = sa.bindparam("of_row", type_=t.Id)
    decisions = sa.select(t.Decision.id).where(t.Decision.provider_account_id == row)
    words = Base.metadata.tables[t.Word.__tablename__]
    yield words, (words.c.subject == t.PROVIDER_ACCOUNT) & (words.c.id == row)
    for table in reversed(Base.metadata.sorted_tables):
        if table.name == t.ProviderAccount.__tablename__:
            yield table, table.c.id == row
        elif "provider_account_id" in table.c:
            yield table, table.c.provider_account_id == row
        elif "decision_id" in table.c:
            yield table, table.c.decision_id.in_(decisions)


def _by_source_id() -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
    runs = sa.select(t.Run.id).where(t.Run.target == sa.bindparam("of_provider"))
    for model in (t.RunSeen, t.RunProblem):
        table = Base.metadata.tables[model.__tablename__]
        yield table, (table.c.record_id == sa.bindparam("of_specific_id")) & table.c.run_id.in_(runs)


def _stands_in(table: type[Base], *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    of_row = table.__table__.c.provider_account_id == t.ProviderAccount.id
    return sa.exists().where(of_row, *conditions)


_CUSTOMERS = sa.select(
    t.ProviderAccount.id,
    t.ProviderAccount.provider_id,
    t.Provider.name.label("provider"),
    t.ProviderAccount.name,
    t.ProviderAccount.specific_id,
    t.ProviderAccount.gone_at.is_not(None).label("is_gone"),
    _stands_in(t.Mapping).label("is_mapped"),
    _stands_in(t.Writeback, t.Writeback.there != "").label("is_in_crm_table"),
    sa.or_(
        _stands_in(t.ExpectedCustomer, t.ExpectedCustomer.ended_at.is_(None)),
        _stands_in(t.Onboarding, t.Onboarding.ended_at.is_(None)),
    ).label("is_expected"),
).join(t.Provider, t.Provider.id == t.ProviderAccount.provider_id)
