"""DuckDB's way to the same evidence index and proposals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import sqlalchemy as sa

from w365.model import MatchPolicy
from w365.store import tables as t
from w365.store.db.engine import Store

_FACTS: dict[str, tuple[Any, ...]] = {
    "customer": (t.ProviderAccount.id,),
    "customer_domain": (
        t.ProviderAccountDomain.provider_account_id,
        t.ProviderAccountDomain.domain,
        t.ProviderAccountDomain.kind,
        t.ProviderAccountDomain.is_verified,
    ),
    "account": (
        t.Account.id,
        t.Account.crm_id,
        t.Account.email_domain,
        t.Account.website_domain,
        t.Account.is_active,
        t.Account.is_deleted,
    ),
    "contact": (t.Contact.crm_id, t.Contact.account_crm_id, t.Contact.domain),
    "listed": (t.ListedDomain.domain, t.ListedDomain.list),
}

_INDEX = """
CREATE TABLE account_domain AS
SELECT domain, account.id AS account_id, 'contact_domain' AS rule, count(*) AS contacts, min(contact.crm_id) AS example
FROM contact JOIN account ON account.crm_id = contact.account_crm_id WHERE domain <> '' GROUP BY domain, account.id
UNION ALL SELECT email_domain, id, 'account_email', 0, '' FROM account WHERE email_domain <> ''
UNION ALL SELECT website_domain, id, 'account_website', 0, '' FROM account WHERE website_domain <> ''
"""

_PROPOSALS = """
CREATE TABLE proposal AS
WITH shared AS (
    SELECT domain FROM account_domain WHERE rule = 'contact_domain' GROUP BY domain HAVING count(*) >= {threshold}
), judged AS (
    SELECT provider_account_id, domain, CASE WHEN kind <> 'own_name' OR NOT is_verified THEN 0
        WHEN list = 'free_mail' THEN 1 WHEN list IN ('excluded', 'partner') THEN 2
        WHEN list = 'shared' OR shared.domain IS NOT NULL THEN 3 ELSE 4 END AS worth
    FROM customer_domain LEFT JOIN listed USING (domain) LEFT JOIN shared USING (domain)
), reason AS (
    SELECT provider_account_id, max(worth) AS worth FROM judged GROUP BY provider_account_id
), support AS (
    SELECT provider_account_id, count(DISTINCT account_id) FILTER (is_active AND NOT is_deleted) AS live,
        min(account_id) FILTER (is_active AND NOT is_deleted) AS account_id
    FROM judged JOIN account_domain USING (domain) JOIN account ON account.id = account_id
    WHERE worth = 4 GROUP BY provider_account_id
)
SELECT customer.id AS provider_account_id,
    CASE WHEN coalesce(live, 0) = 0 THEN 'none' WHEN live = 1 THEN 'one' ELSE 'conflict' END AS kind,
    CASE WHEN live = 1 THEN 'rule' WHEN live > 1 THEN 'several_accounts' WHEN live = 0 THEN 'inactive_account'
        WHEN worth = 4 THEN 'no_account' WHEN worth = 3 THEN 'shared_domain' WHEN worth = 2 THEN 'blocked_domain'
        WHEN worth = 1 THEN 'free_mail' WHEN worth = 0 THEN 'service_domain' ELSE 'no_domain' END AS reason,
    CASE WHEN live = 1 THEN account_id END AS account_id, coalesce(live, 0) AS accounts
FROM customer LEFT JOIN reason ON reason.provider_account_id = customer.id
    LEFT JOIN support ON support.provider_account_id = customer.id
"""


def save_facts(store: Store, folder: Path) -> Path:
    """Write what both sides start from to Parquet files, one a table."""
    for name, columns in _FACTS.items():
        with store.read() as connection:
            rows = connection.execution_options(yield_per=50_000).execute(sa.select(*columns))
            frame = pd.DataFrame(rows.all(), columns=[column.key for column in columns])
        with duckdb.connect() as connection:
            connection.register("frame", frame)
            connection.execute(f"COPY frame TO '{folder / name}.parquet'")
    return folder


def load_join_write(facts: Path, path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        for name in _FACTS:
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM '{facts / name}.parquet'")
        connection.execute(_INDEX)
        connection.execute(_PROPOSALS.format(threshold=MatchPolicy().shared_threshold))


def read_proposals(path: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path)) as connection:
        return connection.execute("SELECT * FROM proposal ORDER BY provider_account_id").fetchall()
