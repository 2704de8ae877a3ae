"""The match, as set-based SQL that runs inside SQLite and PostgreSQL alike.

Evidence is the join of `provider_account_domain` with `account_domain` under the rules (product rules 1 to 4);
proposals are made from it for all rows or for those in `touched`; `would_map` selects the proposals of one account,
which Auto-Match maps.
A naive implementation of the same rules stands in `tests/matching/oracle.py`; both must agree.
"""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa

from w365.model import Cardinality, Disposition, Guard, MatchPolicy, Proposal, Reason
from w365.store import tables as t
from w365.store.db.bulk_insert import chunks, write_differing
from w365.store.matching.cardinality import any_unique, is_taken, must_not_share, own_policy
from w365.store.matching.evidence import KEPT_STATEMENTS, NO_VALUES, Values, Which, evidence_of, facts_of
from w365.store.matching.guard_inputs import judge_rows, select_guard_inputs
from w365.store.matching.rule_proposals import propose_by_rules

_work = sa.MetaData()
_fresh = sa.Table(
    "fresh",
    _work,
    sa.Column("provider_account_id", t.Id, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(10)),
    sa.Column("reason", sa.String(20)),
    sa.Column("account_id", t.Id),
    sa.Column("accounts", t.Id),
    sa.Index("ix_fresh_account", "account_id"),
    prefixes=["TEMPORARY"],
)
"""Proposals being made; a temporary table of the connection."""

_competing = sa.Table(
    "competing",
    _work,
    sa.Column("provider_account_id", t.Id, primary_key=True, autoincrement=False),
    prefixes=["TEMPORARY"],
)
"""Rows to propose for, with their rivals; likewise."""

_COLUMNS = ("provider_account_id", "kind", "reason", "account_id", "accounts")
_ALL_FRESH = sa.select(*(_fresh.c[name] for name in _COLUMNS))
_ALL_COMPETING = sa.select(_competing.c.provider_account_id)
_ANY = sa.select(t.CurrentProposal.provider_account_id).limit(1)


def _make_tables(connection: sa.Connection) -> None:
    for statement in _making(connection.dialect):
        connection.exec_driver_sql(statement)


@functools.lru_cache(maxsize=4)
def _making(dialect: sa.Dialect) -> tuple[str, ...]:
    tables = _work.sorted_tables
    indexes = [index for table in tables for index in table.indexes]
    made: list[sa.schema.ExecutableDDLElement] = [
        *(sa.schema.CreateTable(table, if_not_exists=True) for table in tables),
        *(sa.schema.CreateIndex(index, if_not_exists=True) for index in indexes),
    ]
    return tuple(str(statement.compile(dialect=dialect)) for statement in made)


def refresh_proposals(connection: sa.Connection, policy: MatchPolicy, which: Which, values: Values = NO_VALUES) -> None:
    """Bring `proposal` up to date for these rows; rows whose proposal stays are not written.

    Under a unique policy `which` must hold every row that competes for the same accounts (`with_rivals`).
    """
    dialect, is_first = connection.dialect.name, which is None and connection.scalar(_ANY) is None
    is_unique = any_unique(connection, policy)
    if not is_unique and not policy.guards:
        connection.execute(_writing(dialect, propose_by_rules(policy, which), is_first=is_first), values or None)
        return
    _make_tables(connection)
    connection.execute(sa.delete(_fresh))
    connection.execute(_into_fresh(policy, which), values or None)
    # Cardinality before the guards: a conflict is for a person anyway and need not be doubted.
    if is_unique:
        _apply_cardinality(connection, policy)
    if policy.guards:
        _hold_back(connection, policy)
    connection.execute(_writing(dialect, _ALL_FRESH, is_first=is_first))


@functools.cache
def would_map() -> sa.Select[int, int | None]:
    """Select (provider account, account) of every mapping that auto-match would write now."""
    pa, proposal, mapping, order = t.ProviderAccount, t.CurrentProposal, t.Mapping, t.StandingOrder
    return (
        sa.select(proposal.provider_account_id, proposal.account_id)
        .join(pa, pa.id == proposal.provider_account_id)
        .where(
            proposal.kind == Proposal.ONE,
            pa.gone_at.is_(None),
            ~sa.exists().where(mapping.provider_account_id == pa.id),
            ~sa.exists().where(order.provider_account_id == pa.id),
        )
    )


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _into_fresh(policy: MatchPolicy, which: Which) -> sa.Insert:
    return sa.insert(_fresh).from_select(_COLUMNS, propose_by_rules(policy, which))


# --- cardinality (product rule 7) ---


def with_rivals(
    connection: sa.Connection, policy: MatchPolicy, which: Which, values: Values = NO_VALUES
) -> tuple[Which, Values]:
    """Add the rows that point to the accounts these did or do now point to: under a unique policy they are rivals.

    The result holds until the next call on this connection.
    """
    if which is None or not any_unique(connection, policy):
        return which, values
    _make_tables(connection)
    connection.execute(sa.delete(_competing))
    connection.execute(_into_competing(which), values or None)
    connection.execute(_add_rivals(policy))
    return _ALL_COMPETING, NO_VALUES


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _into_competing(which: sa.Select[int]) -> sa.Insert:
    return sa.insert(_competing).from_select(["provider_account_id"], which.distinct())


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _add_rivals(policy: MatchPolicy) -> sa.Insert:
    before = sa.select(t.CurrentProposal.account_id).where(t.CurrentProposal.provider_account_id.in_(_ALL_COMPETING))
    facts = facts_of(policy, _ALL_COMPETING)
    accounts = before.union(sa.select(facts.c.account_id)).subquery()
    rivals = sa.select(t.CurrentProposal.provider_account_id).where(
        t.CurrentProposal.account_id.in_(sa.select(accounts.c.account_id)),
        t.CurrentProposal.provider_account_id.not_in(_ALL_COMPETING),
    )
    return sa.insert(_competing).from_select(["provider_account_id"], rivals)


def breaching_mappings(policy: MatchPolicy) -> sa.Select[int, int]:
    """Select (provider account, account) of mappings that share their account against the policy; they stay."""
    pa, provider, mapping, default = t.ProviderAccount, t.Provider, t.Mapping, policy.cardinality
    return (
        sa.select(mapping.provider_account_id, mapping.account_id)
        .join(pa, pa.id == mapping.provider_account_id)
        .join(provider, provider.id == pa.provider_id)
        .where(own_policy(default) != Cardinality.MANY, is_taken(default, mapping.account_id, pa.id))
    )


def _apply_cardinality(connection: sa.Connection, policy: MatchPolicy) -> None:
    """Make conflicts of the proposals whose account another row holds, or wants too."""
    # Both are read before either is written: a conflict is no proposal of one account any more.
    contested = connection.scalars(_contested(policy)).all()
    taken = connection.scalars(_taken(policy)).all()
    for ids, reason in ((contested, Reason.CONTESTED), (taken, Reason.ACCOUNT_TAKEN)):
        for part in chunks(ids):
            conflict = sa.update(_fresh).where(_fresh.c.provider_account_id.in_(part))
            connection.execute(conflict.values(kind=Proposal.CONFLICT, reason=reason))


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _taken(policy: MatchPolicy) -> sa.Select[int]:
    return _proposed().where(is_taken(policy.cardinality, _fresh.c.account_id, t.ProviderAccount.id))


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _contested(policy: MatchPolicy) -> sa.Select[int]:
    """Of two open rows that want one account neither gets it; one that is gone or excluded wants nothing."""
    pa, mapping, order = t.ProviderAccount, t.Mapping, t.StandingOrder
    other, their_pa = _fresh.alias("other"), sa.orm.aliased(pa)
    rivals = _proposed().join(other, other.c.account_id == _fresh.c.account_id)
    rivals = rivals.join(their_pa, their_pa.id == other.c.provider_account_id)
    return rivals.where(
        their_pa.id != pa.id,
        their_pa.gone_at.is_(None),
        ~sa.exists().where(mapping.provider_account_id == pa.id),
        ~sa.exists().where(mapping.provider_account_id == their_pa.id),
        ~sa.exists().where(order.provider_account_id == their_pa.id, order.kind == Disposition.EXCLUDED),
        must_not_share(policy.cardinality, their_pa),
    ).distinct()


def _proposed() -> sa.Select[int]:
    """Select the fresh proposals of one account, with their provider account and its provider."""
    pa, provider = t.ProviderAccount, t.Provider
    query = sa.select(_fresh.c.provider_account_id).join(pa, pa.id == _fresh.c.provider_account_id)
    return query.join(provider, provider.id == pa.provider_id).where(_fresh.c.kind == Proposal.ONE)


# --- guards ---


def _hold_back(connection: sa.Connection, policy: MatchPolicy) -> None:
    """Leave to a person what a guard doubts: no proposal any more, with the doubted account still named."""
    held: dict[Guard, list[int]] = {}
    rows = connection.execute(_doubtful()).all()
    for part in chunks(rows, 500):
        evidence = evidence_of(connection, policy, [row.provider_account_id for row in part])
        for row_id, guard in judge_rows(connection, part, evidence, policy.guards):
            held.setdefault(guard, []).append(row_id)
    for guard, ids in held.items():
        for part in chunks(ids):
            doubted = sa.update(_fresh).where(_fresh.c.provider_account_id.in_(part))
            connection.execute(doubted.values(kind=Proposal.NONE, reason=Reason(guard.value)))


@functools.cache
def _doubtful() -> sa.Select[*tuple[Any, ...]]:
    return select_guard_inputs(_fresh.c.provider_account_id, _fresh.c.account_id, _fresh.c.kind)


@functools.lru_cache(maxsize=KEPT_STATEMENTS)
def _writing(dialect: str, proposals: sa.Select[*tuple[Any, ...]], *, is_first: bool) -> sa.Insert:
    if is_first:  # nothing to compare with: measured on PostgreSQL, 1,000,000 rows in 7.6 s instead of 9.1
        return sa.insert(t.CurrentProposal).from_select(_COLUMNS, proposals)
    return write_differing(dialect, t.CurrentProposal, _COLUMNS, proposals)
