"""Connections are stored, with their secrets encrypted, and a person may sign in for an application."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from w365.store.tables import UtcTime

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'connection',
        sa.Column('target', sa.String(length=20), nullable=False),
        sa.Column('setting', sa.Text(), nullable=False),
        sa.Column('for_environment', sa.Boolean(), nullable=False),
        sa.Column('parts', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
        sa.Column('secret', sa.Text(), nullable=False),
        sa.Column('changed_at', UtcTime(), nullable=True),
        sa.Column('changed_by', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('target', name=op.f('pk_connection')),
    )
    op.create_table(
        'consent',
        sa.Column('target', sa.String(length=20), nullable=False),
        sa.Column('application', sa.Text(), nullable=False),
        sa.Column('token', sa.Text(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('person', sa.Text(), nullable=False),
        sa.Column('has_mfa', sa.Boolean(), nullable=True),
        sa.Column('signed_in_at', UtcTime(), nullable=False),
        sa.Column('used_at', UtcTime(), nullable=False),
        sa.Column('refused', sa.Text(), nullable=False),
        sa.Column('held_by', sa.Text(), nullable=False),
        sa.Column('held_until', UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint('target', name=op.f('pk_consent')),
    )
    op.create_table(
        'consent_begun',
        sa.Column('state', sa.String(length=64), nullable=False),
        sa.Column('target', sa.Text(), nullable=False),
        sa.Column('flow', sa.Text(), nullable=False),
        sa.Column('actor', sa.Text(), nullable=False),
        sa.Column('at', UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint('state', name=op.f('pk_consent_begun')),
    )
