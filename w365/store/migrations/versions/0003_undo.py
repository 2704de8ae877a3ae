"""Decisions can be taken back: what held before each of them is kept. Changes of many rows are previewed as plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from w365.store.tables import Id, Json, UtcTime

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

# The latest decision of the same row before this one that could set a mapping, or a disposition.
_MAPPED_BY = "(SELECT max(p.id) FROM decision p WHERE p.provider_account_id = d.provider_account_id AND p.id < d.id AND p.kind IN ('map', 'unmap'))"
_ORDERED_BY = "(SELECT max(p.id) FROM decision p WHERE p.provider_account_id = d.provider_account_id AND p.id < d.id AND p.kind IN ('map', 'exclude', 'park', 'reopen'))"
_REJECTED_BY = (
    "(SELECT max(p.id) FROM decision p WHERE p.provider_account_id = d.provider_account_id AND p.id < d.id"
    " AND (p.kind IN ('reject', 'unreject', 'map') AND p.account_id = d.account_id"
    " OR p.kind = 'unmap' AND p.old_account_id = d.account_id))"
)


def upgrade() -> None:
    op.create_table(
        'standing_before',
        sa.Column('decision_id', Id, autoincrement=False, nullable=False),
        sa.Column('account_id', Id, nullable=True),
        sa.Column('origin', sa.Text(), nullable=False),
        sa.Column('mapping_decision_id', Id, nullable=True),
        sa.Column('against_evidence', sa.Boolean(), nullable=False),
        sa.Column('disposition', sa.Text(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('until', sa.Date(), nullable=True),
        sa.Column('order_decision_id', Id, nullable=True),
        sa.ForeignKeyConstraint(['decision_id'], ['decision.id'], name=op.f('fk_standing_before_decision_id_decision')),
        sa.PrimaryKeyConstraint('decision_id', name=op.f('pk_standing_before')),
    )
    op.create_table(
        'rejection_change',
        sa.Column('decision_id', Id, autoincrement=False, nullable=False),
        sa.Column('account_id', Id, autoincrement=False, nullable=False),
        sa.Column('was_decision_id', Id, nullable=True),
        sa.Column('is_decision_id', Id, nullable=True),
        sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_rejection_change_account_id_account')),
        sa.ForeignKeyConstraint(['decision_id'], ['decision.id'], name=op.f('fk_rejection_change_decision_id_decision')),
        sa.PrimaryKeyConstraint('decision_id', 'account_id', name=op.f('pk_rejection_change')),
    )
    op.create_table(
        'undo',
        sa.Column('decision_id', Id, autoincrement=False, nullable=False),
        sa.Column('undoes_id', Id, autoincrement=False, nullable=False),
        sa.Column('restores_id', Id, nullable=False),
        sa.ForeignKeyConstraint(['decision_id'], ['decision.id'], name=op.f('fk_undo_decision_id_decision')),
        sa.ForeignKeyConstraint(['undoes_id'], ['decision.id'], name=op.f('fk_undo_undoes_id_decision')),
        sa.PrimaryKeyConstraint('decision_id', name=op.f('pk_undo')),
    )
    op.create_index(op.f('ix_undo_undoes_id'), 'undo', ['undoes_id'], unique=False)
    op.create_table(
        'plan',
        sa.Column('id', Id, nullable=False),
        sa.Column('run_id', Id, nullable=True),
        sa.Column('at', UtcTime(), nullable=False),
        sa.Column('actor', sa.Text(), nullable=False),
        sa.Column('action', sa.String(length=20), nullable=False),
        sa.Column('said', sa.Text(), nullable=False),
        sa.Column('detail', Json, nullable=False),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_plan_run_id_run')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_plan')),
    )
    op.create_index(op.f('ix_plan_run_id'), 'plan', ['run_id'], unique=False)
    op.create_table(
        'plan_row',
        sa.Column('plan_id', Id, autoincrement=False, nullable=False),
        sa.Column('provider_account_id', Id, autoincrement=False, nullable=False),
        sa.Column('version', Id, nullable=False),
        sa.Column('account_id', Id, nullable=True),
        sa.Column('undoes_id', Id, nullable=True),
        sa.Column('restores_id', Id, nullable=True),
        sa.Column('why_left', sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(['plan_id'], ['plan.id'], name=op.f('fk_plan_row_plan_id_plan')),
        sa.ForeignKeyConstraint(
            ['provider_account_id'], ['provider_account.id'], name=op.f('fk_plan_row_provider_account_id_provider_account')
        ),
        sa.PrimaryKeyConstraint('plan_id', 'provider_account_id', name=op.f('pk_plan_row')),
    )
    op.create_index(op.f('ix_plan_row_plan_id_account_id'), 'plan_row', ['plan_id', 'account_id'], unique=False)
    _remember()


def _remember() -> None:
    """Read from the log what held before each decision so far. Until when a row was parked is not in it."""
    op.execute(
        "INSERT INTO standing_before (decision_id, account_id, origin, mapping_decision_id, against_evidence,"
        " disposition, reason, until, order_decision_id)"
        " SELECT s.id, m.account_id, coalesce(m.origin, ''), m.id,"
        " m.id IS NOT NULL AND m.origin <> 'auto' AND NOT EXISTS (SELECT 1 FROM decision_evidence e WHERE e.decision_id = m.id),"
        " CASE o.kind WHEN 'exclude' THEN 'excluded' WHEN 'park' THEN 'parked' ELSE 'open' END, coalesce(o.reason, ''), NULL, o.id"
        f" FROM (SELECT d.id, {_MAPPED_BY} AS mapped_by, {_ORDERED_BY} AS ordered_by FROM decision d) s"
        " LEFT JOIN decision m ON m.id = s.mapped_by AND m.kind = 'map'"
        " LEFT JOIN decision o ON o.id = s.ordered_by AND o.kind IN ('exclude', 'park')"
        " WHERE m.id IS NOT NULL OR o.id IS NOT NULL"
    )
    op.execute(
        "INSERT INTO rejection_change (decision_id, account_id, was_decision_id, is_decision_id)"
        " SELECT s.id, s.account_id, r.id, CASE s.kind WHEN 'reject' THEN s.id END"
        f" FROM (SELECT d.id, d.kind, d.account_id, {_REJECTED_BY} AS rejected_by FROM decision d"
        " WHERE d.kind IN ('reject', 'unreject', 'map') AND d.account_id IS NOT NULL) s"
        " LEFT JOIN decision r ON r.id = s.rejected_by AND (r.kind = 'reject' OR r.kind = 'unmap' AND EXISTS"
        " (SELECT 1 FROM standing_before b WHERE b.decision_id = r.id AND b.origin = 'auto'))"
        " WHERE s.kind = 'reject' OR r.id IS NOT NULL"
    )
    # Clearing an automatic mapping rejected the pair.
    op.execute(
        "INSERT INTO rejection_change (decision_id, account_id, was_decision_id, is_decision_id)"
        " SELECT d.id, b.account_id, NULL, d.id FROM decision d"
        " JOIN standing_before b ON b.decision_id = d.id WHERE d.kind = 'unmap' AND b.origin = 'auto'"
    )
