"""What happens by itself: daily syncs, and who is told how they went."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from w365.store.tables.columns import Base, Id, PersonText, reference


class Schedule(Base):
    """The daily sync of one provider or of the CRM. Whoever moves `due_at` on starts the run."""

    __tablename__ = "schedule"
    target: Mapped[str] = mapped_column(sa.String(20), primary_key=True)  # the provider's id, or 'crm'
    time_of_day: Mapped[str] = mapped_column(sa.String(5))  # HH:MM in the zone of the setting
    is_on: Mapped[bool]
    due_at: Mapped[dt.datetime | None]  # none while it is off
    run_id: Mapped[int | None] = mapped_column(Id, sa.ForeignKey("run.id"))  # what it started last
    note: Mapped[PersonText]  # why it started nothing the last time
    noted_at: Mapped[dt.datetime | None]


class Notice(Base):
    """That the end of a scheduled run is to be told over a channel, and whether it was."""

    __tablename__ = "notice"
    run_id: Mapped[int] = reference("run.id", primary_key=True)
    channel: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    tries: Mapped[int]
    try_at: Mapped[dt.datetime]
    told_at: Mapped[dt.datetime | None]
    problem: Mapped[PersonText]
