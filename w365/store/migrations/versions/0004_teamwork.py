"""Notes and owners; rows are found by owner, score and age, and those back from being parked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from w365.store.tables import Id, UtcTime

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('note',
    sa.Column('id', Id, nullable=False),
    sa.Column('provider_account_id', Id, autoincrement=False, nullable=False),
    sa.Column('at', UtcTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['provider_account_id'], ['provider_account.id'], name=op.f('fk_note_provider_account_id_provider_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_note'))
    )
    op.create_index('ix_note_provider_account_id_id', 'note', ['provider_account_id', 'id'], unique=False)
    op.create_table('ownership',
    sa.Column('provider_account_id', Id, autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['provider_account_id'], ['provider_account.id'], name=op.f('fk_ownership_provider_account_id_provider_account')),
    sa.PrimaryKeyConstraint('provider_account_id', name=op.f('pk_ownership'))
    )
    op.create_table('owner_change',
    sa.Column('id', Id, nullable=False),
    sa.Column('provider_account_id', Id, autoincrement=False, nullable=False),
    sa.Column('at', UtcTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('old_owner', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['provider_account_id'], ['provider_account.id'], name=op.f('fk_owner_change_provider_account_id_provider_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_owner_change'))
    )
    op.create_index('ix_owner_change_provider_account_id_id', 'owner_change', ['provider_account_id', 'id'], unique=False)
    op.add_column('worklist', sa.Column('owner', sa.String(length=100), server_default='', nullable=False))
    op.create_index('ix_worklist_owner', 'worklist', ['owner', 'provider_account_id'], unique=False, sqlite_where=sa.text("owner <> ''"), postgresql_where=sa.text("owner <> ''"))
    op.create_index('ix_candidate_best', 'candidate', ['score', 'provider_account_id'], unique=False, sqlite_where=sa.text("rank = 1"), postgresql_where=sa.text("rank = 1"))
    op.create_index('ix_decision_returned', 'decision', ['id'], unique=False, sqlite_where=sa.text("kind = 'return'"), postgresql_where=sa.text("kind = 'return'"))
    op.create_index('ix_provider_account_first_seen_at', 'provider_account', ['first_seen_at'], unique=False)
