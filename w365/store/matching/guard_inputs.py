"""What the guards need to know about proposals of one account, read for those that may be doubted at all."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from w365.matching.comparison_records import ComparedCustomer, Prospect, ProspectDomain
from w365.matching.guards import find_guard
from w365.model import Evidence, Guard, Proposal, Rule
from w365.store import tables as t
from w365.store.db.bound_ids import IDS
from w365.store.matching.candidate_inputs import read_own_domains
from w365.store.matching.relations import is_listed, is_live
from w365.store.matching.unit_words import read_units, units

_LONGEST_SUFFIX_LIKE = 7  # gouv.cd

Facts = Mapping[int, Mapping[int, tuple[Evidence, ...]]]


def select_guard_inputs(
    provider_account_id: sa.ColumnElement[int], account_id: sa.ColumnElement[Any], kind: sa.ColumnElement[Any]
) -> sa.Select[int, int, str, str, str, str, bool]:
    """Select the proposals of one account that a guard may hold back, given the columns of the proposals.

    Most are settled here: the names are the same, or the account itself uses a domain of the customer.
    """
    pa, account, other = t.ProviderAccount, t.Account, sa.orm.aliased(t.Account)
    pad, ad = t.ProviderAccountDomain, t.AccountDomain
    has_namesake = sa.exists().where(
        other.name_key == pa.name_key,
        other.name_key != "",
        other.id != account.id,
        is_live(other),
    )
    has_own = (
        sa.exists()
        .where(pad.provider_account_id == pa.id, ad.domain == pad.domain, ad.account_id == account.id)
        .where(ad.rule != Rule.CONTACT_DOMAIN)
    )
    mine = sa.select(t.Word.id).where(t.Word.subject == t.PROVIDER_ACCOUNT, t.Word.word.in_(units()))
    has_unit = pa.id.in_(mine)
    is_short = sa.exists().where(pad.provider_account_id == pa.id, sa.func.length(pad.domain) <= _LONGEST_SUFFIX_LIKE)
    return (
        sa.select(
            provider_account_id.label("provider_account_id"),
            account.id.label("account_id"),
            pa.name,
            pa.country,
            account.name.label("account"),
            account.country.label("account_country"),
            has_namesake.label("has_namesake"),
        )
        .join(pa, pa.id == provider_account_id)
        .join(account, account.id == account_id)
        .where(
            kind == Proposal.ONE, pa.name_key != account.name_key, sa.or_(~has_own, is_short, has_namesake, has_unit)
        )
        .order_by(provider_account_id)
    )


def judge_rows(
    connection: sa.Connection, rows: Sequence[sa.Row[Any]], evidence: Facts, guards: frozenset[Guard]
) -> Iterator[tuple[int, Guard]]:
    """Give the rows of `select_guard_inputs` that a guard holds back, each with the guard."""
    unit_words = read_units(connection)
    domains = _own_domains(connection, [row.account_id for row in rows])
    customers = read_own_domains(connection, [row.provider_account_id for row in rows])
    for row in rows:
        account = Prospect(row.account_id, row.account, domains.get(row.account_id, ()), row.account_country)
        guard = find_guard(
            ComparedCustomer(row.name, customers.get(row.provider_account_id, ()), row.country),
            account,
            evidence.get(row.provider_account_id, {}).get(row.account_id, ()),
            has_namesake=bool(row.has_namesake),
            units=unit_words,
            guards=guards,
        )
        if guard:
            yield row.provider_account_id, guard


def _own_domains(connection: sa.Connection, account_ids: Sequence[int]) -> dict[int, tuple[ProspectDomain, ...]]:
    """Read the domains of accounts that tell whose they are: none that is listed as free mail, shared or excluded."""
    domains: dict[int, tuple[ProspectDomain, ...]] = {}
    for account_id, domain, rule, contacts in connection.execute(_of_accounts(), {"ids": account_ids}):
        domains[account_id] = (*domains.get(account_id, ()), ProspectDomain(domain, Rule(rule), contacts))
    return domains


@functools.cache
def _of_accounts() -> sa.Select[int, str, str, int]:
    ad = t.AccountDomain
    return sa.select(ad.account_id, ad.domain, ad.rule, ad.contacts).where(
        ad.account_id.in_(IDS), ~is_listed(ad.domain)
    )
