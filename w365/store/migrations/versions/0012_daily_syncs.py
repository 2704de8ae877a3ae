"""Syncs start by themselves every day, and somebody is told how they went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from w365.store.tables import UtcTime

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table(
        'schedule',
        sa.Column('target', sa.String(length=20), nullable=False),
        sa.Column('time_of_day', sa.String(length=5), nullable=False),
        sa.Column('is_on', sa.Boolean(), nullable=False),
        sa.Column('due_at', UtcTime(timezone=True), nullable=True),
        sa.Column('run_id', row_id, nullable=True),
        sa.Column('note', sa.Text(), nullable=False),
        sa.Column('noted_at', UtcTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_schedule_run_id_run')),
        sa.PrimaryKeyConstraint('target', name=op.f('pk_schedule')),
    )
    op.create_table(
        'notice',
        sa.Column('run_id', row_id, autoincrement=False, nullable=False),
        sa.Column('channel', sa.String(length=10), nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('try_at', UtcTime(timezone=True), nullable=False),
        sa.Column('told_at', UtcTime(timezone=True), nullable=True),
        sa.Column('problem', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_notice_run_id_run')),
        sa.PrimaryKeyConstraint('run_id', 'channel', name=op.f('pk_notice')),
    )
