"""Conflicts: domains and accounts that point to more than one place, the most rows first.

An account is chosen for the rows of a domain by the bulk action that assigns them.
"""

from __future__ import annotations

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.configuring.settings import read_policy
from w365.store.deciding.conflict_pages import Conflicts, PageNumbers, read_conflicts, read_divided
from w365.store.reading.worklist import Row

PER_PAGE = 5
MOST_ROWS = 200
"""Rows of a domain for which an account is chosen at once."""


@needs(Role.VIEWER)
def list_conflicts(
    service: Service, actor: Actor, pages: PageNumbers | None = None, *, limit: int = PER_PAGE
) -> Conflicts:
    """Read a page of each kind, in one consistent state of the proposals as they were last settled."""
    with service.store.read() as connection:
        return read_conflicts(connection, read_policy(connection), pages or PageNumbers(), limit)


@needs(Role.VIEWER)
def rows_of_domain(service: Service, actor: Actor, domain: str) -> list[Row]:
    """Read the open provider accounts that a domain puts in conflict, `MOST_ROWS` at most."""
    with service.store.read() as connection:
        return read_divided(connection, read_policy(connection), domain, MOST_ROWS)
