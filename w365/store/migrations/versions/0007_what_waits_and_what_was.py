"""Subscriptions of Pax8 count as live; snapshots tell more; a sample of mappings can be judged."""

from __future__ import annotations

from alembic import op

revision = '0007'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_worklist_counts', table_name='worklist')
    op.create_index('ix_worklist_counts', 'worklist', ['provider_id', 'status', 'reason', 'is_gone', 'seats', 'subscriptions'], unique=False)
    # Their seats were not counted, as Pax8 spells its statuses otherwise. The next look settles them.
    op.execute(
        "INSERT INTO touched SELECT DISTINCT provider_account_id FROM subscription"
        " WHERE status IN ('Active', 'Activated', 'Trial', 'PendingCancel') ON CONFLICT DO NOTHING"
    )
