"""The contacts of each account and domain are counted from their index: on PostgreSQL it holds their ids as well.

SQLite's holds them as it is, for they are the key of the table.
"""

from __future__ import annotations

from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name == 'postgresql':
        op.drop_index('ix_contact_account_crm_id_domain', 'contact')
        op.create_index('ix_contact_account_crm_id_domain', 'contact', ['account_crm_id', 'domain'], postgresql_include=['crm_id'])
