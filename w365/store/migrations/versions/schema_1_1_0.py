"""What version 1.1.0 added to 1.0.0: people, sessions, the audit log, workers, who does or stops a run; and names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1.1.0"
down_revision = "1.0.0"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    for table, name in (("plan", "title"), ("onboarding", "remark"), ("expected_customer", "remark")):
        op.execute(f"ALTER TABLE {table} RENAME COLUMN said TO {name}")
    for name in ("holder", "cancel_by"):
        op.add_column("run", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("run", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("run", sa.Column("cancel_at", TIME, nullable=True))
    for table in ("mapping", "disposition", "rejection"):
        op.create_index(f"ix_{table}_decision_id", table, ["decision_id"])
    op.create_table(
        "person",
        sa.Column("id", ID),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("subject", "name", "login")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("claimed_role", "given_role")),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        *(sa.Column(name, TIME, nullable=False) for name in ("first_seen_at", "last_seen_at")),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("subject", name="uq_person_subject"),
        sa.UniqueConstraint("name", name="uq_person_name"),
    )
    op.create_table(
        "session",
        sa.Column("id", ID),
        sa.Column("person_id", ID, sa.ForeignKey("person.id", name="fk_session_person_id_person"), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("browser", "proof")),
        *(sa.Column(name, TIME, nullable=False) for name in ("begun_at", "used_at")),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
    )
    op.create_index("ix_session_person_id_browser", "session", ["person_id", "browser"])
    begun = sa.text("proof <> ''")
    op.create_index("uq_session_proof", "session", ["proof"], unique=True, sqlite_where=begun, postgresql_where=begun)
    op.create_table(
        "audit_log",
        sa.Column("id", ID),
        sa.Column("at", TIME, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("actor", "kind", "about", "address")),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"])
    op.create_table(
        "worker",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_worker"),
    )
