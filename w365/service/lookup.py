"""Find CRM accounts as an analyst types: by the beginnings of words in any order, by domain or by account number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.model import Actor, Cardinality, Role
from w365.service import Service
from w365.service.access import require
from w365.service.configuration import read_policy
from w365.store import tables as t
from w365.store.words import ACCOUNT, fold, ids_found_by, sort_key, terms

_MOST_HITS = 400


@dataclass(frozen=True, slots=True)
class Hit:
    """An account to choose from. `used_by` names a provider account it is mapped to where the policy is unique."""

    account_id: int
    name: str
    number: str
    city: str
    country: str
    domain: str
    is_active: bool
    score: float | None = None
    reasons: tuple[str, ...] = ()
    used_by: str = ""


def search_accounts(service: Service, actor: Actor, text: str, *, limit: int = 20) -> list[Hit]:
    """Rank accounts for what was typed: names that begin with it first, then shorter ones; no text finds nothing."""
    require(actor, Role.VIEWER)
    wanted = terms(text)
    if not wanted:
        return []
    with service.store.read() as connection:
        ids = _starting_with(connection, text) | _named(connection, text) | _having(connection, wanted)
        return _rank(read_hits(connection, sorted(ids)), text, limit)


def candidates_of(service: Service, actor: Actor, provider_account_id: int) -> list[Hit]:
    """The stored candidates of a provider account, the likeliest first, each with its reasons in words."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return read_candidates(connection, provider_account_id)


def read_candidates(connection: sa.Connection, provider_account_id: int) -> list[Hit]:
    table = t.CurrentCandidate
    query = sa.select(table.account_id, table.score, table.signals).where(
        table.provider_account_id == provider_account_id
    )
    rows = connection.execute(query.order_by(table.rank)).all()
    reasons = {row.account_id: (row.score, tuple(text for _, _, text in row.signals)) for row in rows}
    return read_hits(connection, [row.account_id for row in rows], reasons)


def read_hits(
    connection: sa.Connection, ids: Sequence[int], reasons: dict[int, tuple[float, tuple[str, ...]]] | None = None
) -> list[Hit]:
    """Read these accounts in this order; deleted ones are left out."""
    account = t.Account
    columns = (
        account.id,
        account.name,
        account.number,
        account.city,
        account.country,
        account.website_domain,
        account.email_domain,
        account.is_active,
    )
    rows = connection.execute(sa.select(*columns).where(account.id.in_(ids), ~account.is_deleted))
    used = _used_by(connection, ids)
    told = reasons or {}
    found = {}
    for row in rows:
        score, texts = told.get(row.id, (None, ()))
        found[row.id] = Hit(
            row.id,
            row.name,
            row.number,
            row.city,
            row.country,
            row.website_domain or row.email_domain,
            row.is_active,
            score,
            texts,
            used.get(row.id, ""),
        )
    return [found[one] for one in ids if one in found]


def _starting_with(connection: sa.Connection, text: str) -> set[int]:
    key = sort_key(text)
    query = sa.select(t.Account.id).where(t.Account.name_key >= key, t.Account.name_key < key + "\U0010ffff")
    return set(connection.scalars(query.order_by(t.Account.name_key).limit(_MOST_HITS)))


def _named(connection: sa.Connection, text: str) -> set[int]:
    """Accounts with exactly this number or domain, however many others begin like it."""
    query = sa.select(t.Word.id).where(t.Word.subject == ACCOUNT, t.Word.word == fold(text))
    return set(connection.scalars(query.limit(_MOST_HITS)))


def _having(connection: sa.Connection, wanted: Sequence[str]) -> set[int]:
    longest, *others = sorted(wanted, key=len, reverse=True)
    found = ids_found_by(ACCOUNT, longest).subquery()
    query = sa.select(found.c.id).distinct()
    for term in others:
        query = query.where(found.c.id.in_(ids_found_by(ACCOUNT, term)))
    return set(connection.scalars(query.limit(_MOST_HITS)))


def _rank(hits: list[Hit], text: str, limit: int) -> list[Hit]:
    """Exact hits, then names that begin with the text, then names with all its words; a city counts least."""
    key = fold(text)

    def place(hit: Hit) -> tuple[bool, bool, bool, int, str, int]:
        name = fold(hit.name)
        exact = key in (name, fold(hit.number), hit.domain)
        in_name = all(any(word.startswith(term) for word in name.split()) for term in key.split())
        return not exact, not name.startswith(key), not in_name, len(name), name, hit.account_id

    return sorted(hits, key=place)[:limit]


def _used_by(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """Under a unique default policy, by whom each account is taken already."""
    if read_policy(connection).cardinality is Cardinality.MANY:
        return {}
    pa, mapping = t.ProviderAccount, t.Mapping
    query = sa.select(mapping.account_id, pa.name).join(pa, pa.id == mapping.provider_account_id)
    return {row.account_id: row.name for row in connection.execute(query.where(mapping.account_id.in_(ids)))}
