"""What stands in the CRM's own table of mappings: what was written there, and what it said when it was last read."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from w365.store.tables.columns import Base, Exact, Id, reference


class Writeback(Base):
    """How the mapping of a provider account was last carried to the CRM. What waits is what differs from `mapping`.

    `account_id` is what was to be written (none: cleared), `there` the account that the CRM has by what we know.
    """

    __tablename__ = "writeback"
    __table_args__ = (sa.Index(None, "state", "next_at"),)
    provider_account_id: Mapped[int] = reference("provider_account.id", primary_key=True)
    place: Mapped[str]  # table and columns; another one is another matter
    account_id: Mapped[int | None] = mapped_column(Id, sa.ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(sa.String(10))  # WriteState
    attempts: Mapped[int]
    error: Mapped[str]
    next_at: Mapped[dt.datetime | None]
    written_at: Mapped[dt.datetime | None]
    there: Mapped[str] = mapped_column(sa.String(36))
    remote_id: Mapped[str] = mapped_column(sa.String(36))


class RemoteMapping(Base):
    """A row of the CRM's table as it was last read; all are read at once. `account` is the account's GUID, or empty."""

    __tablename__ = "remote_mapping"
    __table_args__ = (sa.Index(None, "specific_id"),)
    remote_id: Mapped[str] = mapped_column(sa.String(36), primary_key=True)
    specific_id: Mapped[str] = mapped_column(Exact)
    provider: Mapped[str]
    provider_id: Mapped[int | None] = mapped_column(Id)
    account: Mapped[str] = mapped_column(sa.String(36))
