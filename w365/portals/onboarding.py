"""What a connector can do beyond reading: create customers. Not every provider offers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from w365.errors import InputError
from w365.portals.protocol import Portal
from w365.source_records import Customer


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to create. ``domain`` is the whole name, ``country`` two letters, ``culture`` such as ``en-GB``."""

    name: str
    domain: str
    first_name: str
    last_name: str
    email: str
    phone: str
    address_line: str
    city: str
    state: str
    postal_code: str
    country: str
    culture: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the new customer's first admin signs in. It goes to the person who asked and nowhere else."""

    user_name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Created:
    """A customer that exists now; ``credentials`` is None where the answer held none."""

    customer: Customer
    credentials: Credentials | None


class OnboardingPortal(Protocol):
    """Creates customers at one provider. Every call raises SourceError, AccessError or Cancelled."""

    def is_free(self, domain: str) -> bool:
        """Tell whether nobody in the world has this domain yet."""
        ...

    def check_address(self, new: NewCustomer) -> None:
        """Raise AddressRefused, with the provider's words, where it does not accept the address."""
        ...

    def find(self, domain: str) -> Customer | None:
        """Return the partner's own customer with this default domain, None where there is none."""
        ...

    def create(self, new: NewCustomer, request_id: str) -> Created:
        """Ask once to create the customer; asked again with the same ``request_id`` it is still one customer.

        SourceUnreachable and SourceChanged leave open whether it was created.
        """
        ...

    def request_link(self) -> str:
        """Return the address at which the admin of an existing tenant accepts the partner."""
        ...


@runtime_checkable
class Onboards(Protocol):
    """A portal that can create customers."""

    @property
    def onboarding(self) -> OnboardingPortal: ...


def onboarding_of(portal: Portal, provider: str) -> OnboardingPortal:
    """Return how customers are created at a portal; raises InputError where they cannot be."""
    if not isinstance(portal, Onboards):
        raise InputError(
            f"Customers cannot be created at {provider} from here.",
            kept="Nothing was created.",
            do="Create the customer in the provider's own portal; the next sync brings it.",
        )
    return portal.onboarding
