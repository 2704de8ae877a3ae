"""GUIDs that are stored in other letters or in braces than they are written now: they are one id."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from w365.model import GUID, fold_guid
from w365.store import tables as t


def find_spellings(connection: sa.Connection, provider_id: int, specific_ids: Iterable[str]) -> dict[str, str]:
    """Find which of these ids, folded as `fold_guid` does, a provider has in another spelling, and that one.

    An id that is stored in both is itself.
    """
    asked = {text for text in specific_ids if GUID.fullmatch(text)}
    pa = t.ProviderAccount
    is_otherwise = sa.or_(pa.specific_id != sa.func.lower(pa.specific_id), pa.specific_id.like("{%"))
    query = sa.select(pa.specific_id).where(pa.provider_id == provider_id, is_otherwise)
    others = {fold_guid(stored): stored for stored in connection.scalars(query)} if asked else {}
    others = {folded: stored for folded, stored in others.items() if folded != stored and folded in asked}
    same = sa.select(pa.specific_id).where(pa.provider_id == provider_id, pa.specific_id.in_(others))
    itself = set(connection.scalars(same)) if others else set()
    return {folded: stored for folded, stored in others.items() if folded not in itself}
