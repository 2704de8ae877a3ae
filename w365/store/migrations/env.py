"""Run by Alembic inside the transaction that `w365.store.db.migrate` opened."""

from __future__ import annotations

from alembic import context

from w365.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    transactional_ddl=True,
)
context.run_migrations()
