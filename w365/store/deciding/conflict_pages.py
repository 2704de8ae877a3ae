"""Pages of the conflicts, and for the groups of a page what stands below them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from w365.model import MatchPolicy, Rule
from w365.store import tables as t
from w365.store.deciding import conflicts as groups_of
from w365.store.matching.cardinality import any_unique
from w365.store.reading.worklist import Row, read_rows

_SHOWN = 12

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Use:
    """An active account on a domain: by which rules, and on how many of its contacts."""

    account_id: int
    name: str
    number: str
    city: str
    rules: tuple[Rule, ...]
    contacts: int


@dataclass(frozen=True, slots=True)
class DomainConflict:
    """A domain on several accounts, for which `rows` open provider accounts with `seats` wait.

    `uses` are the first of the accounts, `listed` the first of the provider accounts.
    """

    domain: str
    accounts: int
    rows: int
    seats: int
    uses: tuple[Use, ...]
    listed: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class DomainOfCustomers:
    """An own, verified domain of several customers; `listed` are the first of them."""

    domain: str
    customers: int
    rows: int
    seats: int
    listed: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class AccountConflict:
    """An account that more rows hold or want than the policy allows; `listed` are the first of them."""

    account_id: int
    name: str
    rows: int
    seats: int
    listed: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class SharedSuspect:
    """A domain on the contacts of many accounts; `is_shared`: so many that it maps nothing by itself."""

    domain: str
    accounts: int
    rows: int
    seats: int
    is_shared: bool
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class ConflictPage(Generic[T]):
    """One page of one kind of conflict. `total` counts all of the kind."""

    total: int
    groups: tuple[T, ...]


@dataclass(frozen=True, slots=True)
class Conflicts:
    """All four kinds, a page of each."""

    domains: ConflictPage[DomainConflict]
    customers: ConflictPage[DomainOfCustomers]
    accounts: ConflictPage[AccountConflict]
    suspects: ConflictPage[SharedSuspect]

    @property
    def total(self) -> int:
        return self.domains.total + self.customers.total + self.accounts.total + self.suspects.total


@dataclass(frozen=True, slots=True)
class PageNumbers:
    """Which page of each kind to read, from 0."""

    domains: int = 0
    customers: int = 0
    accounts: int = 0
    suspects: int = 0


def read_conflicts(connection: sa.Connection, policy: MatchPolicy, pages: PageNumbers, limit: int) -> Conflicts:
    """Read a page of each kind."""
    read = _GroupReader(connection, policy, limit)
    return Conflicts(
        read.part(groups_of.contested_domains(policy), pages.domains, read.domains),
        read.part(groups_of.domains_of_several_customers(), pages.customers, read.customers),
        read.accounts_part(pages.accounts),
        read.suspects_part(pages.suspects),
    )


def read_divided(connection: sa.Connection, policy: MatchPolicy, domain: str, limit: int) -> list[Row]:
    """Read the first open provider accounts that a domain puts in conflict."""
    pairs = groups_of.rows_divided_by(policy, [domain]).subquery()
    ids = sa.select(pairs.c.provider_account_id).order_by(pairs.c.provider_account_id).limit(limit)
    return read_rows(connection, connection.scalars(ids).all())


class _GroupReader:
    """Reads pages of groups, and for the groups of a page what stands below them."""

    def __init__(self, connection: sa.Connection, policy: MatchPolicy, limit: int) -> None:
        self.connection, self.policy, self.limit = connection, policy, limit

    def part(
        self, groups: groups_of.Groups, page: int, read: Callable[[Sequence[Any]], tuple[T, ...]]
    ) -> ConflictPage[T]:
        """Read one page; the count comes with its rows, so that the groups are made once."""
        counted = groups.add_columns(sa.func.count().over().label("total"))
        rows = self.connection.execute(counted.offset(max(page, 0) * self.limit).limit(self.limit)).all()
        # The list became shorter than the page that was asked for.
        if not rows and page > 0:
            return self.part(groups, 0, read)
        return ConflictPage(rows[0].total if rows else 0, read(rows))

    def domains(self, groups: Sequence[Any]) -> tuple[DomainConflict, ...]:
        domains = [group.domain for group in groups]
        uses, rows = self._uses(domains), self._rows(groups_of.rows_divided_by(self.policy, domains))
        return tuple(
            DomainConflict(
                group.domain,
                group.accounts,
                group.rows,
                int(group.seats),
                uses.get(group.domain, ()),
                rows.get(group.domain, ()),
            )
            for group in groups
        )

    def customers(self, groups: Sequence[Any]) -> tuple[DomainOfCustomers, ...]:
        rows = self._rows(groups_of.customers_of([group.domain for group in groups]))
        return tuple(
            DomainOfCustomers(group.domain, group.customers, group.rows, int(group.seats), rows.get(group.domain, ()))
            for group in groups
        )

    def accounts_part(self, page: int) -> ConflictPage[AccountConflict]:
        if not any_unique(self.connection, self.policy):
            return ConflictPage(0, ())
        return self.part(groups_of.accounts_against_policy(self.policy), page, self._accounts)

    def suspects_part(self, page: int) -> ConflictPage[SharedSuspect]:
        if Rule.CONTACT_DOMAIN not in self.policy.rules:
            return ConflictPage(0, ())
        return self.part(groups_of.suspected_domains(self.policy), page, self._suspects)

    def _accounts(self, groups: Sequence[Any]) -> tuple[AccountConflict, ...]:
        ids = [group.account_id for group in groups]
        query = sa.select(t.Account.id, t.Account.name).where(t.Account.id.in_(ids))
        names = {row.id: row.name for row in self.connection.execute(query)}
        claims = groups_of.claims_against_policy(self.policy).subquery()
        rows = self._rows(sa.select(claims.c[1], claims.c[0]).where(claims.c[1].in_(ids)))
        return tuple(
            AccountConflict(
                group.account_id, names[group.account_id], group.rows, int(group.seats), rows[group.account_id]
            )
            for group in groups
        )

    def _suspects(self, groups: Sequence[Any]) -> tuple[SharedSuspect, ...]:
        uses = self._uses([group.domain for group in groups])
        threshold = self.policy.shared_threshold
        return tuple(
            SharedSuspect(
                group.domain,
                group.accounts,
                group.rows,
                int(group.seats),
                is_shared=0 < threshold <= group.accounts,
                uses=uses.get(group.domain, ()),
            )
            for group in groups
        )

    def _uses(self, domains: list[str]) -> dict[str, tuple[Use, ...]]:
        by_domain: dict[str, dict[int, Use]] = {}
        for row in self.connection.execute(groups_of.users_of(self.policy, domains, _SHOWN)):
            per_account = by_domain.setdefault(row.domain, {})
            before = per_account.get(row.account_id)
            rules = (*(before.rules if before else ()), Rule(row.rule))
            contacts = row.contacts + (before.contacts if before else 0)
            per_account[row.account_id] = Use(row.account_id, row.name, row.number, row.city, rules, contacts)
        return {domain: tuple(uses.values()) for domain, uses in by_domain.items()}

    def _rows(self, pairs: sa.Select[Any, int]) -> dict[Any, tuple[Row, ...]]:
        """Read the first rows of each group; `pairs` are (group, provider account)."""
        all_pairs = pairs.subquery()
        group, row_id = all_pairs.c
        place = sa.func.row_number().over(partition_by=group, order_by=row_id).label("place")
        placed = sa.select(group.label("key"), row_id.label("id"), place).subquery()
        query = sa.select(placed.c.key, placed.c.id).where(placed.c.place <= _SHOWN).order_by(placed.c.key, placed.c.id)
        listed = self.connection.execute(query).all()
        rows = {row.id: row for row in read_rows(self.connection, [entry.id for entry in listed])}
        grouped: dict[Any, tuple[Row, ...]] = {}
        for entry in listed:
            grouped[entry.key] = (*grouped.get(entry.key, ()), rows[entry.id])
        return grouped
