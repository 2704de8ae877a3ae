"""Each word of accounts stands once more by itself, so that mistyped ones are found; the CRM's size is kept."""

from __future__ import annotations

from itertools import islice

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

_WORD = sa.String(length=80).with_variant(sa.String(length=80, collation='C'), 'postgresql')


def upgrade() -> None:
    spelling = op.create_table(
        'spelling',
        sa.Column('word', _WORD, nullable=False),
        sa.Column('letters', sa.Integer(), nullable=False),
        sa.Column('backward', _WORD, nullable=False),
        sa.PrimaryKeyConstraint('word', name='pk_spelling'),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    found = connection.exec_driver_sql("SELECT DISTINCT word FROM word WHERE subject = 'a' ORDER BY word")
    kept = (row[0] for row in found if 3 <= len(row[0]) <= 40 and row[0].isalpha())
    while part := [{'word': one, 'letters': len(one), 'backward': one[::-1]} for one in islice(kept, 5_000)]:
        connection.execute(sa.insert(spelling), part)
    op.create_index('ix_spelling_letters_word', 'spelling', ['letters', 'word'], unique=False)
    op.create_index('ix_spelling_letters_backward', 'spelling', ['letters', 'backward'], unique=False)
    op.create_table(
        'crm_size',
        sa.Column('table_name', sa.Text(), nullable=False),
        sa.Column('records', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('table_name', name='pk_crm_size'),
    )
    connection.exec_driver_sql("INSERT INTO crm_size SELECT 'accounts', count(*) FROM account WHERE NOT is_deleted")
    connection.exec_driver_sql("INSERT INTO crm_size SELECT 'contacts', count(*) FROM contact")
