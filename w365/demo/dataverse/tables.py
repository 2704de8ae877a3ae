"""The Dataverse tables: their columns, and the world's rows in them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from w365.demo.journal import Row
from w365.demo.world import FIRST_DAY, Account, Contact, World

PARENT_KIND = "parentcustomerid_kind"
"""Is kept in a row beside its columns: which table the customer of a contact is in."""


@dataclass(frozen=True, slots=True)
class Column:
    """``length`` 0 is no limit. ``binding`` names the navigation properties a lookup is written through."""

    name: str
    kind: str = "String"
    length: int = 0
    writable: bool = True
    binding: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CrmTable:
    """``entity_set`` is the name in addresses, ``logical_name`` the name in metadata."""

    logical_name: str
    entity_set: str
    primary_id: str
    primary_name: str
    metadata_id: str
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    """The columns of its alternate key."""


def _make_table(
    logical_name: str, primary_name: str, metadata_id: str, *columns: Column, key: tuple[str, ...] = ()
) -> CrmTable:
    primary_id = f"{logical_name}id"
    own = (
        Column(primary_id, "Uniqueidentifier"),
        *columns,
        Column("statecode", "State"),
        Column("statuscode", "Status"),
        Column("createdon", "DateTime", writable=False),
        Column("modifiedon", "DateTime", writable=False),
        Column("versionnumber", "BigInt", writable=False),
    )
    by_name = {column.name: column for column in own}
    return CrmTable(logical_name, f"{logical_name}s", primary_id, primary_name, metadata_id, by_name, key)


ACCOUNTS = _make_table(
    "account",
    "name",
    "70816501-edb9-4740-a16c-6a5efbc05d84",
    Column("name", length=160),
    Column("accountnumber", length=20),
    Column("websiteurl", length=200),
    Column("emailaddress1", length=100),
    Column("telephone1", length=50),
    Column("address1_city", length=80),
    Column("address1_country", length=80),
    # A column of the partner's own, as many add it by hand: the customer's tenant id.
    Column("new_tenantid", length=36),
    Column("_parentaccountid_value", "Lookup", binding={"parentaccountid": "accounts"}),
)
CONTACTS = _make_table(
    "contact",
    "fullname",
    "608861bc-50a4-4c5f-a02c-21fe1943e2cf",
    Column("fullname", length=160, writable=False),
    Column("firstname", length=50),
    Column("lastname", length=50),
    Column("emailaddress1", length=100),
    Column(
        "_parentcustomerid_value",
        "Customer",
        binding={"parentcustomerid_account": "accounts", "parentcustomerid_contact": "contacts"},
    ),
)
# A table of the partner's own, as a system used before left it: which customer is which account.
PROVIDER_ACCOUNTS = _make_table(
    "new_provideraccount",
    "new_name",
    "b2f6a6c1-5d0e-4a53-9d4e-2f9b1c6d7e80",
    Column("new_name", length=200),
    Column("new_specificaccountid", length=100),
    Column("new_provider", length=100),
    Column("_new_account_value", "Lookup", binding={"new_Account": "accounts"}),
    key=("new_provider", "new_specificaccountid"),
)
TABLES: Mapping[str, CrmTable] = {table.entity_set: table for table in (ACCOUNTS, CONTACTS, PROVIDER_ACCOUNTS)}
_MAPPED_EARLIER = slice(7, None, 40)
"""The customers that the system used before had mapped."""


def world_rows(world: World) -> Mapping[str, dict[str, Row]]:
    """The world's rows by table and id, with the version numbers 1, 2, 3 ..."""
    version = iter(range(1, 1 + len(world.accounts) + len(world.contacts)))
    return {
        "accounts": {account.id: _account_row(account, version) for account in world.accounts},
        "contacts": {contact.id: _contact_row(contact, version) for contact in world.contacts},
        PROVIDER_ACCOUNTS.entity_set: {
            str(row[PROVIDER_ACCOUNTS.primary_id]): row for row in _rows_of_earlier_system(world)
        },
    }


def _rows_of_earlier_system(world: World) -> Iterator[Row]:
    """Some customers with the account whose contacts have their domain; their versions are those of the beginning."""
    owners = {
        (contact.email.rpartition("@")[2].casefold(), contact.parent_id) for contact in world.contacts if contact.email
    }
    shared = Counter(domain for domain, _ in owners)
    account_of = {domain: account for domain, account in owners if account and shared[domain] == 1}
    account_ids = {account.id for account in world.accounts}
    for customer in world.customers[_MAPPED_EARLIER]:
        if (account := account_of.get(customer.domain.casefold())) in account_ids:
            row_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"before:{customer.id}"))
            yield {
                PROVIDER_ACCOUNTS.primary_id: row_id,
                "new_name": customer.name,
                "new_specificaccountid": customer.id,
                "new_provider": "Partner Center",
                "_new_account_value": account,
                **_make_life(FIRST_DAY, is_active=True, version=iter((1,))),
            }


def _account_row(account: Account, version: Iterator[int]) -> Row:
    return {
        "accountid": account.id,
        "name": account.name,
        "accountnumber": account.number or None,
        "websiteurl": account.website or None,
        "emailaddress1": account.email or None,
        "telephone1": account.phone or None,
        "address1_city": account.city or None,
        "address1_country": account.country or None,
        "new_tenantid": account.tenant_id or None,
        "_parentaccountid_value": account.parent_id or None,
        **_make_life(account.created, is_active=account.is_active, version=version),
    }


def _contact_row(contact: Contact, version: Iterator[int]) -> Row:
    return {
        "contactid": contact.id,
        "fullname": full_name(contact.first_name, contact.last_name),
        "firstname": contact.first_name or None,
        "lastname": contact.last_name or None,
        "emailaddress1": contact.email or None,
        "_parentcustomerid_value": contact.parent_id or None,
        PARENT_KIND: contact.parent_kind if contact.parent_id else None,
        **_make_life(contact.created, is_active=contact.is_active, version=version),
    }


def _make_life(created: datetime, *, is_active: bool, version: Iterator[int]) -> Row:
    moment = time_text(created)
    return {
        "statecode": 0 if is_active else 1,
        "statuscode": 1 if is_active else 2,
        "createdon": moment,
        "modifiedon": moment,
        "versionnumber": next(version),
    }


def time_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def full_name(first_name: object, last_name: object) -> str | None:
    return " ".join(str(part) for part in (first_name, last_name) if part) or None
