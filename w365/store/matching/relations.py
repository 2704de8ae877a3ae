"""The relations that everybody joins, each written once: which domains and accounts count, who is the same customer.

Each is a condition on the table or alias that it is given, or a selection that others narrow. *Evidence* is their join
under the policy (`store.matching.evidence`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import sqlalchemy as sa

from w365.model import DomainKind
from w365.store import tables as t
from w365.store.db.bound_ids import NAMES
from w365.store.db.bulk_insert import chunks

# --- domains ---


def is_own(domain: type[t.ProviderAccountDomain] = t.ProviderAccountDomain) -> sa.ColumnElement[bool]:
    """Whether a customer's domain is a name of its own, and proved to be (product rules 3 and 4).

    What was typed at the provider is verified where an admin says for that provider that it is proof.
    """
    return sa.and_(domain.kind.in_((DomainKind.OWN_NAME, DomainKind.TYPED)), domain.is_verified)


def is_named(domain: type[t.ProviderAccountDomain] = t.ProviderAccountDomain) -> sa.ColumnElement[bool]:
    """Whether a customer's domain may be its own as far as suggestions go: free text suggests, proof or not."""
    return sa.or_(is_own(domain), domain.kind == DomainKind.TYPED)


def is_listed(name: sa.SQLColumnExpression[str]) -> sa.ColumnElement[bool]:
    """Whether a domain is free mail, shared, excluded or the partner's: listed is no evidence (product rule 4).

    `w365.store.matching.evidence` weighs domains by the same rule where the reason is told.
    """
    return sa.exists().where(t.ListedDomain.domain == name)


def is_usable(domain: type[t.ProviderAccountDomain] = t.ProviderAccountDomain) -> sa.ColumnElement[bool]:
    """Whether a customer's domain tells who the customer is.

    Whether it leads to an account depends on the policy too: the contacts of many accounts make it a shared one.
    """
    return sa.and_(is_own(domain), ~is_listed(domain.domain))


def read_listed(connection: sa.Connection) -> frozenset[str]:
    """Read every listed domain."""
    return frozenset(connection.scalars(_LISTED))


def leave_unlisted(connection: sa.Connection, names: Iterable[str]) -> set[str]:
    """Leave of these domains those that are not listed."""
    domains = set(names)
    return domains.difference(*(connection.scalars(_LISTED_OF, {"names": part}) for part in chunks(domains)))


_LISTED = sa.select(t.ListedDomain.domain)
_LISTED_OF = _LISTED.where(t.ListedDomain.domain.in_(NAMES))


# --- accounts ---


def is_live(account: type[t.Account] = t.Account) -> sa.ColumnElement[bool]:
    """Whether a CRM account can be mapped to: neither inactive nor deleted (product rule 2)."""
    return sa.and_(account.is_active, ~account.is_deleted)


# --- customers ---

MINE, THEIRS = sa.orm.aliased(t.ProviderAccount), sa.orm.aliased(t.ProviderAccount)
"""The two provider accounts of `same_customers`."""
_MY_DOMAIN, SHARED_DOMAIN = sa.orm.aliased(t.ProviderAccountDomain), sa.orm.aliased(t.ProviderAccountDomain)


@functools.cache
def same_customers() -> tuple[sa.Select[int, int], sa.Select[int, int]]:
    """Select (mine, theirs): one customer at two providers, by Microsoft tenant, and by `SHARED_DOMAIN`.

    The domain is named at both and not listed. Two different tenants are two customers, whatever domain they share, and
    nobody who is gone is the same as another. Both ways round are selected; a pair may come by the tenant and by
    several domains.
    """
    both = sa.select(MINE.id, THEIRS.id).where(
        MINE.provider_id != THEIRS.provider_id, MINE.gone_at.is_(None), THEIRS.gone_at.is_(None)
    )
    # That neither is empty says nothing new of the two, but lets SQLite use the partial index from either side.
    by_tenant = both.join_from(MINE, THEIRS, THEIRS.tenant_guid == MINE.tenant_guid).where(
        MINE.tenant_guid != "", THEIRS.tenant_guid != ""
    )
    by_domain = (
        both.join_from(MINE, _MY_DOMAIN, _MY_DOMAIN.provider_account_id == MINE.id)
        .join(SHARED_DOMAIN, SHARED_DOMAIN.domain == _MY_DOMAIN.domain)
        .join(THEIRS, THEIRS.id == SHARED_DOMAIN.provider_account_id)
        .where(
            is_named(_MY_DOMAIN),
            is_named(SHARED_DOMAIN),
            ~is_listed(SHARED_DOMAIN.domain),
            sa.or_(MINE.tenant_guid == "", THEIRS.tenant_guid == "", MINE.tenant_guid == THEIRS.tenant_guid),
        )
    )
    return by_tenant, by_domain
