"""What the evidence proposes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from w365.store.tables.columns import Base, Id, Json, PersonName, derived


class CurrentProposal(Base):
    __tablename__ = "proposal"
    __table_args__ = (sa.Index(None, "account_id"),)
    provider_account_id: Mapped[int] = derived(primary_key=True)
    kind: Mapped[str]  # Proposal
    reason: Mapped[str]  # Reason
    account_id: Mapped[int | None] = mapped_column(Id)
    accounts: Mapped[int]  # how many active accounts are supported


class Touched(Base):
    """Provider accounts whose facts changed since their proposal was made; written with the change itself."""

    __tablename__ = "touched"
    provider_account_id: Mapped[int] = derived(primary_key=True)


class LearnedWeights(Base):
    """What runs learned from decisions; the newest that `is_used` weighs the signals while the setting is on."""

    __tablename__ = "learned_weights"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    run_id: Mapped[int] = derived()
    at: Mapped[dt.datetime]
    actor: Mapped[PersonName]
    decisions: Mapped[int]
    right_before: Mapped[float]  # of the decisions held out, the share with the right account first
    right_after: Mapped[float]
    is_used: Mapped[bool]  # better than the delivered weights, and not withdrawn
    weights: Mapped[str]  # JSON: start, and how many times as much as delivered each signal counts


class SuggestDue(Base):
    """Provider accounts whose candidates are to be made anew."""

    __tablename__ = "suggest_due"
    provider_account_id: Mapped[int] = derived(primary_key=True)
    version: Mapped[int]  # of what was known when they were asked for, see `store.matching.change_sequence`


class CurrentCandidate(Base):
    __tablename__ = "candidate"
    __table_args__ = (
        sa.Index(None, "account_id"),
        sa.Index(
            "ix_candidate_best",
            "score",
            "provider_account_id",
            sqlite_where=sa.text("rank = 1"),
            postgresql_where=sa.text("rank = 1"),
        ),
    )
    provider_account_id: Mapped[int] = derived(primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account_id: Mapped[int] = derived()
    score: Mapped[float]
    signals: Mapped[list[list[Any]]] = mapped_column(Json)  # [name, weight, text]
    version: Mapped[int]  # of what was known when it was made


class AccountVersion(Base):
    """When each CRM account, or a domain of it, last changed: what an index of the accounts has to read again."""

    __tablename__ = "account_version"
    account_id: Mapped[int] = derived(primary_key=True)
    version: Mapped[int] = mapped_column(index=True)


class Version(Base):
    """One row: the number of the latest change that candidates depend on."""

    __tablename__ = "version"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
