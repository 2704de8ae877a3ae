"""The match, as set-based SQL that runs inside SQLite and PostgreSQL alike.

Evidence is the join of `provider_account_domain` with `account_domain` under the rules (product rules 1 to 4);
proposals are made from it for all rows or for those in `touched`; auto-match writes mappings for proposals of one
account.
A naive implementation of the same rules stands in `tests/matching/oracle.py`; both must agree.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from w365.model import (
    Cardinality,
    DecisionKind,
    Disposition,
    DomainKind,
    DomainList,
    Evidence,
    MatchPolicy,
    Origin,
    Proposal,
    Reason,
    Rule,
)
from w365.store import tables as t
from w365.store.bulk import chunks, upsert_into

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

_DOMAIN_RULES = (Rule.CONTACT_DOMAIN, Rule.ACCOUNT_EMAIL, Rule.ACCOUNT_WEBSITE)


Which = sa.Select[int] | None
"""Which provider accounts to look at: a selection of ids, or None for all."""


def _in(which: Which, column: sa.SQLColumnExpression[int]) -> sa.ColumnElement[bool]:
    return sa.true() if which is None else column.in_(which)


def touch(connection: sa.Connection, ids: sa.Select[int]) -> None:
    """Remember that the facts of these provider accounts changed."""
    # Without a WHERE, SQLite would read ON CONFLICT as a join's condition (sqlite.org/lang_upsert.html).
    rows = ids.where(sa.true()).distinct()
    insert = upsert_into(connection, t.Touched.__table__).from_select(["provider_account_id"], rows)
    connection.execute(insert.on_conflict_do_nothing())


def touched() -> sa.Select[int]:
    return sa.select(t.Touched.provider_account_id)


def reached_by(account_ids: Sequence[int]) -> list[sa.Select[int]]:
    """Select the provider accounts that these CRM accounts' domains, GUIDs, mappings or proposals reach."""
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
    return [by_domain, by_guid, by_mapping, pointing_to(account_ids)]


def pointing_to(account_ids: Sequence[int]) -> sa.Select[int]:
    """Select the provider accounts whose proposal is one of these accounts: under a unique policy they compete."""
    return sa.select(t.CurrentProposal.provider_account_id).where(t.CurrentProposal.account_id.in_(account_ids))


def propose(connection: sa.Connection, policy: MatchPolicy, which: Which) -> None:
    """Bring `proposal` up to date for these rows; rows whose proposal stays are not written.

    Under a unique policy `which` must hold every row that competes for the same accounts (`with_rivals`).
    """
    _work.create_all(connection)
    connection.execute(sa.delete(_fresh))
    connection.execute(sa.insert(_fresh).from_select(_fresh.columns.keys(), _proposals(policy, which)))
    if any_unique(connection, policy):
        _apply_cardinality(connection, policy)
    _write_proposals(connection)


def evidence_of(
    connection: sa.Connection, policy: MatchPolicy, provider_account_ids: Sequence[int]
) -> Mapping[int, Mapping[int, tuple[Evidence, ...]]]:
    """Read the evidence of some provider accounts: provider account -> account -> facts, inactive accounts included."""
    found: dict[int, dict[int, tuple[Evidence, ...]]] = {}
    for part in chunks(provider_account_ids, 500):
        facts = _facts(policy, t.ProviderAccount.id.in_(part)).subquery()
        order = (facts.c.provider_account_id, facts.c.account_id, facts.c.rule, facts.c.domain)
        for row in connection.execute(sa.select(facts).order_by(*order)):
            per_account = found.setdefault(row.provider_account_id, {})
            fact = Evidence(Rule(row.rule), row.domain, row.contacts, row.example)
            per_account[row.account_id] = (*per_account.get(row.account_id, ()), fact)
    return found


def facts_of(policy: MatchPolicy, which: sa.Select[int]) -> sa.CompoundSelect[int, int, str, str, int, str]:
    """Select the evidence of these provider accounts, inactive accounts included."""
    return _facts(policy, t.ProviderAccount.id.in_(which))


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
    facts = _facts(policy, t.ProviderAccount.id.in_(decided)).subquery()
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


def _domain_class(policy: MatchPolicy) -> sa.ColumnElement[str]:
    """What a domain of a customer is worth: 'usable', or why it is not."""
    pad, listed = t.ProviderAccountDomain, t.ListedDomain
    on_list = sa.select(listed.list).where(listed.domain == pad.domain).scalar_subquery()
    return sa.case(
        (sa.or_(pad.kind != DomainKind.OWN_NAME, ~pad.is_verified), sa.literal("service")),
        (on_list.is_not(None), on_list),
        (_is_shared(policy, pad.domain), sa.literal(DomainList.SHARED.value)),
        else_=sa.literal("usable"),
    )


def _is_shared(policy: MatchPolicy, domain: sa.SQLColumnExpression[str]) -> sa.ColumnElement[bool]:
    """Whether contacts of at least `shared_threshold` accounts use the domain; costs at most that many index steps."""
    if policy.shared_threshold <= 0:
        return sa.false()
    with_contacts = (
        sa.select(t.AccountDomain.account_id)
        .where(t.AccountDomain.domain == domain, t.AccountDomain.rule == Rule.CONTACT_DOMAIN)
        .correlate(t.ProviderAccountDomain)
    )
    return sa.exists(with_contacts.offset(policy.shared_threshold - 1).limit(1))


def _facts(policy: MatchPolicy, which: sa.ColumnElement[bool]) -> sa.CompoundSelect[int, int, str, str, int, str]:
    """The evidence relation: one row a provider account, account, rule and domain. Inactive accounts are included."""
    pa, pad, ad = t.ProviderAccount, t.ProviderAccountDomain, t.AccountDomain
    columns = (ad.account_id, ad.rule, ad.domain, ad.contacts, ad.example)
    by_domain = (
        sa.select(pa.id.label("provider_account_id"), *columns)
        .join(pad, pad.provider_account_id == pa.id)
        .join(ad, ad.domain == pad.domain)
        .where(
            which,
            ad.rule.in_([rule for rule in _DOMAIN_RULES if rule in policy.rules]),
            _domain_class(policy) == "usable",
        )
    )
    account = t.Account
    by_guid = (
        sa.select(
            pa.id,
            account.id,
            sa.literal(Rule.TENANT_GUID.value),
            sa.literal(""),
            sa.literal(0),
            sa.literal(""),
        )
        .join(account, account.tenant_guid == pa.tenant_guid)
        .where(which, pa.tenant_guid != "", sa.true() if Rule.TENANT_GUID in policy.rules else sa.false())
    )
    alone = sa.exists().where(
        account.tenant_guid == pa.tenant_guid,
        pa.tenant_guid != "",
        account.is_active,
        ~account.is_deleted,
    )
    if Rule.TENANT_GUID in policy.rules:
        by_domain = by_domain.where(~alone.correlate(pa))
    return sa.union_all(by_domain, by_guid)


def supports_mapped(policy: MatchPolicy) -> sa.ColumnElement[bool]:
    """Whether the evidence holds for the live account that the provider account beside it is mapped to.

    For a query on provider account, mapping and account; it looks each row up, so ask it for the doubtful ones only.
    """
    pa, pad, ad, account = t.ProviderAccount, t.ProviderAccountDomain, t.AccountDomain, t.Account
    by_domain = (
        sa.select(ad.domain)
        .join(pad, pad.domain == ad.domain)
        .where(
            pad.provider_account_id == pa.id,
            ad.account_id == t.Mapping.account_id,
            ad.rule.in_([rule for rule in _DOMAIN_RULES if rule in policy.rules]),
            _domain_class(policy) == "usable",
        )
        .correlate(pa, t.Mapping)
        .exists()
    )
    if Rule.TENANT_GUID not in policy.rules:
        return by_domain
    twin = sa.orm.aliased(account)
    alone = sa.exists().where(twin.tenant_guid == pa.tenant_guid, twin.is_active, ~twin.is_deleted).correlate(pa)
    has_guid = pa.tenant_guid != ""
    return sa.or_(
        sa.and_(has_guid, account.tenant_guid == pa.tenant_guid), sa.and_(~sa.and_(has_guid, alone), by_domain)
    )


def _proposals(policy: MatchPolicy, which: Which) -> sa.Select[int, str, str, int, int]:
    pa, account, rejection = t.ProviderAccount, t.Account, t.Rejection
    facts = _facts(policy, _in(which, pa.id)).subquery("facts")
    pairs = sa.select(facts.c.provider_account_id, facts.c.account_id).distinct().subquery("pairs")
    is_live = sa.and_(account.is_active, ~account.is_deleted)
    is_rejected = rejection.account_id.is_not(None)
    support = (
        sa.select(
            pairs.c.provider_account_id,
            sa.func.count(sa.case((is_live, 1))).label("live"),
            sa.func.count(sa.case((sa.and_(is_live, is_rejected), 1))).label("rejected"),
            sa.func.min(sa.case((is_live, account.id))).label("account_id"),
        )
        .join(account, account.id == pairs.c.account_id)
        .outerjoin(
            rejection,
            (rejection.provider_account_id == pairs.c.provider_account_id)
            & (rejection.account_id == pairs.c.account_id),
        )
        .group_by(pairs.c.provider_account_id)
        .subquery("support")
    )
    domains = _domains_by_class(policy, which)
    live = sa.func.coalesce(support.c.live, 0)
    rejected = sa.func.coalesce(support.c.rejected, 0)
    kind = sa.case(
        (live == rejected, sa.literal(Proposal.NONE.value)),
        (live == 1, sa.literal(Proposal.ONE.value)),
        else_=sa.literal(Proposal.CONFLICT.value),
    )
    reason = sa.case(
        (sa.and_(live > 0, live == rejected), sa.literal(Reason.REJECTED.value)),
        (live == 1, sa.literal(Reason.RULE.value)),
        (live > 1, sa.literal(Reason.SEVERAL_ACCOUNTS.value)),
        (support.c.live.is_not(None), sa.literal(Reason.INACTIVE_ACCOUNT.value)),
        (domains.c.usable > 0, sa.literal(Reason.NO_ACCOUNT.value)),
        (domains.c.shared > 0, sa.literal(Reason.SHARED_DOMAIN.value)),
        (domains.c.blocked > 0, sa.literal(Reason.BLOCKED_DOMAIN.value)),
        (domains.c.free > 0, sa.literal(Reason.FREE_MAIL.value)),
        (domains.c.provider_account_id.is_not(None), sa.literal(Reason.SERVICE_DOMAIN.value)),
        else_=sa.literal(Reason.NO_DOMAIN.value),
    )
    only = sa.case((sa.and_(live == 1, rejected == 0), support.c.account_id))
    return (
        sa.select(pa.id, kind, reason, only, live)
        .outerjoin(support, support.c.provider_account_id == pa.id)
        .outerjoin(domains, domains.c.provider_account_id == pa.id)
        .where(_in(which, pa.id))
    )


def _domains_by_class(policy: MatchPolicy, which: Which) -> sa.Subquery:
    pad = t.ProviderAccountDomain
    classed = (
        sa.select(pad.provider_account_id, _domain_class(policy).label("worth"))
        .where(_in(which, pad.provider_account_id))
        .subquery("classed")
    )

    def count(*worth: str) -> sa.ColumnElement[int]:
        return sa.func.count(sa.case((classed.c.worth.in_(worth), 1)))

    return (
        sa.select(
            classed.c.provider_account_id,
            count("usable").label("usable"),
            count(DomainList.SHARED).label("shared"),
            count(DomainList.EXCLUDED, DomainList.PARTNER).label("blocked"),
            count(DomainList.FREE_MAIL).label("free"),
        )
        .group_by(classed.c.provider_account_id)
        .subquery("domains")
    )


# --- cardinality (product rule 7) ---


def any_unique(connection: sa.Connection, policy: MatchPolicy) -> bool:
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
    facts = _facts(policy, t.ProviderAccount.id.in_(wanted)).subquery()
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
    mine = sa.func.coalesce(provider.cardinality, policy.cardinality.value)
    in_provider = sa.and_(mine == Cardinality.UNIQUE_IN_PROVIDER, their_pa.provider_id == pa.provider_id)
    sharing = (
        sa.select(theirs.provider_account_id)
        .join(their_pa, their_pa.id == theirs.provider_account_id)
        .where(theirs.account_id == mapping.account_id, their_pa.id != pa.id)
        .where(sa.or_(mine == Cardinality.UNIQUE, in_provider))
    )
    return (
        sa.select(mapping.provider_account_id, mapping.account_id)
        .join(pa, pa.id == mapping.provider_account_id)
        .join(provider, provider.id == pa.provider_id)
        .where(mine != Cardinality.MANY, sa.exists(sharing.correlate(mapping, pa, provider)))
    )


def _apply_cardinality(connection: sa.Connection, policy: MatchPolicy) -> None:
    pa, provider, mapping = t.ProviderAccount, t.Provider, t.Mapping
    other, their_pa, order = _fresh.alias("other"), sa.orm.aliased(pa), t.StandingOrder
    mine = sa.func.coalesce(provider.cardinality, policy.cardinality.value)

    def in_scope(their_provider: sa.SQLColumnExpression[int]) -> sa.ColumnElement[bool]:
        same = sa.and_(mine == Cardinality.UNIQUE_IN_PROVIDER, their_provider == pa.provider_id)
        return sa.or_(mine == Cardinality.UNIQUE, same)

    taken = (
        sa.select(_fresh.c.provider_account_id)
        .join(pa, pa.id == _fresh.c.provider_account_id)
        .join(provider, provider.id == pa.provider_id)
        .join(mapping, mapping.account_id == _fresh.c.account_id)
        .join(their_pa, their_pa.id == mapping.provider_account_id)
        .where(_fresh.c.kind == Proposal.ONE, their_pa.id != pa.id, in_scope(their_pa.provider_id))
    )
    is_mapped = sa.exists().where(mapping.provider_account_id == their_pa.id)
    is_mine_mapped = sa.exists().where(mapping.provider_account_id == pa.id)
    is_excluded = sa.exists().where(order.provider_account_id == their_pa.id, order.kind == Disposition.EXCLUDED)
    contested = (
        sa.select(_fresh.c.provider_account_id)
        .join(pa, pa.id == _fresh.c.provider_account_id)
        .join(provider, provider.id == pa.provider_id)
        .join(other, other.c.account_id == _fresh.c.account_id)
        .join(their_pa, their_pa.id == other.c.provider_account_id)
        .where(
            _fresh.c.kind == Proposal.ONE,
            their_pa.id != pa.id,
            their_pa.gone_at.is_(None),
            ~is_mine_mapped,
            ~is_mapped,
            ~is_excluded,
            in_scope(their_pa.provider_id),
        )
    )
    contested_ids = connection.scalars(contested.distinct()).all()
    taken_ids = connection.scalars(taken.distinct()).all()
    for ids, reason in ((contested_ids, Reason.CONTESTED), (taken_ids, Reason.ACCOUNT_TAKEN)):
        for part in chunks(ids):
            conflict = sa.update(_fresh).where(_fresh.c.provider_account_id.in_(part))
            connection.execute(conflict.values(kind=Proposal.CONFLICT, reason=reason))


def _write_proposals(connection: sa.Connection) -> None:
    insert = upsert_into(connection, t.CurrentProposal.__table__)
    columns = ["provider_account_id", "kind", "reason", "account_id", "accounts"]
    rows = sa.select(*(_fresh.c[name] for name in columns)).where(sa.true())
    new = insert.from_select(columns, rows)
    now = t.CurrentProposal
    changed = sa.or_(
        now.kind.is_distinct_from(new.excluded.kind),
        now.reason.is_distinct_from(new.excluded.reason),
        now.account_id.is_distinct_from(new.excluded.account_id),
        now.accounts.is_distinct_from(new.excluded.accounts),
    )
    values = {name: new.excluded[name] for name in columns[1:]}
    connection.execute(new.on_conflict_do_update(index_elements=["provider_account_id"], set_=values, where=changed))
