"""What a provider's connector does. A further provider is one module with a class of this form and its tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from w365.http.wait import Waiting
from w365.model import CustomerPage


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
