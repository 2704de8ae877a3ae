"""What 1.1.0 added to 1.0.0: who gets in, the audit log, processes and their files, who does a run, kept counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "1.1.0"
down_revision = "1.0.0"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
EXACT = sa.String(253).with_variant(sa.String(253, collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


KEY = ("provider_id", "status", "reason", "owner", "is_gone")
BUYING = "CASE WHEN subscriptions > 0 THEN 1 ELSE 0 END"
AMOUNTS = ("accounts", "seats", "subscriptions", "buying")
ADD = f" ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET " + ", ".join(
    f"{name} = worklist_count.{name} + excluded.{name}" for name in AMOUNTS
)


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
        "service_token",
        sa.Column("id", ID),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "role", "digest", "ending", "made_by")),
        *(sa.Column(name, TIME, nullable=False) for name in ("made_at", "expires_at")),
        *(sa.Column(name, TIME, nullable=True) for name in ("used_at", "revoked_at")),
        sa.PrimaryKeyConstraint("id", name="pk_service_token"),
        sa.UniqueConstraint("digest", name="uq_service_token_digest"),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", ID),
        sa.Column("at", TIME, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("actor", "kind", "about", "address")),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"])
    op.create_table(
        "reading_choice",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("choice", JSON, nullable=False),
        sa.PrimaryKeyConstraint("target", name="pk_reading_choice"),
    )
    op.create_table(
        "process",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "kind", "version", "schema", "keys")),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_process"),
    )
    op.create_table(
        "shared_file",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("about", JSON, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_shared_file"),
    )
    _count_worklist()
    _tell_proof()
    op.create_table(
        "learned_weights",
        sa.Column("id", ID),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("decisions", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("right_before", "right_after")),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.Column("weights", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_learned_weights"),
    )


def _count_worklist() -> None:
    op.create_table(
        "worklist_count",
        sa.Column("provider_id", ID),
        sa.Column("status", sa.String(10)),
        sa.Column("reason", sa.String(20)),
        sa.Column("owner", sa.String(100)),
        sa.Column("is_gone", sa.Boolean()),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("seats", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("subscriptions", "buying")),
        sa.PrimaryKeyConstraint(*KEY, name="pk_worklist_count"),
        sqlite_with_rowid=False,
    )
    counted = f"{', '.join(KEY)}, count(*), sum(seats), sum(subscriptions), sum({BUYING})"
    op.execute(f"INSERT INTO worklist_count SELECT {counted} FROM worklist GROUP BY {', '.join(KEY)}")
    for event, written in (("insert", "new"), ("delete", "old"), ("update", "old new")):
        if op.get_bind().dialect.name == "sqlite":
            _count_rows_on_sqlite(event, written.split())
        else:
            _count_statements(event, written.split())


def _count_rows_on_sqlite(event: str, written: list[str]) -> None:
    changes = " OR ".join(f"old.{name} IS NOT new.{name}" for name in (*KEY, "seats", "subscriptions"))
    when = f"WHEN {changes}" if event == "update" else ""
    adding = "".join(f"INSERT INTO worklist_count VALUES ({_of_row(row)}){ADD}; " for row in written)
    op.execute(f"CREATE TRIGGER worklist_count_{event} AFTER {event} ON worklist {when} BEGIN {adding}END")


def _of_row(row: str) -> str:
    sign = "-" if row == "old" else ""
    key = ", ".join(f"{row}.{name}" for name in KEY)
    return f"{key}, {sign}1, {sign}{row}.seats, {sign}{row}.subscriptions, {sign}({row}.subscriptions > 0)"


def _count_statements(event: str, written: list[str]) -> None:
    names = {"old": "rows_before", "new": "rows_after"}
    parts = (
        f"SELECT {', '.join(KEY)}, seats, subscriptions, {-1 if row == 'old' else 1} AS sign FROM {names[row]}"
        for row in written
    )
    sums = f"sum(sign), sum(sign * seats), sum(sign * subscriptions), sum(sign * {BUYING})"
    selected = (
        f"SELECT {', '.join(KEY)}, {sums} FROM ({' UNION ALL '.join(parts)}) AS written GROUP BY {', '.join(KEY)}"
    )
    op.execute(
        f"CREATE FUNCTION worklist_count_{event}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"INSERT INTO worklist_count {selected}{ADD}; RETURN NULL; END $$"
    )
    given = " ".join(f"{row.upper()} TABLE AS {names[row]}" for row in written)
    op.execute(
        f"CREATE TRIGGER worklist_count_{event} AFTER {event} ON worklist REFERENCING {given} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION worklist_count_{event}()"
    )


def _tell_proof() -> None:
    """What counts as proof: typed domains do not, contacts have a state, and fields may have no one reading."""
    op.add_column("provider", sa.Column("is_text_proof", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("contact", sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.drop_index("ix_contact_account_crm_id_domain", "contact")
    columns = ["account_crm_id", "domain", "is_active"]
    op.create_index("ix_contact_account_crm_id_domain_is_active", "contact", columns, postgresql_include=["crm_id"])
    op.create_table(
        "unread_domain",
        sa.Column("domain", EXACT, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("domain", "account_id", name="pk_unread_domain"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_unread_domain_account_id", "unread_domain", ["account_id"])
    op.create_table(
        "unit_word",
        *(sa.Column(name, EXACT, nullable=False) for name in ("word", "domain")),
        sa.PrimaryKeyConstraint("word", "domain", name="pk_unit_word"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_unit_word_domain", "unit_word", ["domain"])
    typed = "UPDATE provider_account_domain SET kind = 'typed', is_verified = false WHERE kind = 'own_name'"
    op.execute(f"{typed} AND provider_account_id IN (SELECT id FROM provider_account WHERE domain_source = 'website')")
    # What fields may mean was not kept: the next sync reads all accounts. That of contacts asks for another column, and
    # so begins anew by itself.
    op.execute("DELETE FROM crm_delta WHERE table_name = 'accounts'")
    op.execute("DELETE FROM touched")
    op.execute("INSERT INTO touched (provider_account_id) SELECT id FROM provider_account")
