"""What people say to each other about a row. The match does not look at it."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from w365.store.tables.columns import Base, Id, PersonName, PersonText, reference


class Note(Base):
    """Append only; it says nothing to the match and is no version of its row."""

    __tablename__ = "note"
    __table_args__ = (sa.Index(None, "provider_account_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    provider_account_id: Mapped[int] = reference("provider_account.id")
    at: Mapped[dt.datetime]
    actor: Mapped[PersonName]
    text: Mapped[PersonText]


class Ownership(Base):
    """Who takes care of a row; rows without an owner have none."""

    __tablename__ = "ownership"
    provider_account_id: Mapped[int] = reference("provider_account.id", primary_key=True)
    owner: Mapped[PersonName]


class OwnerChange(Base):
    """Append only: who gave a row to whom. The latest id of a row is the version that a change of many must have seen.

    A change that takes one back names it, and the one whose outcome holds again; 0 before the first.
    """

    __tablename__ = "owner_change"
    __table_args__ = (sa.Index(None, "provider_account_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    provider_account_id: Mapped[int] = reference("provider_account.id")
    at: Mapped[dt.datetime]
    actor: Mapped[PersonName]
    old_owner: Mapped[PersonName]
    owner: Mapped[PersonName]
    run_id: Mapped[int | None] = mapped_column(Id, sa.ForeignKey("run.id"), index=True)
    undoes_id: Mapped[int | None] = mapped_column(Id, index=True)
    restores_id: Mapped[int | None] = mapped_column(Id)
