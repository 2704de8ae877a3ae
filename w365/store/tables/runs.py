"""What was done."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from w365.store.tables.columns import Base, Id, PersonDetail, PersonName, PersonText, reference

ACTIVE_RUNS = "state IN ('queued', 'running')"
"""Spelled as the index of it is, or SQLite leaves that."""


class Run(Base):
    """One sync, match, import, change of many rows, write-back or comparison.

    At most one of a kind and target is queued or running, held by a unique index.
    """

    __tablename__ = "run"
    __table_args__ = (
        sa.Index(
            "uq_run_active",
            "kind",
            "target",
            unique=True,
            sqlite_where=sa.text(ACTIVE_RUNS),
            postgresql_where=sa.text(ACTIVE_RUNS),
        ),
        sa.Index(None, "kind", "target", "id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str]
    target: Mapped[PersonText]  # the provider's name, 'crm', 'all', or what is changed, in words
    state: Mapped[str]
    actor: Mapped[PersonName]
    requested_at: Mapped[dt.datetime]
    started_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    heartbeat_at: Mapped[dt.datetime | None]
    holder: Mapped[str] = mapped_column(server_default="")  # the process that does it, see w365.process_names
    tries: Mapped[int] = mapped_column(server_default="0")  # how many processes took it up, one after another
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    cancel_by: Mapped[PersonName] = mapped_column(server_default="")
    cancel_at: Mapped[dt.datetime | None]
    wants_full: Mapped[bool] = mapped_column(server_default=sa.false())  # a sync that leaves nothing to what changed
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    message: Mapped[PersonText] = mapped_column(default="")
    cursor: Mapped[str | None]
    result: Mapped[PersonDetail] = mapped_column(default=dict)
    error: Mapped[PersonText] = mapped_column(default="")


class RunSeen(Base):
    """Which records, by the source's own ids, a run has met; what it has not met at its end is gone."""

    __tablename__ = "run_seen"
    run_id: Mapped[int] = reference("run.id", primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)


class RunProblem(Base):
    __tablename__ = "run_problem"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    run_id: Mapped[int] = reference("run.id", index=True)
    record_id: Mapped[str]
    why: Mapped[str]


class Process(Base):
    """A process of this program on the database: which, and when it last said that it lives."""

    __tablename__ = "process"
    name: Mapped[str] = mapped_column(primary_key=True)  # see w365.process_names
    kind: Mapped[str]  # ProcessKind
    version: Mapped[str]  # of the program
    schema: Mapped[str]  # the newest that this version knows
    keys: Mapped[str]  # digests of its secret keys, the newest first
    seen_at: Mapped[dt.datetime]


class SharedFile(Base):
    """What one process keeps for the others, as they share no memory and no disk; for a while."""

    __tablename__ = "shared_file"
    name: Mapped[str] = mapped_column(primary_key=True)  # its kind, a slash, and what tells it apart
    about: Mapped[dict[str, Any]]
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)
    kept_at: Mapped[dt.datetime]


class Visit(Base):
    """When a person was last here, and when before that: what came since then is new to them."""

    __tablename__ = "visit"
    actor: Mapped[PersonName] = mapped_column(primary_key=True)
    last_at: Mapped[dt.datetime]
    before_at: Mapped[dt.datetime | None]  # none during the first visit, to which nothing is new


class CrmDelta(Base):
    """Where the next read of a Dataverse table starts."""

    __tablename__ = "crm_delta"
    table_name: Mapped[str] = mapped_column(primary_key=True)
    link: Mapped[str]


class CrmSize(Base):
    """How many accounts that are not deleted, and how many contacts, are held; changed with them, never counted."""

    __tablename__ = "crm_size"
    table_name: Mapped[str] = mapped_column(primary_key=True)
    records: Mapped[int]


class Snapshot(Base):
    """The counts after a match, for the history: (run, provider, status, reason) -> provider accounts, seats."""

    __tablename__ = "snapshot"
    run_id: Mapped[int] = reference("run.id", primary_key=True)
    provider_id: Mapped[int] = reference("provider.id", primary_key=True)
    status: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    reason: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    accounts: Mapped[int]
    seats: Mapped[int]
