"""A match of all rows walks the customers' domains in order: all it asks of them is in one index."""

from __future__ import annotations

from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_provider_account_domain_match', 'provider_account_domain', ['domain', 'provider_account_id', 'kind', 'is_verified'])
    op.drop_index('ix_provider_account_domain_domain_provider_account_id', 'provider_account_domain')
