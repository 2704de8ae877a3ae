"""Read a data folder: the world somebody brings along.

``tenants.json``, ``accounts.csv`` and ``contacts.csv`` must be there; ``subscriptions.csv`` may. Ids that are not GUIDs
get one that is always the same; an account's own id then stays visible as its account number.
"""

from __future__ import annotations

import csv
import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from w365.demo.wire import is_guid
from w365.demo.world import Account, Contact, Customer, Domain, Subscription, World
from w365.errors import InputError

REQUIRED_FILES = ("tenants.json", "accounts.csv", "contacts.csv")
_SPACE = uuid.UUID("0f6f4f0a-7c53-4b6e-9b0f-3b4f6a1d2c77")
_Item = TypeVar("_Item", Account, Contact, Customer)


def read_folder(folder: Path) -> World:
    """Read the folder's world. Raises InputError naming file and line of the first thing that is wrong."""
    for name in REQUIRED_FILES:
        if not (folder / name).is_file():
            raise InputError(f"The data folder {folder} has no file {name}.", do="Put it there and start again.")
    customers = _unique("tenants.json", _customers(folder / "tenants.json"))
    subscriptions = _subscriptions(folder / "subscriptions.csv", {customer.id for _, customer in customers})
    return World(
        name=folder.name,
        customers=tuple(
            replace(customer, subscriptions=tuple(subscriptions.get(customer.id, ()))) for _, customer in customers
        ),
        accounts=tuple(item for _, item in _unique("accounts.csv", _accounts(folder / "accounts.csv"))),
        contacts=tuple(item for _, item in _unique("contacts.csv", _contacts(folder / "contacts.csv"))),
        fingerprint=_fingerprint(folder),
    )


def stable_guid(kind: str, original: str) -> str:
    """Give the id itself where it is a GUID, else one made from it."""
    return original.lower() if is_guid(original) else str(uuid.uuid5(_SPACE, f"{kind}:{original}"))


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in (*REQUIRED_FILES, "subscriptions.csv"):
        path = folder / name
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:12]


def _unique(file: str, items: Iterable[tuple[str, _Item]]) -> list[tuple[str, _Item]]:
    seen: dict[str, str] = {}
    found = []
    for place, item in items:
        if item.id in seen:
            raise _wrong(file, place, f"has the same id as {seen[item.id]}")
        seen[item.id] = place
        found.append((place, item))
    return found


def _wrong(file: str, place: str, what: str) -> InputError:
    return InputError(f"{file}, {place}, {what}.", kept="Nothing was served.", do="Correct the file and start again.")


def _customers(path: Path) -> Iterator[tuple[str, Customer]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise _wrong(path.name, f"line {error.lineno}", f"is not valid JSON ({error.msg})") from None
    except UnicodeDecodeError:
        raise _wrong(path.name, "line 1 or later", "is not UTF-8 text") from None
    if not isinstance(content, list):
        raise _wrong(path.name, "line 1", "is not a list of tenants")
    for number, record in enumerate(content, start=1):
        place = f"tenant {number}"
        try:
            yield place, _customer(record)
        except (KeyError, TypeError, AttributeError) as error:
            raise _wrong(path.name, place, f"lacks or misshapes {error}") from None


def _customer(record: Mapping[str, Any]) -> Customer:
    profile = record["companyProfile"]
    domains = tuple(
        Domain(
            str(domain["name"]),
            is_verified=bool(domain.get("isVerified", True)),
            is_initial=bool(domain.get("isInitial", False)),
            is_default=bool(domain.get("isDefault", False)),
        )
        for domain in record.get("domains") or ()
    )
    return Customer(
        id=stable_guid("tenant", str(record["id"])),
        name=str(profile.get("companyName") or ""),
        domain=str(profile.get("domain") or ""),
        domains=domains,
        country=str(record.get("country") or ""),
        relationship=str(record.get("relationshipToPartner") or "reseller"),
    )


def _accounts(path: Path) -> Iterator[tuple[str, Account]]:
    for place, row in _rows(path, "account_id", "name", "website", "email", "country", "city"):
        original = row["account_id"]
        yield (
            place,
            Account(
                id=stable_guid("account", original),
                name=row["name"],
                number="" if is_guid(original) else original,
                website=row["website"],
                email=row["email"],
                country=row["country"],
                city=row["city"],
            ),
        )


def _contacts(path: Path) -> Iterator[tuple[str, Contact]]:
    known: dict[str, str] = {}
    for place, row in _rows(path, "contact_id", "account_id", "email"):
        original = row["account_id"]
        if original and original not in known:
            known[original] = stable_guid("account", original)
        yield (
            place,
            Contact(
                id=stable_guid("contact", row["contact_id"]), email=row["email"], parent_id=known.get(original, "")
            ),
        )


def _subscriptions(path: Path, customers: set[str]) -> dict[str, list[Subscription]]:
    found: dict[str, list[Subscription]] = {}
    if not path.is_file():
        return found
    for place, row in _rows(path, "tenant_id", "subscription_id", "offer_name", "quantity", "status"):
        customer_id = stable_guid("tenant", row["tenant_id"])
        if customer_id not in customers:
            raise _wrong(path.name, place, f"names the unknown tenant '{row['tenant_id']}'")
        if not row["quantity"].isdecimal():
            raise _wrong(path.name, place, f"has the quantity '{row['quantity']}', which is not a number")
        found.setdefault(customer_id, []).append(
            Subscription(
                id=stable_guid("subscription", row["subscription_id"]),
                offer_name=row["offer_name"],
                quantity=int(row["quantity"]),
                status=row["status"],
            )
        )
    return found


def _rows(path: Path, *columns: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the place and the values of each line; the first column must not be empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            read = _reading(path.name, next(reader, []), columns)
            for cells in reader:
                if cells:
                    place = f"line {reader.line_num}"
                    yield place, read(place, cells)
    except UnicodeDecodeError:
        raise _wrong(path.name, "line 1 or later", "is not UTF-8 text") from None
    except csv.Error as error:
        raise _wrong(path.name, f"line {reader.line_num}", f"is not valid CSV ({error})") from None


def _reading(file: str, header: list[str], columns: tuple[str, ...]) -> Callable[[str, list[str]], dict[str, str]]:
    missing = [column for column in columns if column not in header]
    if missing:
        raise _wrong(file, "line 1", f"lacks the column {', '.join(missing)}")
    places = {column: header.index(column) for column in columns}

    def read(place: str, cells: list[str]) -> dict[str, str]:
        if len(cells) != len(header):
            raise _wrong(file, place, f"has {len(cells)} cells where the header has {len(header)}")
        if not cells[places[columns[0]]].strip():
            raise _wrong(file, place, f"has no {columns[0]}")
        return {column: cells[position] for column, position in places.items()}

    return read
