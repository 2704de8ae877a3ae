"""Customers that clients create at Partner Center: what is refused, what a repeat gives, and what outlives a restart.

The journal keeps customers and the request that made each, never a password.
"""

from __future__ import annotations

import html
import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from w365.demo.journal import Journal, RowChange
from w365.demo.partner_center.refusal import PartnerCenterRefusal
from w365.demo.wire import BOM, Request, is_guid, new_guid
from w365.demo.world import Customer, Domain

_TABLE = "customer"
_INITIAL = re.compile(r"[a-z0-9]{1,27}\.onmicrosoft\.com")
_POSTAL_CODES = {
    "US": r"\d{5}(-\d{4})?",
    "DE": r"\d{5}",
    "FR": r"\d{5}",
    "NL": r"\d{4} ?[A-Z]{2}",
    "GB": r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
}
_WITH_STATE = frozenset({"US", "CA", "AU"})

# Our guess, both numbers: Microsoft's list of error codes (of June 2023) has none for a domain that is taken.
_TAKEN = (409, 600009)
# From the documented answer to a corrected address; that creating a customer answers the same is our guess.
_ADDRESS, _ADDRESS_INSIDE = (400, 2007), "60071"


@dataclass(frozen=True, slots=True)
class CreatedCustomer:
    """A created customer with what its answer holds besides."""

    customer: Customer
    billing: Mapping[str, object]
    credentials: Mapping[str, str] | None = field(repr=False, default=None)


class NewCustomers:
    """``journal`` None: nothing can be created."""

    def __init__(
        self, journal: Journal | None, make_password: Callable[[], str] = lambda: secrets.token_urlsafe(9)
    ) -> None:
        self._journal = journal
        self._make_password = make_password
        self._made: dict[str, CreatedCustomer] = {}
        self._passwords: dict[str, str] = {}
        self._lock = threading.Lock()

    def read_new(self) -> list[Customer]:
        """Give the customers nobody read before, this process' own and those of an earlier one."""
        customers = []
        for _, change in self._journal.read_new() if self._journal else ():
            if change.table == _TABLE and change.row is not None:
                customer = _make_customer(change.row)
                self._made.setdefault(
                    str(change.row["request"]), CreatedCustomer(customer, {"companyName": customer.name})
                )
                customers.append(customer)
        return customers

    def check_address(self, request: Request) -> None:
        _check_address(_read_body(request))

    def create_customer(self, request: Request, taken: set[str]) -> CreatedCustomer:
        """Make a customer, or give the one that the same request id made; its password is known until a restart."""
        key = request.header("ms-requestid").lower() or new_guid()
        with self._lock:
            if key not in self._made:
                self._create_once(key, _read_body(request), taken)
            made = self._made[key]
        password = self._passwords.get(key)
        credentials = {"userName": "admin", "password": password} if password else None
        return CreatedCustomer(made.customer, made.billing, credentials)

    def _create_once(self, key: str, body: Mapping[str, Any], taken: set[str]) -> None:
        if self._journal is None or not is_guid(key):
            raise PartnerCenterRefusal("The request id is not a GUID.")
        domain, billing = _check_customer(body, taken)
        address = billing["defaultaddress"]
        row = {"request": key, "id": new_guid(), "domain": domain, "name": str(billing["companyname"])}
        row["country"] = str(address["country"]).upper()
        self._journal.append(RowChange(_TABLE, row["id"], dict(row)))
        shown = {"companyName": row["name"], "email": billing["email"], "culture": billing["culture"]}
        self._made[key] = CreatedCustomer(_make_customer(row), shown | {"language": billing["language"]})
        self._passwords[key] = self._make_password()


def _make_customer(row: Mapping[str, object]) -> Customer:
    domain = str(row["domain"])
    domains = (Domain(domain, is_initial=True, is_default=True),)
    return Customer(str(row["id"]), str(row["name"]), domain, domains, country=str(row["country"]))


def _read_body(request: Request) -> Mapping[str, Any]:
    try:
        content = _lower_names(json.loads(request.body.removeprefix(BOM)))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise PartnerCenterRefusal("The body is not JSON.")
    return content


def _lower_names(part: Any) -> Any:
    """Names are taken in any case, as the samples write them both ways; null is as good as absent."""
    if isinstance(part, dict):
        return {str(name).lower(): _lower_names(value) for name, value in part.items() if value is not None}
    return part


def _check_customer(body: Mapping[str, Any], taken: set[str]) -> tuple[str, Mapping[str, Any]]:
    profile, billing = body.get("companyprofile"), body.get("billingprofile")
    domain = str(profile.get("domain", "")).lower() if isinstance(profile, dict) else ""
    if not _INITIAL.fullmatch(domain):
        raise PartnerCenterRefusal("The domain is not valid.")
    if not isinstance(billing, dict) or not all(billing.get(name) for name in ("email", "culture", "language")):
        raise PartnerCenterRefusal("The billing profile is not complete.")
    address = billing.get("defaultaddress")
    if not billing.get("companyname") or not isinstance(address, dict):
        raise PartnerCenterRefusal("The billing profile is not complete.")
    _check_address(address)
    if not all(address.get(name) for name in ("firstname", "lastname")):
        raise PartnerCenterRefusal("The address needs a first and a last name.")
    if domain in taken:
        raise PartnerCenterRefusal("The domain is taken.", *_TAKEN)
    return domain, billing


def _check_address(address: Mapping[str, Any]) -> None:
    """A few rules by country; the real service knows every street."""
    country = str(address.get("country", "")).upper()
    if not re.fullmatch(r"[A-Z]{2}", country):
        raise _refuse_address("Country", "The country must have two letters.")
    for name, called in (("addressline1", "first line"), ("city", "city")):
        if not str(address.get(name, "")).strip():
            raise _refuse_address("Address", f"The {called} of the address is missing.")
    if country in _WITH_STATE and not re.fullmatch(r"[A-Za-z]{2,3}", str(address.get("state", ""))):
        raise _refuse_address("State", f"An address in {country} needs a state.")
    if not re.fullmatch(_POSTAL_CODES.get(country, r".*"), str(address.get("postalcode", "")).upper()):
        raise _refuse_address("Zip", f"The postal code is not valid in {country}.")


def _refuse_address(part: str, why: str) -> PartnerCenterRefusal:
    """Refuse as the service does: the description is JSON again, whose reason has a name, and quotes as entities."""
    reason = f"{part}Invalid - Details: {html.escape(why)}"
    inside = {
        "code": _ADDRESS_INSIDE,
        "reason": reason,
        "object_type": "AddressValidation",
        "resource_status": "Active",
    }
    return PartnerCenterRefusal(json.dumps(inside, separators=(",", ":")), *_ADDRESS)
