"""Owners of many rows at once: a change of owners names its run and, where it takes one back, which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from w365.store.tables import Id

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    run = sa.Column('run_id', Id, sa.ForeignKey('run.id', name=op.f('fk_owner_change_run_id_run')), nullable=True)
    op.add_column('owner_change', run, inline_references=True)
    op.add_column('owner_change', sa.Column('undoes_id', Id, nullable=True))
    op.add_column('owner_change', sa.Column('restores_id', Id, nullable=True))
    op.create_index('ix_owner_change_run_id', 'owner_change', ['run_id'], unique=False)
    op.create_index('ix_owner_change_undoes_id', 'owner_change', ['undoes_id'], unique=False)
