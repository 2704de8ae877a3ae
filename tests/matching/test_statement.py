"""The set-based statement against the naive oracle, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import oracle
import pytest
import sqlalchemy as sa
from examples import EXAMPLES, GUARDED, Example
from hypothesis import given, settings
from oracle import World
from world_store import NOW, load
from worlds import worlds

from w365.model import MatchPolicy, Proposal, RunKind, RunState
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.deciding.decisions import auto_match
from w365.store.matching.dirty_rows import touch_rows, touched_or_all
from w365.store.matching.evidence import Which, evidence_of
from w365.store.matching.proposals import refresh_proposals
from w365.store.matching.refresh_derived import refresh_with_rivals

RULES = EXAMPLES | GUARDED


@contextmanager
def world_in(store: Store, world: World) -> Iterator[sa.Connection]:
    """A transaction that holds nothing but this world, and is undone."""
    with store.engine.connect() as connection:
        writing = connection.execution_options(w365_write=True)
        with writing.begin() as transaction:
            load(writing, world)
            yield writing
            transaction.rollback()


def answers(connection: sa.Connection) -> dict[int, tuple[str, str, int | None, int]]:
    table = t.CurrentProposal
    query = sa.select(table.provider_account_id, table.kind, table.reason, table.account_id, table.accounts)
    return {row[0]: tuple(row[1:]) for row in connection.execute(query)}


def expected(world: World) -> dict[int, tuple[str, str, int | None, int]]:
    """The oracle's answers in the table's form: a lost account stays named, for whoever competes for it."""
    found = {}
    for row_id, answer in oracle.propose(world).items():
        only = next(iter(answer.supporting)) if len(answer.supporting) == 1 else None
        account_id = None if answer.proposal is Proposal.NONE else only
        found[row_id] = (answer.proposal.value, answer.reason.value, account_id, len(answer.supporting))
    return found


@pytest.mark.parametrize("which", [None, sa.select(t.ProviderAccount.id)], ids=["all rows", "some rows"])
@pytest.mark.parametrize("of", RULES.values(), ids=RULES)
def test_the_statements_know_the_rules(sqlite_store: Store, of: Example, which: Which) -> None:
    with world_in(sqlite_store, of.world) as connection:
        check(connection, of, which)


@pytest.mark.postgres
@pytest.mark.parametrize("which", [None, sa.select(t.ProviderAccount.id)], ids=["all rows", "some rows"])
@pytest.mark.parametrize("of", RULES.values(), ids=RULES)
def test_the_statements_know_the_rules_on_postgresql(postgres_store: Store, of: Example, which: Which) -> None:
    with world_in(postgres_store, of.world) as connection:
        check(connection, of, which)


def check(connection: sa.Connection, of: Example, which: Which) -> None:
    """Settle these rows and match, and compare with what the example says must come of it."""
    refresh_with_rivals(connection, of.world.policy, which)
    if not of.world.policy.guards:
        assert answers(connection) == expected(of.world)
    assert pairs(connection, t.CurrentProposal.provider_account_id, t.CurrentProposal.reason) == of.reasons
    statuses = pairs(connection, t.Worklist.provider_account_id, t.Worklist.status)
    assert statuses.items() >= of.statuses.items()
    drifts = pairs(connection, t.Worklist.provider_account_id, t.Worklist.drift)
    assert drifts.items() >= of.drifts.items()
    start_run(connection, 1)
    assert auto_match(connection, of.world.policy, 1, "run", NOW) == len(of.mapped)
    assert mappings(connection) == {**of.world.mappings, **of.mapped}


@given(world=worlds())
@settings(max_examples=80)
def test_the_statement_proposes_what_the_oracle_proposes(sqlite_store: Store, world: World) -> None:
    with world_in(sqlite_store, world) as connection:
        refresh_proposals(connection, world.policy, None)
        assert answers(connection) == expected(world)


@pytest.mark.postgres
@given(world=worlds())
@settings(max_examples=40)
def test_the_statement_proposes_the_same_on_postgresql(postgres_store: Store, world: World) -> None:
    with world_in(postgres_store, world) as connection:
        refresh_proposals(connection, world.policy, None)
        assert answers(connection) == expected(world)


@given(world=worlds())
@settings(max_examples=25)
def test_auto_match_writes_what_the_oracle_writes_and_then_nothing(sqlite_store: Store, world: World) -> None:
    with world_in(sqlite_store, world) as connection:
        refresh_proposals(connection, world.policy, None)
        for run_id, added in ((1, oracle.auto_match(world)), (2, {})):
            start_run(connection, run_id)
            assert auto_match(connection, world.policy, run_id, "run", NOW) == len(added)
            assert mappings(connection) == {**world.mappings, **oracle.auto_match(world)}


@given(world=worlds())
@settings(max_examples=20)
def test_the_database_derives_the_status_the_oracle_derives(sqlite_store: Store, world: World) -> None:
    with world_in(sqlite_store, world) as connection:
        refresh_with_rivals(connection, world.policy, None)
        found = pairs(connection, t.Worklist.provider_account_id, t.Worklist.status)
        proposed = oracle.propose(world)
        rows = {row.id: oracle.status(world, row, proposed[row.id]).value for row in world.provider_accounts}
        assert found == rows


@given(world=worlds())
@settings(max_examples=20)
def test_every_automatic_mapping_keeps_the_evidence_that_made_it(sqlite_store: Store, world: World) -> None:
    with world_in(sqlite_store, world) as connection:
        refresh_proposals(connection, world.policy, None)
        start_run(connection, 1)
        auto_match(connection, world.policy, 1, "run", NOW)
        table, decision = t.DecisionEvidence, t.Decision
        kept: dict[int, set[tuple[str, str]]] = {}
        query = sa.select(decision.provider_account_id, table.rule, table.domain).join(
            table, table.decision_id == decision.id
        )
        for row in connection.execute(query):
            kept.setdefault(row[0], set()).add((row.rule, row.domain))
        facts = evidence_of(connection, world.policy, [row.id for row in world.provider_accounts])
        for row_id, account_id in oracle.auto_match(world).items():
            assert kept[row_id] == {(fact.rule.value, fact.domain) for fact in facts[row_id][account_id]}


@given(world=worlds())
@settings(max_examples=25)
def test_proposing_again_writes_no_row(sqlite_store: Store, world: World) -> None:
    with world_in(sqlite_store, world) as connection:
        refresh_with_rivals(connection, world.policy, None)
        connection.exec_driver_sql("CREATE TEMP TABLE written (name)")
        for table in ("proposal", "worklist"):
            on = f"CREATE TEMP TRIGGER seen_{table} AFTER UPDATE ON {table}"
            connection.exec_driver_sql(f"{on} BEGIN INSERT INTO written VALUES ('{table}'); END")
        refresh_with_rivals(connection, world.policy, None)
        assert connection.scalar(sa.text("SELECT count(*) FROM written")) == 0


@pytest.mark.postgres
@given(world=worlds())
@settings(max_examples=5)
def test_on_postgresql_proposing_again_does_not_even_lock_a_row(postgres_store: Store, world: World) -> None:
    with world_in(postgres_store, world) as connection:
        refresh_with_rivals(connection, world.policy, None)
        refresh_with_rivals(connection, world.policy, None)
        for table in ("proposal", "worklist"):
            assert connection.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE xmax::text <> '0'")) == 0


@pytest.mark.postgres
def test_on_postgresql_a_large_match_counts_its_mappings_for_people_and_for_the_planner(postgres_store: Store) -> None:
    contoso = (oracle.WorldDomain("contoso.com"),)
    rows = tuple(oracle.WorldProviderAccount(at, 1, contoso) for at in range(1, 1_101))
    account = oracle.WorldAccount(1, email_domain="contoso.com")
    world = World(rows, (account,), policy=MatchPolicy(auto_match=True))
    with world_in(postgres_store, world) as connection:
        refresh_proposals(connection, world.policy, None)
        start_run(connection, 1)
        assert auto_match(connection, world.policy, 1, "run", NOW) == len(rows)
        known = connection.exec_driver_sql("SELECT attname FROM pg_stats WHERE tablename = 'decision'")
        assert "run_id" in known.scalars().all()


def check_automatic(store: Store) -> None:
    """An automatic mapping is kept with the decision that made it, its evidence and its run."""
    row = oracle.WorldProviderAccount(1, 1, (oracle.WorldDomain("contoso.com"),))
    world = World((row,), (oracle.WorldAccount(1, email_domain="contoso.com"),), policy=MatchPolicy(auto_match=True))
    with world_in(store, world) as connection:
        if not store.is_sqlite:
            connection.exec_driver_sql("SELECT setval(pg_get_serial_sequence('decision', 'id'), 5000)")
        refresh_proposals(connection, world.policy, None)
        start_run(connection, 1)
        assert auto_match(connection, world.policy, 1, "run", NOW) == 1
        decision, mapping, evidence = t.Decision, t.Mapping, t.DecisionEvidence
        kept = sa.select(decision.kind, decision.run_id, decision.old_account_id, mapping.account_id, mapping.origin)
        kept = kept.add_columns(mapping.against_evidence, evidence.rule, evidence.domain)
        kept = kept.join(mapping, mapping.decision_id == decision.id)
        kept = kept.join(evidence, evidence.decision_id == decision.id)
        assert connection.execute(kept).all() == [("map", 1, None, 1, "auto", False, "account_email", "contoso.com")]
        assert connection.scalar(sa.select(sa.func.count()).select_from(t.StandingBefore)) == 0


def test_an_automatic_mapping_is_kept_with_its_decision_and_evidence(sqlite_store: Store) -> None:
    check_automatic(sqlite_store)


@pytest.mark.postgres
def test_an_automatic_mapping_is_kept_with_its_decision_and_evidence_on_postgresql(postgres_store: Store) -> None:
    check_automatic(postgres_store)


def test_a_match_of_all_rows_reads_the_domains_in_order_from_one_index(sqlite_store: Store) -> None:
    asked: list[tuple[str, tuple[Any, ...]]] = []
    with world_in(sqlite_store, World()) as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *about: asked.append((about[2], about[3])))
        refresh_proposals(connection, MatchPolicy(), None)
        statement, values = asked[-1]
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert "SCAN provider_account_domain USING COVERING INDEX ix_provider_account_domain_match" in plan


@pytest.mark.parametrize(
    ("count", "customers", "are_all"),
    [(999, 1_500, False), (1_000, 1_500, True), (1_050, 2_100, False), (1_051, 2_100, True)],
)
def test_of_many_touched_rows_that_are_most_all_are_settled(
    sqlite_store: Store, count: int, customers: int, *, are_all: bool
) -> None:
    rows = tuple(oracle.WorldProviderAccount(at, 1) for at in range(1, customers + 1))
    with world_in(sqlite_store, World(rows)) as connection:
        connection.execute(sa.delete(t.Touched))
        touch_rows(connection, sa.select(t.ProviderAccount.id).where(t.ProviderAccount.id <= count))
        assert (touched_or_all(connection) is None) is are_all


def start_run(connection: sa.Connection, run_id: int) -> None:
    values = {"id": run_id, "kind": RunKind.MATCH, "target": "all", "state": RunState.DONE, "actor": "run"}
    connection.execute(sa.insert(t.Run).values(**values, requested_at=NOW, result={}))


def mappings(connection: sa.Connection) -> dict[int, int]:
    return pairs(connection, t.Mapping.provider_account_id, t.Mapping.account_id)


def pairs(connection: sa.Connection, key: sa.SQLColumnExpression[int], value: Any) -> dict[int, Any]:
    return {row[0]: row[1] for row in connection.execute(sa.select(key, value))}
