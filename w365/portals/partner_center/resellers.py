"""An indirect provider's resellers, and which customers it reaches through which.

Partner Center tells them only where a person signed in. A partner without resellers is refused or told of none: then
nothing differs from a plain sync.
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Collection as Items
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from w365.errors import SourceRefused
from w365.http.fields import FieldError, name_record, required_id, required_text
from w365.http.wait import Check
from w365.portals.partner_center.collection import Collection, Link, ListPage
from w365.source_records import Customer, Rejected

_RESELLERS = Link("/v1/relationships?relationship_type=IsIndirectCloudSolutionProviderOf")


@dataclass(frozen=True, slots=True)
class Reseller:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ResellerChannels:
    """The resellers of an account, and the names of those that each customer is reached through.

    ``lack`` says which of their customers were not told, as the end of a sentence.
    """

    resellers: tuple[Reseller, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()
    lack: str = ""

    def mark(self, customer: Customer) -> Customer:
        """Say in the customer's relationship through whom it is reached."""
        if not (names := self.names.get(customer.specific_id)):
            return customer
        relationship = f"{customer.relationship} through {', '.join(names)}".strip()
        return dataclasses.replace(customer, relationship=relationship)

    def unmet(self, met: Items[str]) -> set[str]:
        """The customers of resellers that are not among these."""
        return {identifier for identifier in self.names if identifier not in met}


NO_CHANNELS = ResellerChannels()


def read_channels(collection: Collection, check: Check) -> ResellerChannels:
    """List the resellers and the customers of each. One whose customers are refused is told as rejected."""
    resellers, rejected, lack = _read_resellers(collection)
    names: defaultdict[str, list[str]] = defaultdict(list)
    for reseller in resellers:
        check()
        try:
            pages = list(customers_of(collection, reseller))
        except SourceRefused as error:
            why = f"its customers were not listed: the provider refuses it ({error.status})."
            rejected.append(Rejected(f"reseller {reseller.name}", why))
            lack = lack or f"the customers of reseller {reseller.name} were refused."
            continue
        lack = lack or (f"of reseller {reseller.name}’s {pages[-1].lack}" if pages[-1].lack else "")
        for identifier in {id_of(item) for page in pages for item in page.items} - {""}:
            names[identifier].append(reseller.name)
    return ResellerChannels(tuple(resellers), {key: tuple(name) for key, name in names.items()}, tuple(rejected), lack)


def customers_of(collection: Collection, reseller: Reseller, size: int = 500) -> Iterator[ListPage]:
    """Read the customers of one reseller; this filter is the only way to list them apart."""
    condition = json.dumps({"Field": "IndirectReseller", "Value": reseller.id, "Operator": "starts_with"})
    return collection.pages(Link(f"/v1/customers?size={size}&filter={quote(condition)}"))


def id_of(item: Any) -> str:
    """Return the id of a customer's record, or nothing where the record cannot be used anyway."""
    try:
        return required_id(item, "id") if isinstance(item, dict) else ""
    except FieldError:
        return ""


def _read_resellers(collection: Collection) -> tuple[list[Reseller], list[Rejected], str]:
    resellers: dict[str, Reseller] = {}
    rejected = []
    try:
        pages = list(collection.pages(_RESELLERS))
    except SourceRefused:
        return [], [], ""  # a direct partner: it has none to tell of
    for position, item in enumerate(item for page in pages for item in page.items):
        try:
            reseller = _read_reseller(item)
            resellers.setdefault(reseller.id, reseller)
        except FieldError as error:
            rejected.append(Rejected(f"reseller {name_record(item, 'id', position)}", f"reseller: {error}"))
    lack = f"of its resellers {pages[-1].lack}" if pages[-1].lack else ""
    return sorted(resellers.values(), key=lambda reseller: (reseller.name, reseller.id)), rejected, lack


def _read_reseller(item: Any) -> Reseller:
    if not isinstance(item, dict):
        raise FieldError("the record is not an object.")
    identifier = required_id(item, "id")
    return Reseller(identifier, required_text(item, "name") or identifier)
