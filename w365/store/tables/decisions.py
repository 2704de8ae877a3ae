"""What people and matches decided, what held before, and what was checked of it."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from w365.store.tables.columns import Base, Exact, Id, PersonDetail, PersonName, PersonText, reference


class Decision(Base):
    """Append only. The latest id of a provider account is the version that an edit must have seen."""

    __tablename__ = "decision"
    __table_args__ = (
        sa.Index(None, "provider_account_id", "id"),
        sa.Index(None, "run_id"),
        sa.Index(
            "ix_decision_returned",
            "id",
            sqlite_where=sa.text("kind = 'return'"),
            postgresql_where=sa.text("kind = 'return'"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[dt.datetime]
    actor: Mapped[PersonName]
    run_id: Mapped[int | None] = mapped_column(Id, sa.ForeignKey("run.id"))
    provider_account_id: Mapped[int] = reference("provider_account.id")
    kind: Mapped[str]  # DecisionKind
    old_account_id: Mapped[int | None] = mapped_column(Id, sa.ForeignKey("account.id"))
    account_id: Mapped[int | None] = mapped_column(Id, sa.ForeignKey("account.id"))
    origin: Mapped[str] = mapped_column(default="")
    reason: Mapped[PersonText] = mapped_column(default="")


class DecisionEvidence(Base):
    """The facts that supported the account when it was decided."""

    __tablename__ = "decision_evidence"
    __table_args__ = ({"sqlite_with_rowid": False},)
    decision_id: Mapped[int] = reference("decision.id", primary_key=True)
    rule: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    domain: Mapped[str] = mapped_column(Exact, primary_key=True)
    contacts: Mapped[int]
    example: Mapped[str]


class Mapping(Base):
    __tablename__ = "mapping"
    provider_account_id: Mapped[int] = reference("provider_account.id", primary_key=True)
    account_id: Mapped[int] = reference("account.id", index=True)
    origin: Mapped[str]
    decision_id: Mapped[int] = reference("decision.id", index=True)
    against_evidence: Mapped[bool] = mapped_column(server_default=sa.false())  # a person knew better when mapping


class StandingOrder(Base):
    """A disposition other than open: excluded, parked or held."""

    __tablename__ = "disposition"
    provider_account_id: Mapped[int] = reference("provider_account.id", primary_key=True)
    kind: Mapped[str]
    reason: Mapped[PersonText]
    until: Mapped[dt.date | None]
    decision_id: Mapped[int] = reference("decision.id", index=True)


class Rejection(Base):
    __tablename__ = "rejection"
    provider_account_id: Mapped[int] = reference("provider_account.id", primary_key=True)
    account_id: Mapped[int] = reference("account.id", primary_key=True)
    decision_id: Mapped[int] = reference("decision.id", index=True)


class StandingBefore(Base):
    """What held for a provider account before a decision; no row where it was open and not mapped."""

    __tablename__ = "standing_before"
    decision_id: Mapped[int] = reference("decision.id", primary_key=True)
    account_id: Mapped[int | None] = mapped_column(Id)
    origin: Mapped[str]
    mapping_decision_id: Mapped[int | None] = mapped_column(Id)
    against_evidence: Mapped[bool]
    disposition: Mapped[str]
    reason: Mapped[PersonText]
    until: Mapped[dt.date | None]
    order_decision_id: Mapped[int | None] = mapped_column(Id)


class RejectionChange(Base):
    """A rejection that a decision made or ended: the decision it went back to before, and after; None for none."""

    __tablename__ = "rejection_change"
    decision_id: Mapped[int] = reference("decision.id", primary_key=True)
    account_id: Mapped[int] = reference("account.id", primary_key=True)
    was_decision_id: Mapped[int | None] = mapped_column(Id)
    is_decision_id: Mapped[int | None] = mapped_column(Id)


class Undo(Base):
    """Which decision a decision takes back, and the decision whose outcome holds again; 0 before the first."""

    __tablename__ = "undo"
    decision_id: Mapped[int] = reference("decision.id", primary_key=True)
    undoes_id: Mapped[int] = reference("decision.id", index=True)
    restores_id: Mapped[int] = mapped_column(Id)


class Plan(Base):
    """A change of many rows as it was previewed. Confirmed, it is done by a run: these rows and no others."""

    __tablename__ = "plan"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    run_id: Mapped[int | None] = mapped_column(Id, sa.ForeignKey("run.id"), index=True)
    at: Mapped[dt.datetime]
    actor: Mapped[PersonName]
    action: Mapped[str] = mapped_column(sa.String(20))
    title: Mapped[PersonText]  # what it does, in words
    detail: Mapped[PersonDetail] = mapped_column(default=dict)


class PlanRow(Base):
    """A row of a plan with the version that was looked at. `why_left` is empty for one that is changed."""

    __tablename__ = "plan_row"
    __table_args__ = (sa.Index(None, "plan_id", "account_id"),)
    plan_id: Mapped[int] = reference("plan.id", primary_key=True)
    provider_account_id: Mapped[int] = reference("provider_account.id", primary_key=True)
    version: Mapped[int] = mapped_column(Id)
    account_id: Mapped[int | None] = mapped_column(Id)  # what it is to be mapped to
    undoes_id: Mapped[int | None] = mapped_column(Id)
    restores_id: Mapped[int | None] = mapped_column(Id)
    why_left: Mapped[str] = mapped_column(sa.String(20))


class Audit(Base):
    """A sample of automatic mappings that people judge; the same seed on the same data draws the same."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[dt.datetime]
    actor: Mapped[PersonName]
    seed: Mapped[int] = mapped_column(Id)
    population: Mapped[int]
    is_stratified: Mapped[bool]


class AuditItem(Base):
    """One drawn mapping, as it was then, and what somebody thinks of it."""

    __tablename__ = "audit_item"
    audit_id: Mapped[int] = reference("audit.id", primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    provider_account_id: Mapped[int] = reference("provider_account.id")
    account_id: Mapped[int] = reference("account.id")
    verdict: Mapped[str] = mapped_column(sa.String(10))  # service.audit.Verdict, empty until judged
    judged_by: Mapped[PersonName]
    judged_at: Mapped[dt.datetime | None]
