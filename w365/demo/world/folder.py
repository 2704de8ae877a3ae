"""Read a data folder: the world somebody brings along, or the demo's own.

``tenants.json``, ``accounts.csv`` and ``contacts.csv`` must be there; ``subscriptions.csv`` may, and so may what the
demo's own has besides: ``companies.csv`` and ``company_subscriptions.csv`` for Pax8, and ``resellers.csv``. Ids that
are not GUIDs get one that is always the same; an account's own id then stays visible as its account number.
"""

from __future__ import annotations

import functools
import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from w365.demo.wire import is_guid
from w365.demo.world import FIRST_DAY, Account, Company, Contact, Customer, Domain, Reseller, Subscription, World
from w365.demo.world.csv_lines import Columns, File, read_lines, refuse_line
from w365.errors import InputError

TENANTS = "tenants.json"
REQUIRED_FILES = (TENANTS, "accounts.csv", "contacts.csv")
ACCOUNTS = Columns(
    ("account_id", "name", "website", "email", "country", "city"), optional=("parent_id", "tenant_id", "is_active")
)
# ``parent_id`` is another contact.
CONTACTS = Columns(("contact_id", "account_id", "email"), optional=("first_name", "last_name", "parent_id"))
COMPANIES = Columns(("company_id", "name", "website", "country", "city", "external_id", "status", "updated"))
RESELLERS = Columns(("reseller_id", "name", "mpn_id", "location", "tenants"))
_BOUGHT = ("subscription_id", "offer_name", "quantity", "status")
BOUGHT_OPTIONAL = ("term", "created", "offer_id", "is_trial")

_SPACE = uuid.UUID("0f6f4f0a-7c53-4b6e-9b0f-3b4f6a1d2c77")
_Made = TypeVar("_Made")
_Item = TypeVar("_Item", Account, Company, Contact, Customer, Reseller)
_Buyer = TypeVar("_Buyer", Company, Customer)
Row = Mapping[str, str]


def stable_guid(kind: str, original: str) -> str:
    """Give the id itself where it is a GUID, else one made from it."""
    return original.lower() if is_guid(original) else str(uuid.uuid5(_SPACE, f"{kind}:{original}"))


def read_folder(folder: File, make_id: Callable[[str, str], str] = stable_guid) -> World:
    """Read the folder's world. ``make_id`` gives the GUID for a kind (tenant, account, ...) and an id of the files.

    Raises InputError naming file and line of the first thing that is wrong.
    """
    for name in REQUIRED_FILES:
        if not (folder / name).is_file():
            raise InputError(f"The data folder {folder} has no file {name}.", do="Put it there and start again.")
    return _FolderReader(folder, functools.cache(make_id)).read_world()


@dataclass(frozen=True, slots=True)
class _FolderReader:
    """What makes something of a line raises ValueError with what is wrong there."""

    folder: File
    make_id: Callable[[str, str], str]

    def read_world(self) -> World:
        customers = _check_ids(TENANTS, self._read_tenants())
        companies = self._read_table("companies.csv", COMPANIES, self._make_company)
        return World(
            name=self.folder.name,
            customers=self._add_subscriptions(customers, "subscriptions.csv", "tenant"),
            accounts=self._read_table("accounts.csv", ACCOUNTS, self._make_account),
            contacts=self._read_table("contacts.csv", CONTACTS, self._make_contact),
            fingerprint=self._hash_files(),
            companies=self._add_subscriptions(companies, "company_subscriptions.csv", "company"),
            resellers=self._read_table("resellers.csv", RESELLERS, self._make_reseller),
        )

    def _hash_files(self) -> str:
        digest = hashlib.sha256()
        for name in (*REQUIRED_FILES, "subscriptions.csv"):
            file = self.folder / name
            digest.update(file.read_bytes() if file.is_file() else b"")
        return digest.hexdigest()[:12]

    def _read_tenants(self) -> Iterator[tuple[str, Customer]]:
        try:
            content = json.loads((self.folder / TENANTS).read_text(encoding="utf-8-sig"))
        except json.JSONDecodeError as error:
            raise refuse_line(TENANTS, f"line {error.lineno}", f"is not valid JSON ({error.msg})") from None
        except UnicodeDecodeError:
            raise refuse_line(TENANTS, "line 1 or later", "is not UTF-8 text") from None
        if not isinstance(content, list):
            raise refuse_line(TENANTS, "line 1", "is not a list of tenants")
        for number, record in enumerate(content, start=1):
            place = f"tenant {number}"
            try:
                yield place, self._make_customer(record)
            except (KeyError, TypeError, AttributeError) as error:
                raise refuse_line(TENANTS, place, f"lacks or misshapes {error}") from None

    def _read_table(self, name: str, columns: Columns, make: Callable[[Row], _Item]) -> tuple[_Item, ...]:
        return _check_ids(name, self._read_items(name, columns, make))

    def _read_items(self, name: str, columns: Columns, make: Callable[[Row], _Made]) -> Iterator[tuple[str, _Made]]:
        """Make something of each line; of a file that is not there, nothing."""
        file = self.folder / name
        for place, row in read_lines(file, columns) if file.is_file() else ():
            try:
                yield place, make(row)
            except ValueError as error:
                raise refuse_line(name, place, str(error)) from None

    def _add_subscriptions(self, buyers: tuple[_Buyer, ...], name: str, kind: str) -> tuple[_Buyer, ...]:
        column = f"{kind}_id"
        bought: dict[str, list[Subscription]] = {buyer.id: [] for buyer in buyers}

        def make(row: Row) -> tuple[str, Subscription]:
            buyer_id = self.make_id(kind, row[column])
            if buyer_id not in bought:
                raise ValueError(f"names the unknown {kind} '{row[column]}'")
            return buyer_id, self._make_subscription(row)

        for _, (buyer_id, subscription) in self._read_items(name, Columns((column, *_BOUGHT), BOUGHT_OPTIONAL), make):
            bought[buyer_id].append(subscription)
        return tuple(replace(buyer, subscriptions=tuple(bought[buyer.id])) for buyer in buyers)

    def _make_customer(self, record: Mapping[str, Any]) -> Customer:
        profile = record["companyProfile"]
        return Customer(
            id=self.make_id("tenant", str(record["id"])),
            name=str(profile.get("companyName") or ""),
            domain=str(profile.get("domain") or ""),
            domains=tuple(_make_domain(domain) for domain in record.get("domains") or ()),
            country=str(record.get("country") or ""),
            relationship=str(record.get("relationshipToPartner") or "reseller"),
            departed=bool(record.get("departed", False)),
        )

    def _make_subscription(self, row: Row) -> Subscription:
        if not row["quantity"].isdecimal():
            raise ValueError(f"has the quantity '{row['quantity']}', which is not a number")
        return Subscription(
            id=self.make_id("subscription", row["subscription_id"]),
            offer_name=row["offer_name"],
            quantity=int(row["quantity"]),
            status=row["status"],
            term=row["term"] or "P1Y",
            is_trial=row["is_trial"] == "true",
            offer_id=row["offer_id"],
            created=_parse_moment(row["created"]),
        )

    def _make_account(self, row: Row) -> Account:
        original = row["account_id"]
        return Account(
            id=self.make_id("account", original),
            name=row["name"],
            number="" if is_guid(original) else original,
            website=row["website"],
            email=row["email"],
            country=row["country"],
            city=row["city"],
            parent_id=self._make_optional_id("account", row["parent_id"]),
            tenant_id=self._make_optional_id("tenant", row["tenant_id"]),
            is_active=row["is_active"] != "false",
        )

    def _make_contact(self, row: Row) -> Contact:
        kind, parent = ("contact", row["parent_id"]) if row["parent_id"] else ("account", row["account_id"])
        return Contact(
            id=self.make_id("contact", row["contact_id"]),
            first_name=row["first_name"],
            last_name=row["last_name"],
            email=row["email"],
            parent_id=self._make_optional_id(kind, parent),
            parent_kind=kind,
        )

    def _make_company(self, row: Row) -> Company:
        return Company(
            id=self.make_id("company", row["company_id"]),
            name=row["name"],
            website=row["website"],
            country=row["country"],
            city=row["city"],
            external_id=row["external_id"],
            status=row["status"],
            updated=_parse_moment(row["updated"]),
        )

    def _make_reseller(self, row: Row) -> Reseller:
        customers = frozenset(self.make_id("tenant", tenant) for tenant in row["tenants"].split())
        reseller_id = self.make_id("reseller", row["reseller_id"])
        return Reseller(reseller_id, row["name"], row["mpn_id"], row["location"], customers)

    def _make_optional_id(self, kind: str, original: str) -> str:
        return self.make_id(kind, original) if original else ""


def _check_ids(name: str, items: Iterable[tuple[str, _Item]]) -> tuple[_Item, ...]:
    """Give the items without their places; two with the same id are refused."""
    places: dict[str, str] = {}
    unique: list[_Item] = []
    for place, item in items:
        if item.id in places:
            raise refuse_line(name, place, f"has the same id as {places[item.id]}")
        places[item.id] = place
        unique.append(item)
    return tuple(unique)


def _make_domain(record: Mapping[str, Any]) -> Domain:
    return Domain(
        str(record["name"]),
        is_verified=bool(record.get("isVerified", True)),
        is_initial=bool(record.get("isInitial", False)),
        is_default=bool(record.get("isDefault", False)),
    )


def _parse_moment(text: str) -> datetime:
    """Read a moment; one without an offset is in UTC."""
    try:
        moment = datetime.fromisoformat(text) if text else FIRST_DAY
    except ValueError:
        raise ValueError(f"has the date '{text}', which is not one") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
