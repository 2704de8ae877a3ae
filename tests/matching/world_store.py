"""Put an oracle's world into a database."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from oracle import World, WorldDomain

from w365.matching.domains import normalise_domain
from w365.model import Disposition, DomainKind, DomainList, Origin, ProviderKind, Rule
from w365.store import tables as t
from w365.store.reading.search_index import sort_key

NOW = dt.datetime(2026, 11, 1, 9, 0, tzinfo=dt.UTC)
ACCOUNT_FIELDS = dict.fromkeys(("number", "website", "city"), "")
PROVIDER_ACCOUNT_FIELDS = dict.fromkeys(("default_domain", "main_domain", "domain_source", "relationship", "note"), "")


def load(connection: sa.Connection, world: World) -> None:
    """Insert a world into empty tables; its ids are the tables' ids."""
    _insert(connection, t.Provider, [_provider(world, one) for one in (1, 2)])
    _insert(connection, t.Account, [_account(one) for one in world.accounts])
    crm_contacts = [
        {"crm_id": f"c{one.id}", "account_crm_id": f"a{one.account_id}", "domain": one.domain} for one in world.contacts
    ]
    _insert(connection, t.Contact, crm_contacts)
    _insert(connection, t.AccountDomain, _account_domains(world))
    unread = [{"domain": name, "account_id": one.id} for one in world.accounts for name in sorted(one.unread)]
    _insert(connection, t.UnreadDomain, unread)
    _insert(connection, t.ListedDomain, _listed(world))
    _insert(connection, t.ProviderAccount, [_provider_account(one) for one in world.provider_accounts])
    _insert(connection, t.ProviderAccountDomain, _domains(world))
    _load_decisions(connection, world)
    if connection.dialect.name == "postgresql":  # a sequence knows nothing of ids that were given
        connection.exec_driver_sql("SELECT setval(pg_get_serial_sequence('decision', 'id'), 5000)")


def _load_decisions(connection: sa.Connection, world: World) -> None:
    for decision_id, row in enumerate(world.provider_accounts, start=1):
        decision = {"id": decision_id, "at": NOW, "actor": "ana", "provider_account_id": row.id, "kind": "map"}
        _insert(connection, t.Decision, [decision])
        own = {"provider_account_id": row.id, "decision_id": decision_id}
        if row.id in world.mappings:
            _insert(
                connection, t.Mapping, [own | {"account_id": world.mappings[row.id], "origin": Origin.MANUAL.value}]
            )
        if row.disposition is not Disposition.OPEN:
            _insert(connection, t.StandingOrder, [own | {"kind": row.disposition.value, "reason": "", "until": None}])
        rejected = [account for of, account in sorted(world.rejections) if of == row.id]
        _insert(connection, t.Rejection, [own | {"account_id": account} for account in rejected])


def _provider(world: World, provider_id: int) -> dict[str, object]:
    override = world.overrides.get(provider_id)
    return {
        "id": provider_id,
        "name": f"Provider {provider_id}",
        "kind": ProviderKind.MANUAL.value,
        "cardinality": override.value if override else None,
        "verified_as": "",
    }


def _account(account: object) -> dict[str, object]:
    fields = ("email_domain", "website_domain", "tenant_guid", "is_active", "is_deleted", "name", "country")
    values = {name: getattr(account, name) for name in fields} | {"name_key": sort_key(account.name)}
    return ACCOUNT_FIELDS | values | {"id": account.id, "crm_id": f"a{account.id}"}


def _account_domains(world: World) -> list[dict[str, object]]:
    """One row an account, domain and rule, as the CRM sync folds them."""
    found: dict[tuple[str, int, str], list[str]] = {}
    for contact in world.contacts:
        found.setdefault((contact.domain, contact.account_id, Rule.CONTACT_DOMAIN.value), []).append(f"c{contact.id}")
    for account in world.accounts:
        for domain, rule in (
            (account.email_domain, Rule.ACCOUNT_EMAIL),
            (account.website_domain, Rule.ACCOUNT_WEBSITE),
        ):
            if domain:
                found[domain, account.id, rule.value] = []
    return [
        {
            "domain": domain,
            "account_id": account_id,
            "rule": rule,
            "contacts": len(contacts),
            "example": min(contacts, default=""),
        }
        for (domain, account_id, rule), contacts in found.items()
    ]


def _listed(world: World) -> list[dict[str, object]]:
    """A domain stands on one list; of several the one whose reason comes first."""
    first = (DomainList.FREE_MAIL, DomainList.PARTNER, DomainList.EXCLUDED, DomainList.SHARED)
    chosen = {domain: which for which in first for domain in world.lists.get(which, ())}
    return [{"domain": domain, "list": which.value} for domain, which in chosen.items()]


def _provider_account(row: object) -> dict[str, object]:
    return PROVIDER_ACCOUNT_FIELDS | {
        "id": row.id,
        "provider_id": row.provider_id,
        "specific_id": f"p{row.id}",
        "tenant_guid": row.tenant_guid,
        "name": row.name,
        "name_key": sort_key(row.name),
        "country": row.country,
        "first_seen_at": NOW,
        "gone_at": NOW if row.is_gone else None,
    }


def _domains(world: World) -> list[dict[str, object]]:
    return [
        {
            "provider_account_id": row.id,
            "domain": domain.name,
            "kind": _kind(domain).value,
            "is_default": False,
            "is_verified": domain.is_verified,
        }
        for row in world.provider_accounts
        for domain in row.domains
    ]


def _kind(domain: WorldDomain) -> DomainKind:
    kind = normalise_domain(domain.name).kind
    return DomainKind.TYPED if domain.is_typed and kind is DomainKind.OWN_NAME else kind


def _insert(connection: sa.Connection, table: type[t.Base], rows: list[dict[str, object]]) -> None:
    if rows:
        connection.execute(sa.insert(table), rows)
