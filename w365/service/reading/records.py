"""The record: everything about one provider account that helps to decide."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from w365.errors import NotFound
from w365.matching.messages import say_evidence
from w365.model import Actor, DomainKind, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.reading.account_lookup import read_candidates, read_choices
from w365.source_records import NewAccount
from w365.store.configuring.settings import read_policy
from w365.store.db.engine import Connection
from w365.store.matching.candidate_inputs import read_rejected
from w365.store.matching.evidence import evidence_of
from w365.store.reading.account_hits import Hit
from w365.store.reading.decision_log import DecisionView, read_history
from w365.store.reading.records import (
    DomainView,
    RecordFacts,
    SubscriptionView,
    list_domains,
    list_subscriptions_of,
    read_account_fields,
    read_customer_facts,
)
from w365.store.reading.row_counts import count_rows
from w365.store.reading.worklist import Filter, Row, Sort, has_rows, list_ids, list_ids_after, read_rows


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
class Record(RecordFacts):
    row: Row
    domains: tuple[DomainView, ...]
    subscriptions: tuple[SubscriptionView, ...]
    mapped: AccountView | None
    candidates: tuple[AccountView, ...]
    rejected: tuple[AccountView, ...]
    history: tuple[DecisionView, ...]


@needs(Role.VIEWER)
def list_rows(
    service: Service,
    actor: Actor,
    rows: Filter,
    sort: Sort = Sort.NAME,
    *,
    descending: bool = False,
    start: int = 0,
    limit: int = 200,
) -> list[Row]:
    """List the rows of the grid."""
    with service.store.read() as connection:
        return read_rows(connection, list_ids(connection, rows, sort, descending=descending, start=start, limit=limit))


@needs(Role.VIEWER)
def list_rows_after(service: Service, actor: Actor, rows: Filter, after: int, *, limit: int) -> list[Row]:
    """List rows behind an id, by id, for whoever reads all of them: what stays meanwhile is met once."""
    with service.store.read() as connection:
        return read_rows(connection, list_ids_after(connection, rows, after, limit))


@needs(Role.VIEWER)
def read_row(service: Service, actor: Actor, provider_account_id: int) -> Row:
    """Read one row of the grid as it is now; NotFound when there is none."""
    with service.store.read() as connection:
        return _read_row(connection, provider_account_id)


def _read_row(connection: Connection, provider_account_id: int) -> Row:
    rows = read_rows(connection, [provider_account_id])
    if not rows:
        raise NotFound("This provider account does not exist.", do="Go back to the list.")
    return rows[0]


@needs(Role.VIEWER)
def count(service: Service, actor: Actor, rows: Filter) -> int:
    with service.store.read() as connection:
        return count_rows(connection, rows)


@needs(Role.VIEWER)
def count_each(service: Service, actor: Actor, filters: Sequence[Filter]) -> list[int]:
    """Count the rows of each filter, all at one moment."""
    with service.store.read() as connection:
        return [count_rows(connection, rows) for rows in filters]


@needs(Role.VIEWER)
def has_any(service: Service, actor: Actor) -> bool:
    """Tell whether there is a provider account at all."""
    with service.store.read() as connection:
        return has_rows(connection)


@needs(Role.VIEWER)
def read_record(service: Service, actor: Actor, provider_account_id: int) -> Record:
    """Read one provider account with all that is known of it; NotFound when there is none."""
    with service.store.read() as connection:
        row = _read_row(connection, provider_account_id)
        accounts = _Accounts(connection, row)
        return Record(
            **dataclasses.asdict(read_customer_facts(connection, provider_account_id)),
            row=row,
            domains=list_domains(connection, provider_account_id),
            subscriptions=list_subscriptions_of(connection, provider_account_id),
            mapped=accounts.mapped(),
            candidates=accounts.candidates(),
            rejected=accounts.rejected(),
            history=tuple(read_history(connection, provider_account_id)),
        )


def propose_account(record: Record) -> NewAccount:
    """Propose the fields of a new CRM account from what the provider says."""
    free = (domain for domain in record.domains if domain.kind in (DomainKind.OWN_NAME, DomainKind.TYPED))
    website = next((f"https://{domain.name}" for domain in free if not (domain.accounts or domain.listed)), "")
    return NewAccount(name=record.row.name[:160], website=website, country=record.country)


class _Accounts:
    """The accounts that matter for one provider account, each read once."""

    def __init__(self, connection: Connection, row: Row) -> None:
        self.connection, self.row = connection, row
        self.evidence = evidence_of(connection, read_policy(connection), [row.id]).get(row.id, {})
        self.rejections = read_rejected(connection, [row.id]).get(row.id, set())

    def mapped(self) -> AccountView | None:
        if self.row.account_id is None:
            return None
        views = self._views(read_choices(self.connection, [self.row.account_id], row=self.row.id))
        return views[0] if views else None

    def candidates(self) -> tuple[AccountView, ...]:
        """The stored candidates, then what the rules support beyond them; never the mapped account."""
        hits = read_candidates(self.connection, self.row.id)
        more = sorted(self.evidence.keys() - {hit.account_id for hit in hits})
        hits += read_choices(self.connection, more, row=self.row.id)
        left_out = {self.row.account_id, *self.rejections}
        return tuple(self._views([hit for hit in hits if hit.account_id not in left_out]))

    def rejected(self) -> tuple[AccountView, ...]:
        return tuple(self._views(read_choices(self.connection, sorted(self.rejections), row=self.row.id)))

    def _views(self, hits: Sequence[Hit]) -> list[AccountView]:
        fields = read_account_fields(self.connection, [hit.account_id for hit in hits])
        return [
            AccountView(
                hit,
                fields[hit.account_id].website,
                fields[hit.account_id].contacts,
                fields[hit.account_id].domains,
                evidence=tuple(map(say_evidence, self.evidence.get(hit.account_id, ()))),
                is_rejected=hit.account_id in self.rejections,
            )
            for hit in hits
        ]
