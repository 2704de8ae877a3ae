"""The guard against a list that lacks more than a set share of what is known: something else must be wrong then."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import MassDisappearance
from w365.store.configuring.settings import read_setting

_GUARD_FROM = 10
"""Below this many known records a share says nothing."""


@dataclass(frozen=True, slots=True)
class GoneGuard:
    """Whose list lacks which records, and what was kept and is to be done where the guard stops."""

    records: str
    listing: str
    kept: str
    do: str

    def refuse_too_many(self, connection: sa.Connection, missing: int, known: int) -> None:
        """Raise MassDisappearance where `missing` of `known` records are more than the setting lets pass."""
        if is_too_many(connection, missing, known):
            share = _read_share(connection)
            raise MassDisappearance(
                f"{missing:,} of {known:,} {self.records} are missing from {self.listing}, more than {share} %.",
                kept=self.kept,
                do=self.do,
            )


def is_too_many(connection: sa.Connection, missing: int, known: int) -> bool:
    """Whether the guard stops what would mark `missing` of `known` records as gone."""
    return known >= _GUARD_FROM and missing * 100 > _read_share(connection) * known


def _read_share(connection: sa.Connection) -> int:
    """In per cent."""
    return int(read_setting(connection, "gone_guard_percent"))
