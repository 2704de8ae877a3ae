"""Customers that people create at a provider from here, and those they expect to appear there."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from w365.store.tables.columns import Base, Exact, Id, PersonDetail, PersonName, PersonText, reference

_UNFINISHED = sa.text("state IN ('asked', 'created')")


class Onboarding(Base):
    """A customer to create. It stands here with its request id before the provider is asked; no password ever does.

    An account has at most one unfinished at a provider, and so has a domain: both are held by unique indexes.
    """

    __tablename__ = "onboarding"
    __table_args__ = (
        sa.Index(
            "uq_onboarding_account",
            "provider_id",
            "account_id",
            unique=True,
            sqlite_where=_UNFINISHED,
            postgresql_where=_UNFINISHED,
        ),
        sa.Index(
            "uq_onboarding_domain",
            "provider_id",
            "domain",
            unique=True,
            sqlite_where=_UNFINISHED,
            postgresql_where=_UNFINISHED,
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    request_id: Mapped[str] = mapped_column(sa.String(36), unique=True)
    provider_id: Mapped[int] = reference("provider.id")
    account_id: Mapped[int] = reference("account.id", index=True)
    domain: Mapped[str] = mapped_column(Exact)
    name: Mapped[str]
    detail: Mapped[PersonDetail]  # what is to be sent again; emptied once the provider answered
    state: Mapped[str] = mapped_column(sa.String(10))  # store.onboarding.created_customers.State
    actor: Mapped[PersonName]
    at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    specific_id: Mapped[str] = mapped_column(server_default="")
    provider_account_id: Mapped[int | None] = mapped_column(Id, sa.ForeignKey("provider_account.id"))
    remark: Mapped[PersonText] = mapped_column(server_default="")  # what went wrong last, or how it ended


class ExpectedCustomer(Base):
    """An existing tenant that was asked to accept the partner: when it appears, it is this account's."""

    __tablename__ = "expected_customer"
    __table_args__ = (
        sa.Index(
            "ix_expected_customer_open",
            "provider_id",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    account_id: Mapped[int] = reference("account.id", index=True)
    tenant_guid: Mapped[str]  # empty when not known
    domain: Mapped[str] = mapped_column(Exact)  # empty when not known
    actor: Mapped[PersonName]
    at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    provider_account_id: Mapped[int | None] = mapped_column(Id, sa.ForeignKey("provider_account.id"))
    remark: Mapped[PersonText] = mapped_column(server_default="")  # why it waits, or how it ended
