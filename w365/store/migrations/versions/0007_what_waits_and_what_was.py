"""Subscriptions of Pax8 count as live; what is new, changed, gone and open for longest is found by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_worklist_counts', table_name='worklist')
    op.create_index('ix_worklist_counts', 'worklist', ['provider_id', 'status', 'reason', 'is_gone', 'seats', 'subscriptions'], unique=False)
    op.create_index('ix_provider_account_first_seen_at', 'provider_account', ['first_seen_at'], unique=False)
    for name in ('gone_at', 'changed_at'):
        where = sa.text(f'{name} IS NOT NULL')
        op.create_index(f'ix_provider_account_{name}', 'provider_account', [name], unique=False, sqlite_where=where, postgresql_where=where)
    # Their seats were not counted, as Pax8 spells its statuses otherwise. The next look settles them.
    op.execute(
        "INSERT INTO touched SELECT DISTINCT provider_account_id FROM subscription"
        " WHERE status IN ('Active', 'Activated', 'Trial', 'PendingCancel') ON CONFLICT DO NOTHING"
    )
