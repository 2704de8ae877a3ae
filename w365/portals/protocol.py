"""What a provider's connector does. A further provider is one module with a class of this form and its tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from w365.http.wait import Waiting
from w365.source_records import Customer, CustomerPage

Choose = Callable[[Sequence[Customer]], Sequence[Customer]]
"""Of customers as a list names them, those to read whole."""


class Portal(Protocol):
    """Reads the customers of one provider."""

    @property
    def waiting(self) -> Waiting | None:
        """Why calls stand still just now, or None."""
        ...

    def verify(self) -> tuple[str, ...]:
        """Make the least calls that prove permission and say in sentences what works; raises what is missing."""
        ...

    def pages(self, cursor: str | None = None) -> Iterator[CustomerPage]:
        """Yield all customers page by page, from the start or after the page whose ``cursor`` is given.

        A customer comes once, on the first page that lists it. Raises SourceError, AccessError or Cancelled; pages
        already yielded stay good.
        """
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


@runtime_checkable
class TellsChanges(Protocol):
    """What a connector has besides where its provider keeps a record of changes."""

    def changed_since(self, since: dt.datetime) -> frozenset[str]:
        """Return the ids of the customers that were worked on since then.

        Raises SourceRefused where the provider does not tell or no longer knows, SourceChanged where it is not clear.
        """
        ...

    def pages(self, cursor: str | None = None, *, choose: Choose | None = None) -> Iterator[CustomerPage]:
        """As in Portal; with ``choose`` the list is read whole and of its customers only the chosen ones come."""
        ...


@runtime_checkable
class LooksAgain(Protocol):
    """What a connector has besides where its provider lists by place, and so may pass somebody over unnoticed."""

    def look_again(self, specific_id: str) -> Customer | None:
        """Read one customer whole; None where the provider knows none of this id. Raises SourceError otherwise."""
        ...
