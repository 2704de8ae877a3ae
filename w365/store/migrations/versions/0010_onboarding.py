"""Customers are created from here, or expected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
EXACT = sa.String(253).with_variant(sa.String(253, collation='C'), 'postgresql')
JSON = sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')


def upgrade() -> None:
    op.create_table(
        'onboarding',
        sa.Column('id', ID, nullable=False),
        sa.Column('request_id', sa.String(36), nullable=False),
        sa.Column('provider_id', ID, autoincrement=False, nullable=False),
        sa.Column('account_id', ID, autoincrement=False, nullable=False),
        sa.Column('domain', EXACT, nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('detail', JSON, nullable=False),
        sa.Column('state', sa.String(10), nullable=False),
        sa.Column('actor', sa.Text(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('specific_id', sa.Text(), server_default='', nullable=False),
        sa.Column('provider_account_id', ID, nullable=True),
        sa.Column('said', sa.Text(), server_default='', nullable=False),
        sa.ForeignKeyConstraint(['provider_id'], ['provider.id'], name='fk_onboarding_provider_id_provider'),
        sa.ForeignKeyConstraint(['account_id'], ['account.id'], name='fk_onboarding_account_id_account'),
        sa.ForeignKeyConstraint(
            ['provider_account_id'],
            ['provider_account.id'],
            name='fk_onboarding_provider_account_id_provider_account',
        ),
        sa.PrimaryKeyConstraint('id', name='pk_onboarding'),
        sa.UniqueConstraint('request_id', name='uq_onboarding_request_id'),
    )
    unfinished = sa.text("state IN ('asked', 'created')")
    for column in ('account', 'domain'):
        op.create_index(
            f'uq_onboarding_{column}',
            'onboarding',
            ['provider_id', 'domain' if column == 'domain' else 'account_id'],
            unique=True,
            sqlite_where=unfinished,
            postgresql_where=unfinished,
        )
    op.create_index('ix_onboarding_account_id', 'onboarding', ['account_id'], unique=False)
    op.create_table(
        'expected_customer',
        sa.Column('id', ID, nullable=False),
        sa.Column('provider_id', ID, autoincrement=False, nullable=False),
        sa.Column('account_id', ID, autoincrement=False, nullable=False),
        sa.Column('tenant_guid', sa.Text(), nullable=False),
        sa.Column('domain', EXACT, nullable=False),
        sa.Column('actor', sa.Text(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('provider_account_id', ID, nullable=True),
        sa.Column('said', sa.Text(), server_default='', nullable=False),
        sa.ForeignKeyConstraint(['provider_id'], ['provider.id'], name='fk_expected_customer_provider_id_provider'),
        sa.ForeignKeyConstraint(['account_id'], ['account.id'], name='fk_expected_customer_account_id_account'),
        sa.ForeignKeyConstraint(
            ['provider_account_id'],
            ['provider_account.id'],
            name='fk_expected_customer_provider_account_id_provider_account',
        ),
        sa.PrimaryKeyConstraint('id', name='pk_expected_customer'),
    )
    op.create_index('ix_expected_customer_account_id', 'expected_customer', ['account_id'], unique=False)
    op.create_index(
        'ix_expected_customer_open',
        'expected_customer',
        ['provider_id'],
        unique=False,
        sqlite_where=sa.text('ended_at IS NULL'),
        postgresql_where=sa.text('ended_at IS NULL'),
    )
