"""Pages count what would be mapped, accounts without a contact and ended subscriptions from an index of these alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

_READY = sa.text("proposal = 'one' AND account_id IS NULL AND disposition = 'open' AND NOT is_gone")
_ENDED = sa.text("status NOT IN ('active', 'suspended', 'Active', 'Activated', 'Trial', 'PendingCancel')")
_HERE = sa.text('is_active AND NOT is_deleted')


def upgrade() -> None:
    op.create_index('ix_worklist_ready', 'worklist', ['name_key', 'provider_account_id'], sqlite_where=_READY, postgresql_where=_READY)
    op.create_index('ix_subscription_ended', 'subscription', ['provider_account_id', 'subscription_id', 'quantity'], sqlite_where=_ENDED, postgresql_where=_ENDED)
    op.create_index('ix_account_here', 'account', ['crm_id'], sqlite_where=_HERE, postgresql_where=_HERE)
