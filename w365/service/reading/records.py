"""The record: everything about one provider account that helps to decide."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import NotFound
from w365.matching.messages import say_evidence
from w365.model import Actor, DecisionKind, Evidence, NewAccount, Role, Rule
from w365.service import Service
from w365.service.access import require
from w365.service.reading.account_lookup import Hit, read_candidates, read_hits
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.db.bound_ids import IDS
from w365.store.matching.evidence import evidence_of
from w365.store.reading.worklist import Filter, Row, Sort, count_rows, list_ids, read_rows
from w365.store.tables import LIVE_STATUSES


@dataclass(frozen=True, slots=True)
class DomainView:
    """A domain of the customer: on which list it is, or empty, and how many CRM accounts have it."""

    name: str
    kind: str
    is_default: bool
    is_verified: bool
    listed: str
    accounts: int


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    offer_name: str
    quantity: int
    status: str
    term: str
    is_live: bool
    started_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision as people read it."""

    id: int
    at: dt.datetime
    actor: str
    run_id: int | None
    kind: DecisionKind
    provider_account_id: int
    provider_account: str
    provider: str
    old_account: str
    account: str
    origin: str
    reason: str
    evidence: tuple[str, ...]
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class AccountView:
    """A CRM account beside the customer: its fields and what supports the link."""

    hit: Hit
    website: str
    contacts: int
    domains: tuple[str, ...]
    evidence: tuple[str, ...]
    is_rejected: bool


@dataclass(frozen=True, slots=True)
class Record:
    row: Row
    default_domain: str
    domain_source: str
    tenant_guid: str
    country: str
    relationship: str
    note: str
    first_seen_at: dt.datetime
    gone_at: dt.datetime | None
    disposition_reason: str
    domains: tuple[DomainView, ...]
    subscriptions: tuple[SubscriptionView, ...]
    mapped: AccountView | None
    candidates: tuple[AccountView, ...]
    rejected: tuple[AccountView, ...]
    history: tuple[DecisionView, ...]


def list_rows(
    service: Service,
    actor: Actor,
    wanted: Filter,
    sort: Sort = Sort.NAME,
    *,
    descending: bool = False,
    start: int = 0,
    limit: int = 200,
) -> list[Row]:
    """List the rows of the grid."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return read_rows(
            connection, list_ids(connection, wanted, sort, descending=descending, start=start, limit=limit)
        )


def read_row(service: Service, actor: Actor, provider_account_id: int) -> Row:
    """Read one row of the grid as it is now; NotFound when there is none."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return _row(connection, provider_account_id)


def _row(connection: sa.Connection, provider_account_id: int) -> Row:
    rows = read_rows(connection, [provider_account_id])
    if not rows:
        raise NotFound("This provider account does not exist.", do="Go back to the list.")
    return rows[0]


def count(service: Service, actor: Actor, wanted: Filter) -> int:
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return count_rows(connection, wanted)


def has_any(service: Service, actor: Actor) -> bool:
    """Tell whether there is a provider account at all."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        return connection.scalar(sa.select(t.Worklist.provider_account_id).limit(1)) is not None


def read_record(service: Service, actor: Actor, provider_account_id: int) -> Record:
    """Read one provider account with all that is known of it; NotFound when there is none."""
    require(actor, Role.VIEWER)
    with service.store.read() as connection:
        row = _row(connection, provider_account_id)
        pa, order = t.ProviderAccount, t.StandingOrder
        facts = connection.execute(
            sa.select(
                pa.default_domain,
                pa.domain_source,
                pa.tenant_guid,
                pa.country,
                pa.relationship,
                pa.note,
                pa.first_seen_at,
                pa.gone_at,
                sa.func.coalesce(order.reason, "").label("disposition_reason"),
            )
            .outerjoin(order, order.provider_account_id == pa.id)
            .where(pa.id == provider_account_id)
        ).one()
        accounts = _Accounts(connection, row)
        return Record(
            row,
            *facts,
            domains=_domains(connection, provider_account_id),
            subscriptions=_subscriptions(connection, provider_account_id),
            mapped=accounts.mapped(),
            candidates=accounts.candidates(),
            rejected=accounts.rejected(),
            history=tuple(read_decisions(connection, t.Decision.provider_account_id == provider_account_id, limit=100)),
        )


def prefill(record: Record) -> NewAccount:
    """Propose the fields of a new CRM account from what the provider says."""
    own = next(
        (one.name for one in record.domains if one.accounts == 0 and not one.listed and one.kind == "own_name"), ""
    )
    return NewAccount(name=record.row.name[:160], website=own and f"https://{own}", country=record.country)


def read_decisions(
    connection: sa.Connection, where: sa.ColumnElement[bool], *, limit: int, start: int = 0
) -> list[DecisionView]:
    """Read decisions, the latest first, with their evidence in words."""
    query = _decisions().where(where).offset(start).limit(limit)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    evidence = _decision_evidence(connection, [row["id"] for row in rows])
    return [
        DecisionView(**{**row, "kind": DecisionKind(row["kind"]), "evidence": evidence.get(row["id"], ())})
        for row in rows
    ]


@functools.cache
def _decisions() -> sa.Select[*tuple[Any, ...]]:
    decision, pa, old = t.Decision, t.ProviderAccount, sa.orm.aliased(t.Account)
    return (
        sa.select(
            decision.id,
            decision.at,
            decision.actor,
            decision.run_id,
            decision.kind,
            decision.provider_account_id,
            pa.name.label("provider_account"),
            t.Provider.name.label("provider"),
            sa.func.coalesce(old.name, "").label("old_account"),
            sa.func.coalesce(t.Account.name, "").label("account"),
            decision.origin,
            decision.reason,
            t.Undo.undoes_id.label("undoes"),
        )
        .outerjoin(t.Undo, t.Undo.decision_id == decision.id)
        .join(pa, pa.id == decision.provider_account_id)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .outerjoin(old, old.id == decision.old_account_id)
        .outerjoin(t.Account, t.Account.id == decision.account_id)
        .order_by(decision.id.desc())
    )


def _decision_evidence(connection: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(_EVIDENCE, {"ids": list(ids)}):
        text = say_evidence(Evidence(Rule(row.rule), row.domain, row.contacts, row.example))
        found[row.decision_id] = (*found.get(row.decision_id, ()), text)
    return found


_EVIDENCE = (
    sa.select(
        t.DecisionEvidence.decision_id,
        t.DecisionEvidence.rule,
        t.DecisionEvidence.domain,
        t.DecisionEvidence.contacts,
        t.DecisionEvidence.example,
    )
    .where(t.DecisionEvidence.decision_id.in_(IDS))
    .order_by(t.DecisionEvidence.rule, t.DecisionEvidence.domain)
)


def _domains(connection: sa.Connection, provider_account_id: int) -> tuple[DomainView, ...]:
    return tuple(DomainView(*row) for row in connection.execute(_asking_for_domains(), {"row": provider_account_id}))


@functools.cache
def _asking_for_domains() -> sa.Select[*tuple[Any, ...]]:
    pad, listed, ad = t.ProviderAccountDomain, t.ListedDomain, t.AccountDomain
    accounts = (
        sa.select(sa.func.count(sa.distinct(ad.account_id)))
        .join(t.Account, t.Account.id == ad.account_id)
        .where(ad.domain == pad.domain, ~t.Account.is_deleted)
        .correlate(pad)
        .scalar_subquery()
    )
    return (
        sa.select(pad.domain, pad.kind, pad.is_default, pad.is_verified, sa.func.coalesce(listed.list, ""), accounts)
        .outerjoin(listed, listed.domain == pad.domain)
        .where(pad.provider_account_id == sa.bindparam("row"))
        .order_by(pad.is_default.desc(), pad.domain)
    )


def _subscriptions(connection: sa.Connection, provider_account_id: int) -> tuple[SubscriptionView, ...]:
    table = t.ProviderSubscription
    query = sa.select(table.offer_name, table.quantity, table.status, table.term, table.started_at)
    query = query.where(table.provider_account_id == provider_account_id).order_by(
        table.quantity.desc(), table.offer_name
    )
    return tuple(_subscription(row) for row in connection.execute(query))


def _subscription(row: sa.Row[str, int, str, str, dt.datetime | None]) -> SubscriptionView:
    is_live = row.status in LIVE_STATUSES
    return SubscriptionView(row.offer_name, row.quantity, row.status, row.term, is_live, row.started_at)


class _Accounts:
    """The accounts that matter for one provider account, each read once."""

    def __init__(self, connection: sa.Connection, row: Row) -> None:
        self.connection, self.row = connection, row
        self.evidence = evidence_of(connection, read_policy(connection), [row.id]).get(row.id, {})
        query = sa.select(t.Rejection.account_id).where(t.Rejection.provider_account_id == row.id)
        self.rejections = set(connection.scalars(query))

    def mapped(self) -> AccountView | None:
        if self.row.account_id is None:
            return None
        views = self._views(read_hits(self.connection, [self.row.account_id], row=self.row.id))
        return views[0] if views else None

    def candidates(self) -> tuple[AccountView, ...]:
        """The stored candidates, then what the rules support beyond them; never the mapped account."""
        hits = read_candidates(self.connection, self.row.id)
        more = sorted(self.evidence.keys() - {hit.account_id for hit in hits})
        hits += read_hits(self.connection, more, row=self.row.id)
        left_out = {self.row.account_id, *self.rejections}
        return tuple(self._views([hit for hit in hits if hit.account_id not in left_out]))

    def rejected(self) -> tuple[AccountView, ...]:
        return tuple(self._views(read_hits(self.connection, sorted(self.rejections), row=self.row.id)))

    def _views(self, hits: Sequence[Hit]) -> list[AccountView]:
        asked = {"ids": [hit.account_id for hit in hits]}
        domains: dict[int, set[str]] = {}
        for row in self.connection.execute(_DOMAINS_OF, asked):
            domains.setdefault(row.account_id, set()).add(row.domain)
        fields = {row[0]: (row[1], row[2]) for row in self.connection.execute(_FIELDS_OF, asked)}
        return [
            AccountView(
                hit,
                *fields[hit.account_id],
                domains=tuple(sorted(domains.get(hit.account_id, ()))),
                evidence=tuple(say_evidence(fact) for fact in self.evidence.get(hit.account_id, ())),
                is_rejected=hit.account_id in self.rejections,
            )
            for hit in hits
        ]


_DOMAINS_OF = sa.select(t.AccountDomain.account_id, t.AccountDomain.domain).where(t.AccountDomain.account_id.in_(IDS))
_FIELDS_OF = (
    sa.select(t.Account.id, t.Account.website, sa.func.count(t.Contact.crm_id))
    .outerjoin(t.Contact, t.Contact.account_crm_id == t.Account.crm_id)
    .where(t.Account.id.in_(IDS))
    .group_by(t.Account.id, t.Account.website)
)
