"""What suggestions are made from: accounts and provider accounts as they are compared, and what is known of them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import sqlalchemy as sa

from w365.matching.comparison_records import ComparedCustomer, Prospect, ProspectDomain
from w365.matching.guards import BY_NAME
from w365.model import DomainKind, Guard, Rule
from w365.store import tables as t
from w365.store.db.bound_ids import IDS
from w365.store.matching.evidence import is_in
from w365.store.matching.relations import MINE, THEIRS, is_named, same_customers

_READ = 5_000

# --- accounts ---


def read_prospects(
    connection: sa.Connection, ids: Sequence[int] | None, beat: Callable[[], None]
) -> Iterator[Prospect]:
    """Read accounts that are not deleted, all or these, one by one: they are never all in memory, nor their domains.

    `beat` is called every now and then.
    """
    of_accounts, of_domains = _prospects(of_all=ids is None)
    values = None if ids is None else {"ids": ids}
    streaming = connection.execution_options(yield_per=_READ)
    domains = itertools.groupby(streaming.execute(of_domains, values), key=lambda row: row.account_id)
    owner, owned = next(domains, (None, iter(())))
    for number, row in enumerate(streaming.execute(of_accounts, values)):
        if number % _READ == 0:
            beat()
        # Domains of accounts that are not read, such as deleted ones, are passed by.
        while owner is not None and owner < row.id:
            owner, owned = next(domains, (None, iter(())))
        own = owned if owner == row.id else ()
        yield Prospect(row.id, row.name, tuple(map(_domain, own)), *row[2:])


@functools.cache
def _prospects(*, of_all: bool) -> tuple[sa.Select[int, str, str, str, str, str, bool], sa.Select[int, str, str, int]]:
    """Select accounts and their domains, all or those with `ids`, both in the order of accounts."""
    account, domain = t.Account, t.AccountDomain
    which = None if of_all else IDS
    columns = (account.name, account.country, account.city, account.number, account.tenant_guid, account.is_active)
    accounts = sa.select(account.id, *columns).where(~account.is_deleted, is_in(which, account.id))
    domains = sa.select(domain.account_id, domain.domain, domain.rule, domain.contacts)
    return (
        accounts.order_by(account.id),
        domains.where(is_in(which, domain.account_id)).order_by(domain.account_id, domain.domain, domain.rule),
    )


def _domain(row: sa.Row[int, str, str, int]) -> ProspectDomain:
    return ProspectDomain(row.domain, Rule(row.rule), row.contacts)


# --- provider accounts ---


def read_subjects(connection: sa.Connection, ids: Sequence[int]) -> dict[int, ComparedCustomer]:
    """Read provider accounts with the domains of their own."""
    domains, hosted = read_own_domains(connection, ids), _read_names(connection, _HOSTED, ids)
    return {
        row.id: ComparedCustomer(
            row.name, domains.get(row.id, ()), row.country, row.tenant_guid, hosted.get(row.id, ())
        )
        for row in connection.execute(_SUBJECTS, {"ids": ids})
    }


_SUBJECTS = sa.select(
    t.ProviderAccount.id, t.ProviderAccount.name, t.ProviderAccount.country, t.ProviderAccount.tenant_guid
).where(t.ProviderAccount.id.in_(IDS))


def read_own_domains(connection: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Read the own domains of provider accounts, verified or typed, listed ones included; who has none is left out."""
    return _read_names(connection, _OWN_DOMAINS, ids)


def _read_names(
    connection: sa.Connection, domains: sa.Select[int, str], ids: Sequence[int]
) -> dict[int, tuple[str, ...]]:
    names: dict[int, list[str]] = {}
    for row_id, name in connection.execute(domains, {"ids": ids}):
        names.setdefault(row_id, []).append(name)
    return {row_id: tuple(of_row) for row_id, of_row in names.items()}


_DOMAINS = (
    sa.select(t.ProviderAccountDomain.provider_account_id, t.ProviderAccountDomain.domain)
    .where(t.ProviderAccountDomain.provider_account_id.in_(IDS))
    .order_by(t.ProviderAccountDomain.domain)
)
_OWN_DOMAINS = _DOMAINS.where(is_named())
_HOSTED = _DOMAINS.where(t.ProviderAccountDomain.kind == DomainKind.SERVICE, t.ProviderAccountDomain.is_verified)


def read_rejected(connection: sa.Connection, ids: Sequence[int]) -> dict[int, set[int]]:
    """Read which accounts were rejected: provider account -> accounts."""
    rejected: dict[int, set[int]] = {}
    for row_id, account_id in connection.execute(_REJECTED, {"ids": ids}):
        rejected.setdefault(row_id, set()).add(account_id)
    return rejected


_REJECTED = sa.select(t.Rejection.provider_account_id, t.Rejection.account_id).where(
    t.Rejection.provider_account_id.in_(IDS)
)


def read_doubted(connection: sa.Connection, ids: Sequence[int]) -> dict[int, int]:
    """Read the account that would have been mapped, had a guard not held it back: provider account -> account.

    Where the guard doubts the account by its name or place, which comes first is left to the score.
    """
    rows = connection.execute(_DOUBTED, {"ids": ids})
    return {row_id: account_id for row_id, account_id in rows if account_id is not None}


_DOUBTED = sa.select(t.CurrentProposal.provider_account_id, t.CurrentProposal.account_id).where(
    t.CurrentProposal.provider_account_id.in_(IDS),
    t.CurrentProposal.reason.in_([guard.value for guard in Guard if guard not in BY_NAME]),
)


def read_mapped_elsewhere(connection: sa.Connection, ids: Sequence[int]) -> dict[int, dict[int, str]]:
    """Read where the same customer is mapped at another provider: provider account -> account -> provider's name."""
    mapped: dict[int, dict[int, str]] = {}
    for query in _mapped_elsewhere():
        for row_id, account_id, provider in connection.execute(query, {"ids": ids}):
            mapped.setdefault(row_id, {})[account_id] = provider
    return mapped


@functools.cache
def _mapped_elsewhere() -> tuple[sa.Select[int, int, str], ...]:
    return tuple(
        pairs.with_only_columns(MINE.id, t.Mapping.account_id, t.Provider.name)
        .join(t.Mapping, t.Mapping.provider_account_id == THEIRS.id)
        .join(t.Provider, t.Provider.id == THEIRS.provider_id)
        .where(MINE.id.in_(IDS))
        for pairs in same_customers()
    )
