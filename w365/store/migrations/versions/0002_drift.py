"""Mappings that the evidence no longer supports are flagged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('mapping', sa.Column('against_evidence', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('worklist', sa.Column('drift', sa.String(length=20), server_default='', nullable=False))
    op.create_index('ix_worklist_drift', 'worklist', ['provider_account_id'], unique=False, sqlite_where=sa.text("drift <> ''"), postgresql_where=sa.text("drift <> ''"))
    # What people knew when they mapped is not on record: a mapping of theirs without evidence is taken as meant.
    op.execute(
        "UPDATE mapping SET against_evidence = true WHERE origin <> 'auto' AND NOT EXISTS"
        " (SELECT 1 FROM decision_evidence WHERE decision_evidence.decision_id = mapping.decision_id)"
    )
    # The next look settles them.
    op.execute("INSERT INTO touched SELECT provider_account_id FROM mapping WHERE true ON CONFLICT DO NOTHING")
