"""The tables of version 1.0.0.

They stand here as they were then and take nothing from `w365.store.tables`, which go on changing. Order, names and
defaults are those that seventeen revisions before the first release had led to, so that their databases are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "1.0.0"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def collated(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


DOMAIN, KEY, WORD = collated(253), collated(400), collated(80)

_TABLES = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def upgrade() -> None:
    _TABLES.create_all(op.get_bind(), checkfirst=False)


# --- what a table is made of ---


def table(name: str, *parts: sa.schema.SchemaItem | Iterator[sa.Column[Any]], with_rowid: bool = True) -> None:
    """Note a table; several columns may come as one iterator."""
    items = [item for part in parts for item in ([part] if isinstance(part, sa.schema.SchemaItem) else part)]
    sa.Table(name, _TABLES, *items, sqlite_with_rowid=with_rowid)


def columns(kind: sa.types.TypeEngine[Any], names: str, *, nullable: bool = False) -> Iterator[sa.Column[Any]]:
    return (sa.Column(name, kind, nullable=nullable) for name in names.split())


def texts(names: str) -> Iterator[sa.Column[Any]]:
    return columns(sa.Text(), names)


def numbers(names: str) -> Iterator[sa.Column[Any]]:
    return columns(sa.Integer(), names)


def flags(names: str) -> Iterator[sa.Column[Any]]:
    return columns(sa.Boolean(), names)


def flag(name: str, *, default: bool) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.true() if default else sa.false(), nullable=False)


def text(name: str, *, default: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def times(names: str) -> Iterator[sa.Column[Any]]:
    return columns(TIME, names)


def times_or_none(names: str) -> Iterator[sa.Column[Any]]:
    return columns(TIME, names, nullable=True)


def ids_or_none(names: str) -> Iterator[sa.Column[Any]]:
    return columns(ID, names, nullable=True)


def own_id() -> sa.Column[int]:
    return sa.Column("id", ID, primary_key=True)


def key(name: str, kind: sa.types.TypeEngine[Any] | None = None) -> sa.Column[Any]:
    """A part of the primary key that its writer gives."""
    return sa.Column(name, sa.Text() if kind is None else kind, primary_key=True, autoincrement=False)


def of(other: str, *, name: str = "", is_key: bool = False, nullable: bool = False) -> sa.Column[int]:
    """The id of a row of another table, held by a foreign key."""
    link = sa.ForeignKey(f"{other}.id")
    return sa.Column(name or f"{other}_id", ID, link, primary_key=is_key, autoincrement=False, nullable=nullable)


def index(names: str, *, name: str | None = None, where: str = "", is_unique: bool = False) -> sa.Index:
    condition = sa.text(where) if where else None
    return sa.Index(name, *names.split(), unique=is_unique, sqlite_where=condition, postgresql_where=condition)


# --- the tables ---

# A column a line would be three times as long.
# fmt: off

# What the providers and the CRM say

table("provider", own_id(), texts("name kind"), sa.Column("cardinality", sa.Text()), times_or_none("verified_at"),
    texts("verified_as"),
    sa.UniqueConstraint("name"))
table("provider_account", own_id(), of("provider"), texts("specific_id name"), columns(KEY, "name_key"),
    texts("default_domain main_domain domain_source tenant_guid country relationship note"),
    times("first_seen_at"), times_or_none("gone_at changed_at"), text("change", default=""),
    flag("is_synced", default=True),
    sa.UniqueConstraint("provider_id", "specific_id"), index("first_seen_at"),
    index("tenant_guid", where="tenant_guid <> ''"),
    index("id", name="ix_provider_account_unsynced", where="NOT is_synced"),
    index("provider_id gone_at", name="ix_provider_account_gone_at", where="gone_at IS NOT NULL"),
    index("provider_id changed_at", name="ix_provider_account_changed_at", where="changed_at IS NOT NULL"))
table("provider_account_domain", of("provider_account", is_key=True), key("domain", DOMAIN), texts("kind"),
    flags("is_default is_verified"),
    index("domain provider_account_id kind is_verified", name="ix_provider_account_domain_match"),
    with_rowid=False)
ended = "status NOT IN ('active', 'suspended', 'Active', 'Activated', 'Trial', 'PendingCancel')"
table("subscription", of("provider_account", is_key=True), key("subscription_id"), texts("offer_name"),
    numbers("quantity"), texts("status term"), times_or_none("started_at"),
    index("provider_account_id subscription_id quantity", name="ix_subscription_ended", where=ended))
table("account", own_id(), columns(sa.String(64), "crm_id"), texts("name"), columns(KEY, "name_key"),
    texts("number website"), columns(DOMAIN, "email_domain website_domain"), texts("city country tenant_guid"),
    flags("is_active"), flag("is_deleted", default=False),
    sa.UniqueConstraint("crm_id"), index("name_key"),
    index("crm_id", name="ix_account_here", where="is_active AND NOT is_deleted"),
    index("tenant_guid", where="tenant_guid <> ''"))
table("contact", key("crm_id", sa.String(64)), columns(sa.String(64), "account_crm_id"), columns(DOMAIN, "domain"),
    sa.Index(None, "account_crm_id", "domain", postgresql_include=["crm_id"]), with_rowid=False)
table("account_domain", key("domain", DOMAIN), key("account_id", ID), key("rule", sa.String(20)),
    numbers("contacts"), texts("example"),
    index("account_id"), with_rowid=False)
table("crm_delta", key("table_name"), texts("link"))
table("crm_size", key("table_name"), numbers("records"))

# What people and matches decided

table("decision", own_id(), times("at"), texts("actor"), of("run", nullable=True), of("provider_account"),
    texts("kind"), of("account", name="old_account_id", nullable=True), of("account", nullable=True),
    texts("origin reason"),
    index("provider_account_id id"), index("run_id"),
    index("id", name="ix_decision_returned", where="kind = 'return'"))
table("decision_evidence", of("decision", is_key=True), key("rule", sa.String(20)), key("domain", DOMAIN),
    numbers("contacts"), texts("example"),
    with_rowid=False)
table("mapping", of("provider_account", is_key=True), of("account"), texts("origin"), of("decision"),
    flag("against_evidence", default=False),
    index("account_id"))
table("disposition", of("provider_account", is_key=True), texts("kind reason"), sa.Column("until", sa.Date()),
    of("decision"))
table("rejection", of("provider_account", is_key=True), of("account", is_key=True), of("decision"))
table("standing_before", of("decision", is_key=True), ids_or_none("account_id"), texts("origin"),
    ids_or_none("mapping_decision_id"), flags("against_evidence"), texts("disposition reason"),
    sa.Column("until", sa.Date()), ids_or_none("order_decision_id"))
table("rejection_change", of("decision", is_key=True), of("account", is_key=True),
    ids_or_none("was_decision_id is_decision_id"))
table("undo", of("decision", is_key=True), of("decision", name="undoes_id"), columns(ID, "restores_id"),
    index("undoes_id"))
table("plan", own_id(), of("run", nullable=True), times("at"), texts("actor"), columns(sa.String(20), "action"),
    texts("said"), columns(JSON, "detail"),
    index("run_id"))
table("plan_row", of("plan", is_key=True), of("provider_account", is_key=True), columns(ID, "version"),
    ids_or_none("account_id undoes_id restores_id"), columns(sa.String(20), "why_left"),
    index("plan_id account_id"))
table("audit", own_id(), times("at"), texts("actor"), columns(ID, "seed"), numbers("population"),
    flags("is_stratified"))
table("audit_item", of("audit", is_key=True), key("place", sa.Integer()), of("provider_account"), of("account"),
    columns(sa.String(10), "verdict"), texts("judged_by"), times_or_none("judged_at"))

# What people say to each other, and when they were here

table("note", own_id(), of("provider_account"), times("at"), texts("actor text"), index("provider_account_id id"))
table("ownership", of("provider_account", is_key=True), texts("owner"))
table("owner_change", own_id(), of("provider_account"), times("at"), texts("actor old_owner owner"),
    sa.Column("run_id", ID, sa.ForeignKey("run.id", name="owner_change_run_id_fkey")),
    ids_or_none("undoes_id restores_id"),
    index("provider_account_id id"), index("run_id"), index("undoes_id"))
table("visit", key("actor"), times("last_at"), times_or_none("before_at"))

# What is proposed, suggested, looked at and searched

table("proposal", key("provider_account_id", ID), texts("kind reason"), ids_or_none("account_id"),
    numbers("accounts"),
    index("account_id"))
table("touched", key("provider_account_id", ID))
table("suggest_due", key("provider_account_id", ID),
    sa.Column("version", sa.Integer(), server_default="0", nullable=False))
table("candidate", key("provider_account_id", ID), key("rank", sa.Integer()), columns(ID, "account_id"),
    columns(sa.Double(), "score"), columns(JSON, "signals"),
    sa.Column("version", sa.Integer(), server_default="0", nullable=False),
    index("account_id"), index("score provider_account_id", name="ix_candidate_best", where="rank = 1"))
table("account_version", key("account_id", ID), numbers("version"), index("version"))
table("version", key("id", sa.Integer()), numbers("number"))
status = (
    "CASE WHEN account_id IS NOT NULL THEN 'mapped' WHEN disposition IN ('excluded', 'parked') THEN disposition "
    "WHEN proposal = 'conflict' THEN 'conflict' ELSE 'unmapped' END"
)
ready = "proposal = 'one' AND account_id IS NULL AND disposition = 'open' AND NOT is_gone"
sorts = {"name": "name_key", "domain": "domain_key", "account": "account_key", "seats": "seats",
    "specific_id": "specific_id", "decided": "version"}
facets = "provider_account_id status provider_id reason is_gone"
table("worklist", key("provider_account_id", ID), columns(ID, "provider_id"), columns(KEY, "specific_id name_key"),
    columns(DOMAIN, "domain_key"), ids_or_none("account_id"), columns(KEY, "account_key"),
    columns(sa.String(10), "disposition proposal"), columns(sa.String(20), "reason"),
    sa.Column("status", sa.String(10), sa.Computed(status, persisted=True), nullable=False),
    numbers("seats subscriptions"), flags("is_gone"), columns(ID, "version"),
    sa.Column("drift", sa.String(20), server_default="", nullable=False),
    sa.Column("owner", sa.String(100), server_default="", nullable=False),
    *(index(f"{column} {facets}", name=f"ix_worklist_{sort}") for sort, column in sorts.items()),
    index("provider_id provider_account_id status reason is_gone", name="ix_worklist_provider"),
    index("status provider_account_id provider_id reason is_gone", name="ix_worklist_status"),
    index("reason provider_account_id status provider_id is_gone", name="ix_worklist_reason"),
    index("provider_id status reason is_gone seats subscriptions", name="ix_worklist_counts"),
    index("provider_account_id", name="ix_worklist_drift", where="drift <> ''"),
    index("name_key provider_account_id", name="ix_worklist_ready", where=ready),
    index("owner provider_account_id", name="ix_worklist_owner", where="owner <> ''"))
table("word", key("subject", sa.String(1)), key("word", WORD), key("id", ID), index("subject id"), with_rowid=False)
table("spelling", key("word", WORD), numbers("letters"), columns(WORD, "backward"),
    index("letters word"), index("letters backward"), with_rowid=False)

# What was done, and what happens by itself

table("run", own_id(), texts("kind target state actor"), times("requested_at"),
    times_or_none("started_at ended_at heartbeat_at"), flags("cancel_requested"), numbers("done"),
    sa.Column("total", sa.Integer()), texts("message"), sa.Column("cursor", sa.Text()), columns(JSON, "result"),
    texts("error"), flag("wants_full", default=False),
    index("kind target id"),
    index("kind target", name="uq_run_active", where="state IN ('queued', 'running')", is_unique=True))
table("run_seen", of("run", is_key=True), key("subject", sa.String(10)), key("record_id"))
table("run_problem", own_id(), of("run"), texts("record_id why"), index("run_id"))
table("snapshot", of("run", is_key=True), of("provider", is_key=True), key("status", sa.String(10)),
    key("reason", sa.String(20)), numbers("accounts seats"))
table("schedule", key("target", sa.String(20)), columns(sa.String(5), "time_of_day"), flags("is_on"),
    times_or_none("due_at"), of("run", nullable=True), texts("note"), times_or_none("noted_at"))
table("notice", of("run", is_key=True), key("channel", sa.String(10)), numbers("tries"), times("try_at"),
    times_or_none("told_at"), texts("problem"))

# What the admin set

table("setting", key("name"), texts("value"))
table("setting_change", own_id(), times("at"), texts("actor name old_value value"))
table("listed_domain", key("domain", DOMAIN), texts("list"))
table("connection", key("target", sa.String(20)), texts("setting"), flags("for_environment"),
    columns(JSON, "parts"), texts("secret"), times_or_none("changed_at"), texts("changed_by"))
table("consent", key("target", sa.String(20)), texts("application token"), numbers("version"), texts("person"),
    sa.Column("has_mfa", sa.Boolean()), times("signed_in_at used_at"), texts("refused held_by"),
    times_or_none("held_until"))
table("consent_begun", key("state", sa.String(64)), texts("target flow actor"), times("at"))

# Customers created from here, and those expected

unfinished = "state IN ('asked', 'created')"
table("onboarding", own_id(), columns(sa.String(36), "request_id"), of("provider"), of("account"),
    columns(DOMAIN, "domain"), texts("name"), columns(JSON, "detail"), columns(sa.String(10), "state"),
    texts("actor"), times("at"), times_or_none("ended_at"), text("specific_id", default=""),
    of("provider_account", nullable=True), text("said", default=""),
    sa.UniqueConstraint("request_id"), index("account_id"),
    index("provider_id account_id", name="uq_onboarding_account", where=unfinished, is_unique=True),
    index("provider_id domain", name="uq_onboarding_domain", where=unfinished, is_unique=True))
table("expected_customer", own_id(), of("provider"), of("account"), texts("tenant_guid"),
    columns(DOMAIN, "domain"), texts("actor"), times("at"), times_or_none("ended_at"),
    of("provider_account", nullable=True), text("said", default=""),
    index("account_id"), index("provider_id", name="ix_expected_customer_open", where="ended_at IS NULL"))

# The CRM's own table of mappings

table("writeback", of("provider_account", is_key=True), texts("place"), of("account", nullable=True),
    columns(sa.String(10), "state"), numbers("attempts"), texts("error"), times_or_none("next_at written_at"),
    columns(sa.String(36), "there remote_id"),
    index("state next_at"))
table("remote_mapping", key("remote_id", sa.String(36)), columns(DOMAIN, "specific_id"), texts("provider"),
    ids_or_none("provider_id"), columns(sa.String(36), "account"),
    index("specific_id"))
