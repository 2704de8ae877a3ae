"""What the lines of a file of mappings speak of: provider accounts, CRM accounts, and what is known of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.model import DecisionKind, Evidence, MatchPolicy
from w365.store import tables as t
from w365.store.matching.cardinality import read_apart
from w365.store.matching.evidence import evidence_of
from w365.store.reading.search_index import sort_key


@dataclass(frozen=True, slots=True)
class Providers:
    """Providers by id and by folded name; `apart` are pairs of which the first must not share with the second."""

    names: Mapping[int, str]
    ids: Mapping[str, int]
    apart: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A provider account with its version, what it is mapped to ("" for nothing) and its disposition ("" for open)."""

    id: int
    provider_id: int
    specific_id: str
    name: str
    version: int
    account_id: int | None
    account: str
    disposition: str


@dataclass(frozen=True, slots=True)
class Doubts:
    """Of some provider accounts: the evidence, the names of its accounts, and who rejected which pair."""

    evidence: Mapping[int, Mapping[int, tuple[Evidence, ...]]]
    names: Mapping[int, str]
    rejected_by: Mapping[tuple[int, int], str]


def read_providers(connection: sa.Connection, policy: MatchPolicy) -> Providers:
    rows = connection.execute(sa.select(t.Provider.id, t.Provider.name)).all()
    ids = {row.name.casefold(): int(row.id) for row in rows}
    return Providers({int(row.id): row.name for row in rows}, ids, read_apart(connection, policy))


def read_known(
    connection: sa.Connection, provider_ids: Iterable[int], specific_ids: Iterable[str]
) -> Mapping[tuple[int, str], KnownRow]:
    """Read provider accounts by provider and id."""
    pa, mapping, order = t.ProviderAccount, t.Mapping, t.StandingOrder
    version = sa.select(sa.func.coalesce(sa.func.max(t.Decision.id), 0)).where(t.Decision.provider_account_id == pa.id)
    columns = (pa.id, pa.provider_id, pa.specific_id, pa.name, version.scalar_subquery(), mapping.account_id)
    query = (
        sa.select(*columns, sa.func.coalesce(t.Account.name, ""), sa.func.coalesce(order.kind, ""))
        .outerjoin_from(pa, mapping, mapping.provider_account_id == pa.id)
        .outerjoin(t.Account, t.Account.id == mapping.account_id)
        .outerjoin(order, order.provider_account_id == pa.id)
        .where(pa.specific_id.in_(set(specific_ids)), pa.provider_id.in_(set(provider_ids)))
    )
    rows = (KnownRow(*values) for values in connection.execute(query))
    return {(row.provider_id, row.specific_id): row for row in rows}


class Accounts:
    """The accounts that texts name: by id, else by number, else by a name that only one has."""

    def __init__(self, connection: sa.Connection, texts: set[str]) -> None:
        self._by: list[tuple[Callable[[str], str], dict[str, list[tuple[int, str, bool]]]]] = []
        account = t.Account
        ways: tuple[tuple[sa.SQLColumnExpression[str], Callable[[str], str]], ...] = (
            (account.crm_id, _as_id),
            (account.number, str),
            (account.name_key, sort_key),
        )
        for column, as_key in ways:
            query = sa.select(column, account.id, account.name, account.is_deleted)
            by_key: dict[str, list[tuple[int, str, bool]]] = {}
            for key, account_id, name, is_deleted in connection.execute(
                query.where(column.in_({as_key(text) for text in texts}))
            ):
                by_key.setdefault(key, []).append((account_id, name, is_deleted))
            self._by.append((as_key, by_key))

    def find(self, text: str) -> tuple[int, str] | str:
        """The id and name of the account, or why there is none."""
        named = next((by[as_key(text)] for as_key, by in self._by if as_key(text) in by), [])
        here = [(account_id, name) for account_id, name, is_deleted in named if not is_deleted]
        if len(here) == 1:
            return here[0]
        if here:
            return f"is the number or name of {len(here)} accounts; name the account by its id"
        return "is deleted in the CRM" if named else "is no account in the CRM"


def _as_id(text: str) -> str:
    return text.strip("{}()").lower()


def read_doubts(connection: sa.Connection, policy: MatchPolicy, ids: Sequence[int]) -> Doubts:
    """Read what speaks for or against accounts of these provider accounts.

    Clearing an automatic mapping rejects its pair too, but only to keep the match from writing it again.
    """
    evidence = evidence_of(connection, policy, ids)
    account, rejection, decision = t.Account, t.Rejection, t.Decision
    supported = {account_id for accounts in evidence.values() for account_id in accounts}
    names = connection.execute(sa.select(account.id, account.name).where(account.id.in_(supported)))
    query = sa.select(rejection.provider_account_id, rejection.account_id, decision.actor)
    query = query.join(decision, decision.id == rejection.decision_id)
    query = query.where(rejection.provider_account_id.in_(ids), decision.kind == DecisionKind.REJECT)
    rejected_by = {(row[0], row[1]): row[2] for row in connection.execute(query)}
    return Doubts(evidence, {row.id: row.name for row in names}, rejected_by)


def read_holding(connection: sa.Connection, account_ids: set[int]) -> list[tuple[int, int, int, str]]:
    """Read who is mapped to these accounts, the first first: (account, provider account, its provider, its name)."""
    pa, mapping = t.ProviderAccount, t.Mapping
    query = sa.select(mapping.account_id, pa.id, pa.provider_id, pa.name)
    query = query.join(pa, pa.id == mapping.provider_account_id).where(mapping.account_id.in_(account_ids))
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query.order_by(mapping.decision_id))]
