"""Lists of customers to sync, how a page fails, and what a sync leaves in the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from service.fakes import customer, pages_of, rows_of

from w365.source_records import CustomerPage
from w365.store import tables as t
from w365.store.db.engine import Store

WORDS = ("new", "changed", "unchanged", "gone", "returned", "rejected")
PA = t.ProviderAccount


def result(run: Any) -> dict[str, int]:
    """The counts that are not 0."""
    return {word: run.result[word] for word in WORDS if run.result.get(word)}


def many(count: int, **facts: Any) -> list[Any]:
    return [customer(f"p{number:02}", f"p{number:02}.com", **facts) for number in range(count)]


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def three_pages() -> list[CustomerPage]:
    listed = many(12)
    return pages_of(listed[:4], listed[4:8], listed[8:])


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """What the providers say and what is proposed for it, without ids and times."""
    pad, sub, work = t.ProviderAccountDomain, t.ProviderSubscription, t.Worklist
    return {
        "rows": rows_of(store, PA.specific_id, PA.name, PA.main_domain, PA.gone_at),
        "domains": rows_of(store, pad.domain, pad.kind, pad.is_default),
        "subscriptions": rows_of(store, sub.subscription_id, sub.quantity),
        "worklist": rows_of(store, work.specific_id, work.status, work.reason, work.seats),
        "words": rows_of(store, t.Word.subject, t.Word.word),
    }


def empty(store: Store) -> None:
    kept = {"provider", "connection", "listed_domain", "alembic_version"}
    with store.write() as connection:
        for table in reversed(t.Base.metadata.sorted_tables):
            if table.name not in kept:
                connection.execute(sa.delete(table))
