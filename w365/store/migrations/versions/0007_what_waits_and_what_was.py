"""Subscriptions of Pax8 count as live; what is new, changed, gone and open for longest is found by an
index; a sample of automatic mappings can be judged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_worklist_counts', table_name='worklist')
    op.create_index('ix_worklist_counts', 'worklist', ['provider_id', 'status', 'reason', 'is_gone', 'seats', 'subscriptions'], unique=False)
    for name in ('gone_at', 'changed_at'):
        where = sa.text(f'{name} IS NOT NULL')
        op.create_index(f'ix_provider_account_{name}', 'provider_account', ['provider_id', name], unique=False, sqlite_where=where, postgresql_where=where)
    op.create_table(
        'audit',
        sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('actor', sa.Text(), nullable=False),
        sa.Column('seed', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
        sa.Column('population', sa.Integer(), nullable=False),
        sa.Column('is_stratified', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_audit')),
    )
    key = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table(
        'audit_item',
        sa.Column('audit_id', key, autoincrement=False, nullable=False),
        sa.Column('place', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('provider_account_id', key, autoincrement=False, nullable=False),
        sa.Column('account_id', key, autoincrement=False, nullable=False),
        sa.Column('verdict', sa.String(length=10), nullable=False),
        sa.Column('judged_by', sa.Text(), nullable=False),
        sa.Column('judged_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['audit_id'], ['audit.id'], name=op.f('fk_audit_item_audit_id_audit')),
        sa.ForeignKeyConstraint(['provider_account_id'], ['provider_account.id'], name=op.f('fk_audit_item_provider_account_id_provider_account')),
        sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_audit_item_account_id_account')),
        sa.PrimaryKeyConstraint('audit_id', 'place', name=op.f('pk_audit_item')),
    )
    # Their seats were not counted, as Pax8 spells its statuses otherwise. The next look settles them.
    op.execute(
        "INSERT INTO touched SELECT DISTINCT provider_account_id FROM subscription"
        " WHERE status IN ('Active', 'Activated', 'Trial', 'PendingCancel') ON CONFLICT DO NOTHING"
    )
