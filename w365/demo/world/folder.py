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
from w365.demo.world.csv_lines import File, Line, read_lines, refuse_line
from w365.errors import InputError

REQUIRED_FILES = ("tenants.json", "accounts.csv", "contacts.csv")
_SPACE = uuid.UUID("0f6f4f0a-7c53-4b6e-9b0f-3b4f6a1d2c77")
_Item = TypeVar("_Item", Account, Company, Contact, Customer)
_Buyer = TypeVar("_Buyer", Company, Customer)


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
    return _Folder(folder, functools.cache(make_id)).read()


@dataclass(frozen=True, slots=True)
class _Folder:
    path: File
    make_id: Callable[[str, str], str]

    def read(self) -> World:
        return World(
            name=self.path.name,
            customers=self._add_subscriptions(
                _unique("tenants.json", self._customers()), "subscriptions.csv", "tenant_id"
            ),
            accounts=_unique("accounts.csv", self._accounts()),
            contacts=_unique("contacts.csv", self._contacts()),
            companies=self._add_subscriptions(
                _unique("companies.csv", self._companies()), "company_subscriptions.csv", "company_id"
            ),
            resellers=tuple(self._resellers()),
            fingerprint=self._fingerprint(),
        )

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for name in (*REQUIRED_FILES, "subscriptions.csv"):
            file = self.path / name
            digest.update(file.read_bytes() if file.is_file() else b"")
        return digest.hexdigest()[:12]

    def _lines(self, name: str, *columns: str, optional: Iterable[str] = ()) -> Iterator[Line]:
        file = self.path / name
        return read_lines(file, columns, tuple(optional)) if file.is_file() else iter(())

    def _customers(self) -> Iterator[tuple[str, Customer]]:
        name = "tenants.json"
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8-sig"))
        except json.JSONDecodeError as error:
            raise refuse_line(name, f"line {error.lineno}", f"is not valid JSON ({error.msg})") from None
        except UnicodeDecodeError:
            raise refuse_line(name, "line 1 or later", "is not UTF-8 text") from None
        if not isinstance(content, list):
            raise refuse_line(name, "line 1", "is not a list of tenants")
        for number, record in enumerate(content, start=1):
            place = f"tenant {number}"
            try:
                yield place, self._customer(record)
            except (KeyError, TypeError, AttributeError) as error:
                raise refuse_line(name, place, f"lacks or misshapes {error}") from None

    def _customer(self, record: Mapping[str, Any]) -> Customer:
        profile = record["companyProfile"]
        return Customer(
            id=self.make_id("tenant", str(record["id"])),
            name=str(profile.get("companyName") or ""),
            domain=str(profile.get("domain") or ""),
            domains=tuple(_domain(domain) for domain in record.get("domains") or ()),
            country=str(record.get("country") or ""),
            relationship=str(record.get("relationshipToPartner") or "reseller"),
            departed=bool(record.get("departed", False)),
        )

    def _accounts(self) -> Iterator[tuple[str, Account]]:
        columns = ("account_id", "name", "website", "email", "country", "city")
        for place, row in self._lines("accounts.csv", *columns, optional=("parent_id", "tenant_id", "is_active")):
            original = row["account_id"]
            yield (
                place,
                Account(
                    id=self.make_id("account", original),
                    name=row["name"],
                    number="" if is_guid(original) else original,
                    website=row["website"],
                    email=row["email"],
                    country=row["country"],
                    city=row["city"],
                    parent_id=self._id_or_none("account", row["parent_id"]),
                    tenant_id=self._id_or_none("tenant", row["tenant_id"]),
                    is_active=row["is_active"] != "false",
                ),
            )

    def _contacts(self) -> Iterator[tuple[str, Contact]]:
        columns = ("contact_id", "account_id", "email")
        for place, row in self._lines("contacts.csv", *columns, optional=("first_name", "last_name", "parent_id")):
            kind, parent = ("contact", row["parent_id"]) if row["parent_id"] else ("account", row["account_id"])
            yield (
                place,
                Contact(
                    id=self.make_id("contact", row["contact_id"]),
                    first_name=row["first_name"],
                    last_name=row["last_name"],
                    email=row["email"],
                    parent_id=self._id_or_none(kind, parent),
                    parent_kind=kind,
                ),
            )

    def _companies(self) -> Iterator[tuple[str, Company]]:
        columns = ("company_id", "name", "website", "country", "city", "external_id", "status", "updated")
        for place, row in self._lines("companies.csv", *columns):
            yield (
                place,
                Company(
                    id=self.make_id("company", row["company_id"]),
                    name=row["name"],
                    website=row["website"],
                    country=row["country"],
                    city=row["city"],
                    external_id=row["external_id"],
                    status=row["status"],
                    updated=_moment("companies.csv", place, row["updated"]),
                ),
            )

    def _resellers(self) -> Iterator[Reseller]:
        for _, row in self._lines("resellers.csv", "reseller_id", "name", "mpn_id", "location", "tenants"):
            customers = frozenset(self.make_id("tenant", each) for each in row["tenants"].split())
            reseller_id = self.make_id("reseller", row["reseller_id"])
            yield Reseller(reseller_id, row["name"], row["mpn_id"], row["location"], customers)

    def _add_subscriptions(self, buyers: tuple[_Buyer, ...], name: str, column: str) -> tuple[_Buyer, ...]:
        kind = column.removesuffix("_id")
        bought: dict[str, list[Subscription]] = {buyer.id: [] for buyer in buyers}
        columns = (column, "subscription_id", "offer_name", "quantity", "status")
        for place, row in self._lines(name, *columns, optional=("term", "created", "offer_id", "is_trial")):
            buyer_id = self.make_id(kind, row[column])
            if buyer_id not in bought:
                raise refuse_line(name, place, f"names the unknown {kind} '{row[column]}'")
            if not row["quantity"].isdecimal():
                raise refuse_line(name, place, f"has the quantity '{row['quantity']}', which is not a number")
            bought[buyer_id].append(self._subscription(row, _moment(name, place, row["created"])))
        return tuple(replace(buyer, subscriptions=tuple(bought[buyer.id])) for buyer in buyers)

    def _subscription(self, row: Mapping[str, str], created: datetime) -> Subscription:
        return Subscription(
            id=self.make_id("subscription", row["subscription_id"]),
            offer_name=row["offer_name"],
            quantity=int(row["quantity"]),
            status=row["status"],
            term=row["term"] or "P1Y",
            is_trial=row["is_trial"] == "true",
            offer_id=row["offer_id"],
            created=created,
        )

    def _id_or_none(self, kind: str, original: str) -> str:
        return self.make_id(kind, original) if original else ""


def _unique(file: str, items: Iterable[tuple[str, _Item]]) -> tuple[_Item, ...]:
    places: dict[str, str] = {}
    unique = []
    for place, item in items:
        if item.id in places:
            raise refuse_line(file, place, f"has the same id as {places[item.id]}")
        places[item.id] = place
        unique.append(item)
    return tuple(unique)


def _domain(record: Mapping[str, Any]) -> Domain:
    return Domain(
        str(record["name"]),
        is_verified=bool(record.get("isVerified", True)),
        is_initial=bool(record.get("isInitial", False)),
        is_default=bool(record.get("isDefault", False)),
    )


def _moment(file: str, place: str, text: str) -> datetime:
    """Read a moment; one without an offset is in UTC."""
    try:
        moment = datetime.fromisoformat(text) if text else FIRST_DAY
    except ValueError:
        raise refuse_line(file, place, f"has the date '{text}', which is not one") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
