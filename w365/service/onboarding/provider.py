"""The providers at which customers can be created, and one of them opened while a person waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from w365.errors import Cancelled
from w365.model import Actor, Role
from w365.portals.connectors import CONNECTORS
from w365.portals.onboarding import OnboardingPortal, onboarding_of
from w365.service import Service
from w365.service.access import needs
from w365.store.syncing.providers import get_provider, read_provider_names

_PATIENCE_SECONDS = 45.0
_KINDS = tuple(connector.kind for connector in CONNECTORS if connector.onboards)


@needs(Role.VIEWER)
def list_providers_to_onboard_at(service: Service, actor: Actor) -> dict[int, str]:
    """Name the providers at which customers can be created, by id."""
    with service.store.read() as connection:
        return read_provider_names(connection, _KINDS)


@contextmanager
def open_provider(service: Service, provider_id: int) -> Iterator[OnboardingPortal]:
    """Open the provider; a person waits for it, so it may not keep us waiting for long."""
    with service.store.read() as connection:
        name = get_provider(connection, provider_id).name
    with service.open_portal(name, _until(time.monotonic() + _PATIENCE_SECONDS, name)) as portal:
        yield onboarding_of(portal, name)


def _until(end: float, name: str) -> Callable[[], None]:
    def check() -> None:
        if time.monotonic() > end:
            raise Cancelled(f"{name} keeps us waiting.", do="Try again in some minutes.")

    return check
