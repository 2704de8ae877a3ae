"""What a plan of mappings asks the database: the rows, accounts, holders and rejections that its lines speak of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.matching.messages import say_evidence
from w365.model import Cardinality, DecisionKind, Evidence
from w365.store import tables as t
from w365.store.reading.search_index import sort_key


@dataclass(frozen=True, slots=True)
class Named:
    """An account that a text names."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A provider account, what it is mapped to and its disposition."""

    id: int
    provider_id: int
    specific_id: str
    name: str
    account_id: int | None
    account: str
    disposition: str


def read_standings(
    connection: sa.Connection, provider_ids: Iterable[int], specific_ids: Iterable[str]
) -> Mapping[tuple[int, str], Standing]:
    """Read provider accounts by provider and id."""
    pa, mapping, order = t.ProviderAccount, t.Mapping, t.StandingOrder
    query = (
        sa.select(
            pa.id,
            pa.provider_id,
            pa.specific_id,
            pa.name,
            mapping.account_id,
            sa.func.coalesce(t.Account.name, ""),
            sa.func.coalesce(order.kind, ""),
        )
        .outerjoin_from(pa, mapping, mapping.provider_account_id == pa.id)
        .outerjoin(t.Account, t.Account.id == mapping.account_id)
        .outerjoin(order, order.provider_account_id == pa.id)
        .where(pa.specific_id.in_(set(specific_ids)), pa.provider_id.in_(set(provider_ids)))
    )
    found = (Standing(*row) for row in connection.execute(query))
    return {(one.provider_id, one.specific_id): one for one in found}


class Accounts:
    """The accounts that texts name: by id, else by number, else by a name that only one has."""

    def __init__(self, connection: sa.Connection, texts: set[str]) -> None:
        account = t.Account
        columns = (account.id, account.name, account.is_deleted)
        self._by: list[dict[str, list[tuple[Named, bool]]]] = []
        for column, how in ((account.crm_id, _as_id), (account.number, str), (account.name_key, sort_key)):
            query = sa.select(column, *columns).where(column.in_({how(text) for text in texts}))
            found: dict[str, list[tuple[Named, bool]]] = {}
            for key, account_id, name, is_deleted in connection.execute(query):
                found.setdefault(key, []).append((Named(account_id, name), is_deleted))
            self._by.append(found)

    def find(self, text: str) -> Named | str:
        """The account, or why there is none."""
        keys = (_as_id(text), text, sort_key(text))
        found = next((by[key] for by, key in zip(self._by, keys, strict=True) if key in by), [])
        here = [account for account, is_deleted in found if not is_deleted]
        if len(here) == 1:
            return here[0]
        if here:
            return f"is the number or name of {len(here)} accounts; name the account by its id"
        return "is deleted in the CRM" if found else "is no account in the CRM"


class Holders:
    """Who is mapped to an account, with the lines judged so far: for the policies that allow one only."""

    def __init__(self) -> None:
        self._of: dict[int, dict[int, tuple[int, str]]] = {}

    def read(self, connection: sa.Connection, account_ids: set[int]) -> None:
        new = account_ids - self._of.keys()
        self._of.update({one: {} for one in new})
        pa, mapping = t.ProviderAccount, t.Mapping
        query = sa.select(mapping.account_id, pa.id, pa.provider_id, pa.name)
        query = query.join(pa, pa.id == mapping.provider_account_id).order_by(mapping.decision_id)
        for account_id, row_id, provider_id, name in connection.execute(query.where(mapping.account_id.in_(new))):
            self._of[account_id][row_id] = (provider_id, name)

    def holder_of(self, account_id: int, provider_id: int, row_id: int, rule: Cardinality) -> str:
        if rule is Cardinality.MANY:
            return ""
        others = (held for holder, held in self._of[account_id].items() if holder != row_id)
        return next((name for at, name in others if rule is Cardinality.UNIQUE or at == provider_id), "")

    def move(self, row: Standing, account_id: int) -> None:
        if row.account_id is not None:
            self._of.get(row.account_id, {}).pop(row.id, None)
        self._of[account_id][row.id] = (row.provider_id, row.name)


def _as_id(text: str) -> str:
    return text.strip("{}").lower()


def rejected_by_people(connection: sa.Connection, ids: Sequence[int]) -> Mapping[tuple[int, int], str]:
    """Pairs that a person said are not the same, with who did.

    Clearing an automatic mapping rejects its pair too, but only to keep the match from writing it again.
    """
    rejection, decision = t.Rejection, t.Decision
    query = sa.select(rejection.provider_account_id, rejection.account_id, decision.actor)
    query = query.join(decision, decision.id == rejection.decision_id)
    where = (rejection.provider_account_id.in_(ids), decision.kind == DecisionKind.REJECT)
    return {(row_id, account_id): actor for row_id, account_id, actor in connection.execute(query.where(*where))}


def names_of(connection: sa.Connection, account_ids: set[int]) -> Mapping[int, str]:
    query = sa.select(t.Account.id, t.Account.name).where(t.Account.id.in_(account_ids))
    return {row.id: row.name for row in connection.execute(query)}


def say_support(supported: Mapping[int, Sequence[Evidence]], names: Mapping[int, str]) -> str:
    return "; ".join(
        f"{names[one]}: {', '.join(say_evidence(fact) for fact in facts)}" for one, facts in supported.items()
    )
