"""Mappings are written to a table of the CRM and compared with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from w365.store.tables import Exact, UtcTime

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'writeback',
        sa.Column('provider_account_id', _ID, autoincrement=False, nullable=False),
        sa.Column('place', sa.Text(), nullable=False),
        sa.Column('account_id', _ID, nullable=True),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('error', sa.Text(), nullable=False),
        sa.Column('next_at', UtcTime(timezone=True), nullable=True),
        sa.Column('written_at', UtcTime(timezone=True), nullable=True),
        sa.Column('there', sa.String(length=36), nullable=False),
        sa.Column('remote_id', sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(['account_id'], ['account.id'], name='fk_writeback_account_id_account'),
        sa.ForeignKeyConstraint(['provider_account_id'], ['provider_account.id'], name='fk_writeback_provider_account_id_provider_account'),
        sa.PrimaryKeyConstraint('provider_account_id', name='pk_writeback'),
    )
    op.create_index('ix_writeback_state_next_at', 'writeback', ['state', 'next_at'], unique=False)
    op.create_table(
        'remote_mapping',
        sa.Column('remote_id', sa.String(length=36), nullable=False),
        sa.Column('specific_id', Exact, nullable=False),
        sa.Column('provider', sa.Text(), nullable=False),
        sa.Column('provider_id', _ID, nullable=True),
        sa.Column('account', sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint('remote_id', name='pk_remote_mapping'),
    )
    op.create_index('ix_remote_mapping_specific_id', 'remote_mapping', ['specific_id'], unique=False)
