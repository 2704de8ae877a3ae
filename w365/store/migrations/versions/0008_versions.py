"""Candidates know up to which change they were made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'version',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_version'),
    )
    op.create_table(
        'account_version',
        sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('account_id', name='pk_account_version'),
    )
    op.create_index('ix_account_version_version', 'account_version', ['version'], unique=False)
    op.add_column('suggest_due', sa.Column('version', sa.Integer(), server_default='0', nullable=False))
    op.add_column('candidate', sa.Column('version', sa.Integer(), server_default='0', nullable=False))
