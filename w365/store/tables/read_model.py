"""What is looked at and searched; derived."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from w365.store.tables.columns import Base, Exact, Id, Key, PersonName, derived

STATUS = (
    "CASE WHEN account_id IS NOT NULL THEN 'mapped' WHEN disposition IN ('excluded', 'parked') THEN disposition "
    "WHEN proposal = 'conflict' THEN 'conflict' ELSE 'unmapped' END"
)


READY = "proposal = 'one' AND account_id IS NULL AND disposition = 'open' AND NOT is_gone"
"""What the next match would map, spelled as the index of it is, or SQLite leaves that."""

_FACETS = ("status", "provider_id", "reason", "is_gone")
_WORD = sa.String(80).with_variant(sa.String(80, collation="C"), "postgresql")


class Worklist(Base):
    """One row for the grid per provider account, derived by `store.matching.refresh_derived`.

    From facts, decisions and proposals.

    ``status`` is computed by the database from the other columns, never written. Each index holds one sort order, and
    behind it what the facets filter by, so that a deep block of a filtered sort is read from the index alone: measured
    at 500,000 rows, 20 ms instead of 510.
    """

    __tablename__ = "worklist"
    __table_args__ = (
        *(
            sa.Index(f"ix_worklist_{sort}", key, "provider_account_id", *_FACETS)
            for sort, key in (
                ("name", "name_key"),
                ("domain", "domain_key"),
                ("account", "account_key"),
                ("seats", "seats"),
                ("specific_id", "specific_id"),
                ("decided", "version"),
            )
        ),
        sa.Index("ix_worklist_provider", "provider_id", "provider_account_id", "status", "reason", "is_gone"),
        sa.Index("ix_worklist_status", "status", "provider_account_id", "provider_id", "reason", "is_gone"),
        sa.Index("ix_worklist_reason", "reason", "provider_account_id", "status", "provider_id", "is_gone"),
        sa.Index("ix_worklist_counts", "provider_id", "status", "reason", "is_gone", "seats", "subscriptions"),
        sa.Index(
            "ix_worklist_drift",
            "provider_account_id",
            sqlite_where=sa.text("drift <> ''"),
            postgresql_where=sa.text("drift <> ''"),
        ),
        sa.Index(
            "ix_worklist_ready",
            "name_key",
            "provider_account_id",
            sqlite_where=sa.text(READY),
            postgresql_where=sa.text(READY),
        ),
        sa.Index(
            "ix_worklist_owner",
            "owner",
            "provider_account_id",
            sqlite_where=sa.text("owner <> ''"),
            postgresql_where=sa.text("owner <> ''"),
        ),
    )
    provider_account_id: Mapped[int] = derived(primary_key=True)
    provider_id: Mapped[int] = mapped_column(Id)
    specific_id: Mapped[str] = mapped_column(Key)
    name_key: Mapped[str] = mapped_column(Key)
    domain_key: Mapped[str] = mapped_column(Exact)
    account_id: Mapped[int | None] = mapped_column(Id)
    account_key: Mapped[str] = mapped_column(Key)
    disposition: Mapped[str] = mapped_column(sa.String(10))
    proposal: Mapped[str] = mapped_column(sa.String(10))
    reason: Mapped[str] = mapped_column(sa.String(20))
    status: Mapped[str] = mapped_column(sa.String(10), sa.Computed(STATUS, persisted=True))
    seats: Mapped[int]  # of active subscriptions
    subscriptions: Mapped[int]  # active ones
    is_gone: Mapped[bool]
    drift: Mapped[str] = mapped_column(sa.String(20), server_default="")  # Drift
    owner: Mapped[PersonName] = mapped_column(sa.String(100), server_default="")
    version: Mapped[int] = mapped_column(Id)  # the latest decision's id, 0 before the first


class WorklistCount(Base):
    """How many rows of `worklist` share what the facets filter by; `buying` are those with a live subscription.

    Triggers of the database keep it up with every row that is written, whoever writes it: one on each row in SQLite,
    one on each statement in PostgreSQL. Counts that came to nothing stay.
    """

    __tablename__ = "worklist_count"
    __table_args__ = ({"sqlite_with_rowid": False},)
    provider_id: Mapped[int] = derived(primary_key=True)
    status: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    reason: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    owner: Mapped[PersonName] = mapped_column(sa.String(100), primary_key=True)
    is_gone: Mapped[bool] = mapped_column(primary_key=True)
    accounts: Mapped[int]
    seats: Mapped[int] = mapped_column(sa.BigInteger)
    subscriptions: Mapped[int]
    buying: Mapped[int]


WordSubject = Literal["p", "a"]
PROVIDER_ACCOUNT: WordSubject = "p"
ACCOUNT: WordSubject = "a"


class Word(Base):
    """The words by which a provider account or an account is found; prefixes are index ranges."""

    __tablename__ = "word"
    subject: Mapped[str] = mapped_column(sa.String(1), primary_key=True)  # WordSubject
    word: Mapped[str] = mapped_column(_WORD, primary_key=True)
    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    __table_args__ = (sa.Index(None, "subject", "id"), {"sqlite_with_rowid": False})


class Spelling(Base):
    """Each word of letters that accounts have, once, also backwards: the start of a word and its end are ranges."""

    __tablename__ = "spelling"
    word: Mapped[str] = mapped_column(_WORD, primary_key=True)
    letters: Mapped[int]
    backward: Mapped[str] = mapped_column(_WORD)
    __table_args__ = (
        sa.Index(None, "letters", "word"),
        sa.Index(None, "letters", "backward"),
        {"sqlite_with_rowid": False},
    )
