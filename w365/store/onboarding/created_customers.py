"""Onboardings: customers asked for at a provider, from before the request until they are mapped. No password."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from w365.errors import InputError, NotFound
from w365.store import tables as t


class State(enum.StrEnum):
    """ASKED: whether the provider created it is not known. CREATED: it exists and is not mapped."""

    ASKED = "asked"
    CREATED = "created"
    MAPPED = "mapped"
    REFUSED = "refused"
    GIVEN_UP = "given_up"


UNFINISHED = (State.ASKED, State.CREATED)


@dataclass(frozen=True, slots=True)
class OnboardingView:
    """An onboarding as people see it; `detail` is what is sent again while it is not known whether it was created."""

    id: int
    request_id: str
    provider_id: int
    provider: str
    account_id: int
    account: str
    account_crm_id: str
    domain: str
    name: str
    state: State
    actor: str
    at: dt.datetime
    provider_account_id: int | None
    remark: str
    detail: Mapping[str, Any] = field(repr=False)


def put_onboarding(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """Note a customer that is about to be asked for.

    Raises InputError where the account, or the domain, has an unfinished one at this provider.
    """
    table = t.Onboarding
    same = sa.or_(table.account_id == values["account_id"], table.domain == values["domain"])
    query = sa.select(table.name, table.actor).where(
        table.provider_id == values["provider_id"], table.state.in_(UNFINISHED), same
    )
    begun = connection.execute(query.limit(1)).one_or_none()
    if begun:
        raise InputError(
            f"{begun.actor} has begun to onboard {begun.name}, which is not finished.",
            kept="Nothing was created.",
            do="Finish it, or give it up.",
        )
    insert = sa.insert(table).values(state=State.ASKED, **values)
    return int(connection.execute(insert.returning(table.id)).scalar_one())


def change_onboarding(connection: sa.Connection, onboarding_id: int, was: State, **values: Any) -> bool:
    """Change one that is in the state `was`; False, and nothing changed, where somebody else was faster."""
    table = t.Onboarding
    update = sa.update(table).where(table.id == onboarding_id, table.state == was)
    return bool(connection.execute(update.values(**values)).rowcount)


def get_onboarding(connection: sa.Connection, onboarding_id: int) -> OnboardingView:
    row = connection.execute(_views().where(t.Onboarding.id == onboarding_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("There is no such onboarding.", do="Reload the page.")
    return _view(row)


def list_unfinished(connection: sa.Connection, limit: int) -> list[OnboardingView]:
    """Those whose customer may exist, or exists, without being mapped; the oldest first."""
    query = _views().where(t.Onboarding.state.in_(UNFINISHED)).order_by(t.Onboarding.id)
    return [_view(row) for row in connection.execute(query.limit(limit)).mappings()]


def count_unfinished(connection: sa.Connection) -> int:
    query = sa.select(sa.func.count()).select_from(t.Onboarding).where(t.Onboarding.state.in_(UNFINISHED))
    return connection.scalar(query) or 0


def _views() -> sa.Select[*tuple[Any, ...]]:
    table = t.Onboarding
    columns = (getattr(table, name) for name in OnboardingView.__dataclass_fields__ if hasattr(table, name))
    query = sa.select(
        *columns, t.Provider.name.label("provider"), t.Account.name.label("account"), t.Account.crm_id.label("crm_id")
    )
    return query.join(t.Provider, t.Provider.id == table.provider_id).join(t.Account, t.Account.id == table.account_id)


def _view(row: sa.RowMapping) -> OnboardingView:
    values = dict(row)
    return OnboardingView(account_crm_id=values.pop("crm_id"), **{**values, "state": State(values["state"])})
