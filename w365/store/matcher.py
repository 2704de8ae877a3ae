"""The match, as set-based SQL that runs inside SQLite and PostgreSQL alike.

Evidence is the join of `provider_account_domain` with `account_domain` under the rules (product rules 1 to 4);
proposals are made from it for all rows or for those in `touched`; auto-match writes mappings for proposals of one
account.
A naive implementation of the same rules stands in `tests/matching/oracle.py`; both must agree.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from w365.model import (
    Cardinality,
    DecisionKind,
    Disposition,
    Guard,
    MatchPolicy,
    Origin,
    Proposal,
    Reason,
)
from w365.store import tables as t
from w365.store.bulk import chunks, upsert_into
from w365.store.doubts import doubtful, judge_rows
from w365.store.evidence import WITHOUT_FACTS, Which, constant, evidence_of, facts_of, is_in, live, reach_of

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

_wanted = sa.Table(
    "wanted",
    _work,
    sa.Column("provider_account_id", t.Id, primary_key=True, autoincrement=False),
    prefixes=["TEMPORARY"],
)
"""Rows to propose for, with their rivals; likewise."""

_MANY = 1_000
"""So many touched rows cost more than counting all there are."""

_COLUMNS = ("provider_account_id", "kind", "reason", "account_id", "accounts")


def touch(connection: sa.Connection, ids: sa.Select[int] | sa.CompoundSelect[int]) -> None:
    """Remember that the facts of these provider accounts changed."""
    # Without a WHERE, SQLite would read ON CONFLICT as a join's condition (sqlite.org/lang_upsert.html).
    rows = sa.select(ids.subquery().c[0]).where(sa.true()).distinct()
    insert = upsert_into(connection, t.Touched.__table__).from_select(["provider_account_id"], rows)
    connection.execute(insert.on_conflict_do_nothing())


def touched() -> sa.Select[int]:
    return sa.select(t.Touched.provider_account_id)


def touched_or_all(connection: sa.Connection) -> Which:
    """What is touched; all, where that is most of it, as after a first sync or a changed rule.

    One walk along all rows takes half of what as many rows looked up one by one do, measured at 1,000,000.
    """
    count = connection.execute(sa.select(sa.func.count()).select_from(t.Touched)).scalar_one()
    if count < _MANY:
        return touched()
    customers = connection.execute(sa.select(sa.func.count()).select_from(t.ProviderAccount)).scalar_one()
    return None if count * 2 > customers else touched()


def expect_touched(connection: sa.Connection) -> None:
    """Tell PostgreSQL's planner how many rows are touched just now.

    By its last count of this table it may read whole tables for a hundred rows.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE touched")


def reached_by(account_ids: Sequence[int]) -> sa.CompoundSelect[int]:
    """Select the provider accounts that these CRM accounts' domains, GUIDs, names, mappings or proposals reach."""
    by_domain = (
        sa.select(t.ProviderAccountDomain.provider_account_id)
        .join(t.AccountDomain, t.AccountDomain.domain == t.ProviderAccountDomain.domain)
        .where(t.AccountDomain.account_id.in_(account_ids))
    )
    by_guid = (
        sa.select(t.ProviderAccount.id)
        .join(t.Account, t.Account.tenant_guid == t.ProviderAccount.tenant_guid)
        .where(t.Account.id.in_(account_ids), t.ProviderAccount.tenant_guid != "")
    )
    by_mapping = sa.select(t.Mapping.provider_account_id).where(t.Mapping.account_id.in_(account_ids))
    by_name = (
        sa.select(t.Worklist.provider_account_id)
        .join(t.Account, t.Account.name_key == t.Worklist.name_key)
        .where(t.Account.id.in_(account_ids), t.Account.name_key != "")
    )
    return sa.union(by_domain, by_guid, by_mapping, by_name, pointing_to(account_ids))


def pointing_to(account_ids: Sequence[int]) -> sa.Select[int]:
    """Select the provider accounts whose proposal is one of these accounts: under a unique policy they compete."""
    return sa.select(t.CurrentProposal.provider_account_id).where(t.CurrentProposal.account_id.in_(account_ids))


def propose(connection: sa.Connection, policy: MatchPolicy, which: Which) -> None:
    """Bring `proposal` up to date for these rows; rows whose proposal stays are not written.

    Under a unique policy `which` must hold every row that competes for the same accounts (`with_rivals`).
    """
    is_unique = any_unique(connection, policy)
    if not is_unique and not policy.guards:
        _write_proposals(connection, _proposals(policy, which))
        return
    _work.create_all(connection)
    connection.execute(sa.delete(_fresh))
    connection.execute(sa.insert(_fresh).from_select(_COLUMNS, _proposals(policy, which)))
    if is_unique:
        _apply_cardinality(connection, policy)
    if policy.guards:
        _hold_back(connection, policy)
    _write_proposals(connection, sa.select(*(_fresh.c[name] for name in _COLUMNS)))


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


def auto_match(connection: sa.Connection, policy: MatchPolicy, run_id: int, actor: str, at: dt.datetime) -> int:
    """Write a mapping, its decision and its evidence for every open row with exactly one supported account.

    With Auto-Match off nothing is written. Returns the number of mappings.
    """
    if not policy.auto_match:
        return 0
    wanted = would_map().subquery()
    columns = ["provider_account_id", "account_id", "run_id", "actor", "at", "kind", "origin", "reason"]
    values = (sa.literal(run_id), sa.literal(actor), sa.literal(at, t.UtcTime()), sa.literal(DecisionKind.MAP.value))
    rows = sa.select(
        wanted.c.provider_account_id, wanted.c.account_id, *values, sa.literal(Origin.AUTO.value), sa.literal("")
    )
    mapped = connection.execute(
        sa.insert(t.Decision).from_select(columns, rows.order_by(wanted.c.provider_account_id))
    ).rowcount
    made = sa.select(t.Decision.provider_account_id, t.Decision.account_id, t.Decision.origin, t.Decision.id)
    made = made.where(t.Decision.run_id == run_id, t.Decision.kind == DecisionKind.MAP)
    connection.execute(
        sa.insert(t.Mapping).from_select(["provider_account_id", "account_id", "origin", "decision_id"], made)
    )
    _keep_evidence(connection, policy, run_id)
    return mapped


def _keep_evidence(connection: sa.Connection, policy: MatchPolicy, run_id: int) -> None:
    decided = sa.select(t.Decision.provider_account_id).where(t.Decision.run_id == run_id)
    facts = facts_of(policy, decided)
    rows = (
        sa.select(t.Decision.id, facts.c.rule, facts.c.domain, facts.c.contacts, facts.c.example)
        .join(
            facts,
            (facts.c.provider_account_id == t.Decision.provider_account_id)
            & (facts.c.account_id == t.Decision.account_id),
        )
        .where(t.Decision.run_id == run_id)
    )
    connection.execute(
        sa.insert(t.DecisionEvidence).from_select(["decision_id", "rule", "domain", "contacts", "example"], rows)
    )


# --- the statement ---


def _support(policy: MatchPolicy, which: Which) -> sa.Subquery:
    """What speaks for each provider account; who has no domain is there too.

    `live` accounts are supported, one of them is `only`; `open` counts facts of live accounts that nobody rejected.
    """
    reach, rejection, nothing = reach_of(policy, which).subquery("reach"), t.Rejection, sa.cast(sa.null(), t.Id)
    of_rejection = sa.and_(
        rejection.provider_account_id == reach.c.provider_account_id, rejection.account_id == reach.c.account_id
    )
    live_account = sa.case((_is_live(reach.c.account_id, which), reach.c.account_id)).label("live_account_id")
    columns = (reach.c.provider_account_id, reach.c.worth, reach.c.account_id, live_account)
    led = sa.select(*columns, rejection.account_id.label("rejected")).outerjoin(rejection, of_rejection)
    everyone = sa.select(t.ProviderAccount.id, *[nothing] * 4).where(is_in(which, t.ProviderAccount.id))
    told = sa.union_all(led, everyone).subquery("told").c
    return (
        sa.select(
            told.provider_account_id,
            sa.func.max(told.worth).label("worth"),
            sa.func.count(told.account_id).label("facts"),
            sa.func.count(sa.distinct(told.live_account_id)).label("live"),
            sa.func.count(sa.case((told.rejected.is_(None), told.live_account_id))).label("open"),
            sa.func.min(told.live_account_id).label("only"),
        )
        .group_by(told.provider_account_id)
        .subquery("support")
    )


def _is_live(account_id: sa.ColumnElement[int], which: Which) -> sa.ColumnElement[bool]:
    """Of all rows the few accounts that are not are found once; of some rows each account is looked up."""
    account = t.Account
    gone = sa.select(account.id).where(~sa.and_(*live()))
    return account_id.not_in(gone) if which is None else ~gone.where(account.id == account_id).exists()


def _proposals(policy: MatchPolicy, which: Which) -> sa.Select[*tuple[Any, ...]]:
    found = _support(policy, which).c
    kind = sa.case(
        (found.open == 0, sa.literal(Proposal.NONE.value)),
        (found.live == 1, sa.literal(Proposal.ONE.value)),
        else_=sa.literal(Proposal.CONFLICT.value),
    )
    reason = sa.case(
        (sa.and_(found.live > 0, found.open == 0), sa.literal(Reason.REJECTED.value)),
        (found.live == 1, sa.literal(Reason.RULE.value)),
        (found.live > 1, sa.literal(Reason.SEVERAL_ACCOUNTS.value)),
        (found.facts > 0, sa.literal(Reason.INACTIVE_ACCOUNT.value)),
        *((found.worth == constant(worth), sa.literal(reason.value)) for worth, reason in WITHOUT_FACTS.items()),
        else_=sa.literal(Reason.NO_DOMAIN.value),
    )
    only = sa.case((sa.and_(found.live == 1, found.open > 0), found.only))
    return sa.select(found.provider_account_id, kind, reason, only, found.live)


# --- cardinality (product rule 7) ---


def any_unique(connection: sa.Connection, policy: MatchPolicy) -> bool:
    """Whether any policy in force, the default or a provider's own, is a unique one."""
    exception = sa.select(t.Provider.id).where(
        t.Provider.cardinality.is_not(None), t.Provider.cardinality != Cardinality.MANY
    )
    return policy.cardinality is not Cardinality.MANY or connection.scalar(exception.limit(1)) is not None


def with_rivals(connection: sa.Connection, policy: MatchPolicy, which: Which) -> Which:
    """Add the rows that point to the accounts these did or do now point to: under a unique policy they are rivals.

    The result holds until the next call on this connection.
    """
    if which is None or not any_unique(connection, policy):
        return which
    _work.create_all(connection)
    connection.execute(sa.delete(_wanted))
    connection.execute(sa.insert(_wanted).from_select(["provider_account_id"], which.distinct()))
    wanted = sa.select(_wanted.c.provider_account_id)
    before = sa.select(t.CurrentProposal.account_id).where(t.CurrentProposal.provider_account_id.in_(wanted))
    facts = facts_of(policy, wanted)
    accounts = before.union(sa.select(facts.c.account_id)).subquery()
    rivals = sa.select(t.CurrentProposal.provider_account_id).where(
        t.CurrentProposal.account_id.in_(sa.select(accounts.c.account_id)),
        t.CurrentProposal.provider_account_id.not_in(wanted),
    )
    connection.execute(sa.insert(_wanted).from_select(["provider_account_id"], rivals))
    return wanted


def breaches(policy: MatchPolicy) -> sa.Select[int, int]:
    """Select (provider account, account) of mappings that share their account against the policy; they stay."""
    pa, provider, mapping = t.ProviderAccount, t.Provider, t.Mapping
    theirs, their_pa = sa.orm.aliased(mapping), sa.orm.aliased(pa)
    sharing = (
        sa.select(theirs.provider_account_id)
        .join(their_pa, their_pa.id == theirs.provider_account_id)
        .where(theirs.account_id == mapping.account_id, their_pa.id != pa.id, must_not_share(policy, their_pa))
    )
    return (
        sa.select(mapping.provider_account_id, mapping.account_id)
        .join(pa, pa.id == mapping.provider_account_id)
        .join(provider, provider.id == pa.provider_id)
        .where(_own_policy(policy) != Cardinality.MANY, sa.exists(sharing.correlate(mapping, pa, provider)))
    )


def _own_policy(policy: MatchPolicy) -> sa.ColumnElement[str]:
    """The policy for rows of `provider`: its exception, else the default."""
    return sa.func.coalesce(t.Provider.cardinality, policy.cardinality.value)


def must_not_share(policy: MatchPolicy, other: type[t.ProviderAccount]) -> sa.ColumnElement[bool]:
    """Whether the policy of `provider` forbids its `provider_account` to share an account with the other (rule 7)."""
    own = _own_policy(policy)
    in_provider = sa.and_(own == Cardinality.UNIQUE_IN_PROVIDER, other.provider_id == t.ProviderAccount.provider_id)
    return sa.or_(own == Cardinality.UNIQUE, in_provider)


def _apply_cardinality(connection: sa.Connection, policy: MatchPolicy) -> None:
    """Make conflicts of the proposals whose account another row holds, or wants too."""
    contested = connection.scalars(_contested(policy).distinct()).all()
    taken = connection.scalars(_taken(policy).distinct()).all()
    for ids, reason in ((contested, Reason.CONTESTED), (taken, Reason.ACCOUNT_TAKEN)):
        for part in chunks(ids):
            conflict = sa.update(_fresh).where(_fresh.c.provider_account_id.in_(part))
            connection.execute(conflict.values(kind=Proposal.CONFLICT, reason=reason))


def _taken(policy: MatchPolicy) -> sa.Select[int]:
    mapping, their_pa = t.Mapping, sa.orm.aliased(t.ProviderAccount)
    holders = _proposed().join(mapping, mapping.account_id == _fresh.c.account_id)
    holders = holders.join(their_pa, their_pa.id == mapping.provider_account_id)
    return holders.where(their_pa.id != t.ProviderAccount.id, must_not_share(policy, their_pa))


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
        must_not_share(policy, their_pa),
    )


def _proposed() -> sa.Select[int]:
    """Select the fresh proposals of one account, with their provider account and its provider."""
    pa, provider = t.ProviderAccount, t.Provider
    query = sa.select(_fresh.c.provider_account_id).join(pa, pa.id == _fresh.c.provider_account_id)
    return query.join(provider, provider.id == pa.provider_id).where(_fresh.c.kind == Proposal.ONE)


# --- guards ---


def _hold_back(connection: sa.Connection, policy: MatchPolicy) -> None:
    """Leave to a person what a guard doubts: no proposal any more, with the doubted account still named."""
    held: dict[Guard, list[int]] = {}
    rows = connection.execute(doubtful(_fresh.c.provider_account_id, _fresh.c.account_id, _fresh.c.kind)).all()
    for part in chunks(rows, 500):
        evidence = evidence_of(connection, policy, [row.provider_account_id for row in part])
        for row_id, guard in judge_rows(connection, part, evidence, policy.guards):
            held.setdefault(guard, []).append(row_id)
    for guard, ids in held.items():
        for part in chunks(ids):
            doubted = sa.update(_fresh).where(_fresh.c.provider_account_id.in_(part))
            connection.execute(doubted.values(kind=Proposal.NONE, reason=Reason(guard.value)))


def _write_proposals(connection: sa.Connection, proposals: sa.Select[*tuple[Any, ...]]) -> None:
    made = proposals.subquery("made")
    insert = upsert_into(connection, t.CurrentProposal.__table__)
    # Without a WHERE, SQLite would read ON CONFLICT as a join's condition.
    new = insert.from_select(_COLUMNS, sa.select(made).where(sa.true()))
    now = t.CurrentProposal
    changed = sa.or_(*(getattr(now, name).is_distinct_from(new.excluded[name]) for name in _COLUMNS[1:]))
    values = {name: new.excluded[name] for name in _COLUMNS[1:]}
    connection.execute(new.on_conflict_do_update(index_elements=["provider_account_id"], set_=values, where=changed))
