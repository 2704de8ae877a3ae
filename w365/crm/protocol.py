"""What a CRM's connector does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from w365.crm.mappings import MappingTable
from w365.crm.tables import MappingPlace, Metadata
from w365.http.wait import Waiting
from w365.source_records import ChangePage, CrmAccount, CrmContact, NewAccount


class Crm(Protocol):
    """Reads accounts and contacts, all or what changed, and creates accounts."""

    @property
    def waiting(self) -> Waiting | None:
        """Why calls stand still just now, or None."""
        ...

    def verify(self) -> tuple[str, ...]:
        """Make the least calls that prove permission and say in sentences what works; raises what is missing."""
        ...

    def accounts(self, since: str | None = None, *, cursor: str | None = None) -> Iterator[ChangePage[CrmAccount]]:
        """Yield all accounts, active and inactive, or what changed since the delta link ``since``.

        The last page has the link for the next time, or None where the CRM does not track changes: then every read is
        a full one. With the ``cursor`` of a page, all that come after that page. Raises DeltaExpired when ``since`` or
        ``cursor`` is too old.
        """
        ...

    def contacts(self, since: str | None = None, *, cursor: str | None = None) -> Iterator[ChangePage[CrmContact]]:
        """Yield contacts likewise; nothing of an e-mail address but its domain leaves the connector."""
        ...

    def create_account(self, account: NewAccount) -> CrmAccount:
        """Create an account once. Raises InputError for values it cannot have, or when the CRM knows it already."""
        ...

    def metadata(self) -> Metadata:
        """What the CRM's tables are."""
        ...

    def mappings(self, place: MappingPlace) -> MappingTable:
        """The table that holds mappings. Raises ConfigurationError naming what of it is missing."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...
