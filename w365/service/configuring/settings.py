"""What people set: Auto-Match, rules, policy, domain lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from w365.model import Actor, DomainList, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.configuring import settings as stored
from w365.store.configuring.setting_changes import ChangedSetting, read_changes


@needs(Role.VIEWER)
def get_settings(service: Service, actor: Actor) -> Mapping[str, str]:
    """All settings by name, as text."""
    with service.store.read() as connection:
        return stored.read_texts(connection)


@needs(Role.ADMIN)
def set_setting(service: Service, actor: Actor, name: str, value: str) -> bool:
    """Change a setting; False when it had that value. Raises InputError, with the old value kept."""
    return bool(set_settings(service, actor, {name: value}))


@needs(Role.ADMIN)
def set_settings(service: Service, actor: Actor, values: Mapping[str, str]) -> int:
    """Change several settings in one transaction and return how many differ from before."""
    with service.store.write() as connection:
        return stored.put_settings(connection, actor, service.clock(), values)


@needs(Role.VIEWER)
def domains_on(service: Service, actor: Actor, which: DomainList) -> list[str]:
    with service.store.read() as connection:
        return stored.read_domains(connection, which)


@needs(Role.VIEWER)
def list_changes(service: Service, actor: Actor, limit: int = 200) -> list[ChangedSetting]:
    """List the latest changes; a viewer learns that something changed, not from what to what.

    The values hold addresses, tenants and client ids.
    """
    with service.store.read() as connection:
        changes = read_changes(connection, limit)
    if actor.role >= Role.ANALYST:
        return changes
    return [replace(change, old_value="", value="") for change in changes]
