"""A row can be left alone by syncs, and everybody is told what is new to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from w365.store.tables import UtcTime

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('provider_account', sa.Column('is_synced', sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_index('ix_provider_account_unsynced', 'provider_account', ['id'], unique=False, sqlite_where=sa.text('NOT is_synced'), postgresql_where=sa.text('NOT is_synced'))
    op.create_table(
        'visit',
        sa.Column('actor', sa.Text(), nullable=False),
        sa.Column('last_at', UtcTime(timezone=True), nullable=False),
        sa.Column('before_at', UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('actor', name=op.f('pk_visit')),
    )
