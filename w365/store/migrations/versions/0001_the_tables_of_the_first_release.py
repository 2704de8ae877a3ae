"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import w365.store.tables

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('account',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('crm_id', sa.String(length=64), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_key', sa.String(length=400).with_variant(sa.String(length=400, collation='C'), 'postgresql'), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('website', sa.Text(), nullable=False),
    sa.Column('email_domain', sa.String(length=253).with_variant(sa.String(length=253, collation='C'), 'postgresql'), nullable=False),
    sa.Column('website_domain', sa.String(length=253).with_variant(sa.String(length=253, collation='C'), 'postgresql'), nullable=False),
    sa.Column('city', sa.Text(), nullable=False),
    sa.Column('country', sa.Text(), nullable=False),
    sa.Column('tenant_guid', sa.Text(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('is_deleted', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account')),
    sa.UniqueConstraint('crm_id', name=op.f('uq_account_crm_id'))
    )
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_account_name_key'), ['name_key'], unique=False)
        batch_op.create_index(batch_op.f('ix_account_tenant_guid'), ['tenant_guid'], unique=False, sqlite_where=sa.text("tenant_guid <> ''"), postgresql_where=sa.text("tenant_guid <> ''"))

    op.create_table('contact',
    sa.Column('crm_id', sa.String(length=64), nullable=False),
    sa.Column('account_crm_id', sa.String(length=64), nullable=False),
    sa.Column('domain', sa.String(length=253).with_variant(sa.String(length=253, collation='C'), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('crm_id', name=op.f('pk_contact')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('contact', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contact_account_crm_id_domain'), ['account_crm_id', 'domain'], unique=False)

    op.create_table('crm_delta',
    sa.Column('table_name', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('table_name', name=op.f('pk_crm_delta'))
    )
    op.create_table('listed_domain',
    sa.Column('domain', sa.String(length=253).with_variant(sa.String(length=253, collation='C'), 'postgresql'), nullable=False),
    sa.Column('list', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('domain', name=op.f('pk_listed_domain'))
    )
    op.create_table('provider',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('cardinality', sa.Text(), nullable=True),
    sa.Column('verified_at', w365.store.tables.UtcTime(timezone=True), nullable=True),
    sa.Column('verified_as', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_provider')),
    sa.UniqueConstraint('name', name=op.f('uq_provider_name'))
    )
    op.create_table('run',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('requested_at', w365.store.tables.UtcTime(timezone=True), nullable=False),
    sa.Column('started_at', w365.store.tables.UtcTime(timezone=True), nullable=True),
    sa.Column('ended_at', w365.store.tables.UtcTime(timezone=True), nullable=True),
    sa.Column('heartbeat_at', w365.store.tables.UtcTime(timezone=True), nullable=True),
    sa.Column('cancel_requested', sa.Boolean(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=True),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('cursor', sa.Text(), nullable=True),
    sa.Column('result', w365.store.tables.Json, nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run'))
    )
    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_run_kind_target_id'), ['kind', 'target', 'id'], unique=False)
        batch_op.create_index('uq_run_active', ['kind', 'target'], unique=True, sqlite_where=sa.text("state IN ('queued', 'running')"), postgresql_where=sa.text("state IN ('queued', 'running')"))

    op.create_table('setting',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_setting'))
    )
    op.create_table('setting_change',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', w365.store.tables.UtcTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('old_value', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_setting_change'))
    )
    op.create_table(
    'word',
    sa.Column('subject', sa.String(length=1), nullable=False),
    sa.Column('word', sa.String(length=80).with_variant(sa.String(length=80, collation='C'), 'postgresql'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('subject', 'word', 'id', name=op.f('pk_word')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('word', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_word_subject_id'), ['subject', 'id'], unique=False)

    op.create_table('account_domain',
    sa.Column('domain', sa.String(length=253).with_variant(sa.String(length=253, collation='C'), 'postgresql'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('rule', sa.String(length=20), nullable=False),
    sa.Column('contacts', sa.Integer(), nullable=False),
    sa.Column('example', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('domain', 'account_id', 'rule', name=op.f('pk_account_domain')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('account_domain', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_account_domain_account_id'), ['account_id'], unique=False)

    op.create_table('provider_account',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('provider_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('specific_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_key', sa.String(length=400).with_variant(sa.String(length=400, collation='C'), 'postgresql'), nullable=False),
    sa.Column('default_domain', sa.Text(), nullable=False),
    sa.Column('main_domain', sa.Text(), nullable=False),
    sa.Column('domain_source', sa.Text(), nullable=False),
    sa.Column('tenant_guid', sa.Text(), nullable=False),
    sa.Column('country', sa.Text(), nullable=False),
    sa.Column('relationship', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('first_seen_at', w365.store.tables.UtcTime(timezone=True), nullable=False),
    sa.Column('gone_at', w365.store.tables.UtcTime(timezone=True), nullable=True),
    sa.Column('changed_at', w365.store.tables.UtcTime(timezone=True), nullable=True),
    sa.Column('change', sa.Text(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['provider_id'], ['provider.id'], name=op.f('fk_provider_account_provider_id_provider')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_provider_account')),
    sa.UniqueConstraint('provider_id', 'specific_id', name=op.f('uq_provider_account_provider_id_specific_id'))
    )
    with op.batch_alter_table('provider_account', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_provider_account_tenant_guid'), ['tenant_guid'], unique=False, sqlite_where=sa.text("tenant_guid <> ''"), postgresql_where=sa.text("tenant_guid <> ''"))

    op.create_table('run_problem',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('record_id', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_run_problem_run_id_run')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run_problem'))
    )
    with op.batch_alter_table('run_problem', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_run_problem_run_id'), ['run_id'], unique=False)

    op.create_table('run_seen',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('subject', sa.String(length=10), nullable=False),
    sa.Column('record_id', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_run_seen_run_id_run')),
    sa.PrimaryKeyConstraint('run_id', 'subject', 'record_id', name=op.f('pk_run_seen'))
    )
    op.create_table('snapshot',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('provider_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('status', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.String(length=20), nullable=False),
    sa.Column('accounts', sa.Integer(), nullable=False),
    sa.Column('seats', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['provider_id'], ['provider.id'], name=op.f('fk_snapshot_provider_id_provider')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_snapshot_run_id_run')),
    sa.PrimaryKeyConstraint('run_id', 'provider_id', 'status', 'reason', name=op.f('pk_snapshot'))
    )
    op.create_table('candidate',
    sa.Column('provider_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('rank', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('score', sa.Double(), nullable=False),
    sa.Column('signals', w365.store.tables.Json, nullable=False),
    sa.PrimaryKeyConstraint('provider_account_id', 'rank', name=op.f('pk_candidate'))
    )
    with op.batch_alter_table('candidate', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_candidate_account_id'), ['account_id'], unique=False)

    op.create_table('decision',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', w365.store.tables.UtcTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('provider_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('old_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_decision_account_id_account')),
    sa.ForeignKeyConstraint(['old_account_id'], ['account.id'], name=op.f('fk_decision_old_account_id_account')),
    sa.ForeignKeyConstraint(['provider_account_id'], ['provider_account.id'], name=op.f('fk_decision_provider_account_id_provider_account')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_decision_run_id_run')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_decision'))
    )
    with op.batch_alter_table('decision', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_decision_provider_account_id_id'), ['provider_account_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_decision_run_id'), ['run_id'], unique=False)

    op.create_table('proposal',
    sa.Column('provider_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('accounts', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('provider_account_id', name=op.f('pk_proposal'))
    )
    with op.batch_alter_table('proposal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_proposal_account_id'), ['account_id'], unique=False)

    op.create_table('provider_account_domain',
    sa.Column('provider_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('domain', sa.String(length=253).with_variant(sa.String(length=253, collation='C'), 'postgresql'), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.Column('is_verified', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['provider_account_id'], ['provider_account.id'], name=op.f('fk_provider_account_domain_provider_account_id_provider_account')),
    sa.PrimaryKeyConstraint('provider_account_id', 'domain', name=op.f('pk_provider_account_domain')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('provider_account_domain', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_provider_account_domain_domain_provider_account_id'), ['domain', 'provider_account_id'], unique=False)

    op.create_table('subscription',
    sa.Column('provider_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('subscription_id', sa.Text(), nullable=False),
    sa.Column('offer_name', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('term', sa.Text(), nullable=False),
    sa.Column('started_at', w365.store.tables.UtcTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['provider_account_id'], ['provider_account.id'], name=op.f('fk_subscription_provider_account_id_provider_account')),
    sa.PrimaryKeyConstraint('provider_account_id', 'subscription_id', name=op.f('pk_subscription'))
    )
    op.create_table('suggest_due',
    sa.Column('provider_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('provider_account_id', name=op.f('pk_suggest_due'))
    )
    op.create_table('touched',
    sa.Column('provider_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('provider_account_id', name=op.f('pk_touched'))
    )
    op.create_table('worklist',
    sa.Column('provider_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('provider_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('specific_id', sa.String(length=400).with_variant(sa.String(length=400, collation='C'), 'postgresql'), nullable=False),
    sa.Column('name_key', sa.String(length=400).with_variant(sa.String(length=400, collation='C'), 'postgresql'), nullable=False),
    sa.Column('domain_key', sa.String(length=253).with_variant(sa.String(length=253, collation='C'), 'postgresql'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('account_key', sa.String(length=400).with_variant(sa.String(length=400, collation='C'), 'postgresql'), nullable=False),
    sa.Column('disposition', sa.String(length=10), nullable=False),
    sa.Column('proposal', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.String(length=20), nullable=False),
    sa.Column('status', sa.String(length=10), sa.Computed("CASE WHEN account_id IS NOT NULL THEN 'mapped' WHEN disposition IN ('excluded', 'parked') THEN disposition WHEN proposal = 'conflict' THEN 'conflict' ELSE 'unmapped' END", persisted=True), nullable=False),
    sa.Column('seats', sa.Integer(), nullable=False),
    sa.Column('subscriptions', sa.Integer(), nullable=False),
    sa.Column('is_gone', sa.Boolean(), nullable=False),
    sa.Column('version', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('provider_account_id', name=op.f('pk_worklist'))
    )
    with op.batch_alter_table('worklist', schema=None) as batch_op:
        batch_op.create_index('ix_worklist_account', ['account_key', 'provider_account_id', 'status', 'provider_id', 'reason', 'is_gone'], unique=False)
        batch_op.create_index('ix_worklist_counts', ['provider_id', 'status', 'reason', 'is_gone', 'seats'], unique=False)
        batch_op.create_index('ix_worklist_decided', ['version', 'provider_account_id', 'status', 'provider_id', 'reason', 'is_gone'], unique=False)
        batch_op.create_index('ix_worklist_domain', ['domain_key', 'provider_account_id', 'status', 'provider_id', 'reason', 'is_gone'], unique=False)
        batch_op.create_index('ix_worklist_name', ['name_key', 'provider_account_id', 'status', 'provider_id', 'reason', 'is_gone'], unique=False)
        batch_op.create_index('ix_worklist_provider', ['provider_id', 'provider_account_id', 'status', 'reason', 'is_gone'], unique=False)
        batch_op.create_index('ix_worklist_reason', ['reason', 'provider_account_id', 'status', 'provider_id', 'is_gone'], unique=False)
        batch_op.create_index('ix_worklist_seats', ['seats', 'provider_account_id', 'status', 'provider_id', 'reason', 'is_gone'], unique=False)
        batch_op.create_index('ix_worklist_specific_id', ['specific_id', 'provider_account_id', 'status', 'provider_id', 'reason', 'is_gone'], unique=False)
        batch_op.create_index('ix_worklist_status', ['status', 'provider_account_id', 'provider_id', 'reason', 'is_gone'], unique=False)

    op.create_table('decision_evidence',
    sa.Column('decision_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('rule', sa.String(length=20), nullable=False),
    sa.Column('domain', sa.String(length=253).with_variant(sa.String(length=253, collation='C'), 'postgresql'), nullable=False),
    sa.Column('contacts', sa.Integer(), nullable=False),
    sa.Column('example', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['decision_id'], ['decision.id'], name=op.f('fk_decision_evidence_decision_id_decision')),
    sa.PrimaryKeyConstraint('decision_id', 'rule', 'domain', name=op.f('pk_decision_evidence')),
    sqlite_with_rowid=False
    )
    op.create_table('disposition',
    sa.Column('provider_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('decision_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['decision_id'], ['decision.id'], name=op.f('fk_disposition_decision_id_decision')),
    sa.ForeignKeyConstraint(['provider_account_id'], ['provider_account.id'], name=op.f('fk_disposition_provider_account_id_provider_account')),
    sa.PrimaryKeyConstraint('provider_account_id', name=op.f('pk_disposition'))
    )
    op.create_table('mapping',
    sa.Column('provider_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('decision_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_mapping_account_id_account')),
    sa.ForeignKeyConstraint(['decision_id'], ['decision.id'], name=op.f('fk_mapping_decision_id_decision')),
    sa.ForeignKeyConstraint(['provider_account_id'], ['provider_account.id'], name=op.f('fk_mapping_provider_account_id_provider_account')),
    sa.PrimaryKeyConstraint('provider_account_id', name=op.f('pk_mapping'))
    )
    with op.batch_alter_table('mapping', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mapping_account_id'), ['account_id'], unique=False)

    op.create_table('rejection',
    sa.Column('provider_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('decision_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_rejection_account_id_account')),
    sa.ForeignKeyConstraint(['decision_id'], ['decision.id'], name=op.f('fk_rejection_decision_id_decision')),
    sa.ForeignKeyConstraint(['provider_account_id'], ['provider_account.id'], name=op.f('fk_rejection_provider_account_id_provider_account')),
    sa.PrimaryKeyConstraint('provider_account_id', 'account_id', name=op.f('pk_rejection'))
    )
