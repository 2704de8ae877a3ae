"""The rows of `setting_change`: who changed which setting, list, connection, sign-in or schedule, from what to what."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from w365.model import AuditKind
from w365.store import tables as t
from w365.store.people.audit_log import note_event

_MOST_SAID = 200


@dataclass(frozen=True, slots=True)
class ChangedSetting:
    """One audited change."""

    at: dt.datetime
    actor: str
    name: str
    old_value: str
    value: str


def note_change(connection: sa.Connection, actor: str, at: dt.datetime, name: str, old: str, new: str) -> None:
    """Note it here, and for admins in the audit log, where a long list of domains is cut."""
    connection.execute(_NOTE, {"at": at, "actor": actor, "name": name, "old_value": old, "value": new})
    told = f"{name}: {_cut(old)} → {_cut(new)}" if old else f"{name}: {_cut(new)}"
    note_event(connection, actor, at, AuditKind.SETTING, told)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SAID else f"{text[: _MOST_SAID - 1]}…"


def read_changes(connection: sa.Connection, limit: int) -> list[ChangedSetting]:
    """Read the latest changes, the latest first."""
    return [ChangedSetting(*row) for row in connection.execute(_LATEST, {"most": limit})]


_NOTE = sa.insert(t.SettingChange)
_COLUMNS = [getattr(t.SettingChange, name) for name in ChangedSetting.__dataclass_fields__]
_LATEST = sa.select(*_COLUMNS).order_by(t.SettingChange.id.desc()).limit(sa.bindparam("most", type_=sa.Integer))
