"""A sync can be asked to read everything."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('run', sa.Column('wants_full', sa.Boolean(), server_default=sa.false(), nullable=False))
