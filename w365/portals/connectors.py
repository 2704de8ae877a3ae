"""Every provider that is read by itself, one line each; see docs/guides/provider.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from w365.connection import PARTNER_CENTER, PAX8, Connection
from w365.http.wait import Check
from w365.model import ProviderKind
from w365.portals.partner_center.connector import connect_partner_center, user_scope
from w365.portals.pax8 import connect_pax8
from w365.portals.protocol import Portal


class Connect(Protocol):
    """Opens a connector; nothing is sent yet."""

    def __call__(self, connection: Connection, *, check: Check) -> Portal: ...


@dataclass(frozen=True, slots=True)
class Connector:
    """A kind of provider: its names on the pages, the word in its settings' names, and how it is opened.

    ``user_scope`` is what a person consents to, where one can sign in with the application. ``onboards`` says that
    customers can be created there (`w365.portals.onboarding`).
    """

    kind: ProviderKind
    name: str
    setting: str
    connect: Connect
    full_name: str = ""
    user_scope: Callable[[Connection], str] | None = None
    onboards: bool = False


CONNECTORS = (
    Connector(
        ProviderKind.PARTNER_CENTER,
        "Partner Center",
        PARTNER_CENTER,
        connect_partner_center,
        "Microsoft Partner Center",
        user_scope,
        onboards=True,
    ),
    Connector(ProviderKind.PAX8, "Pax8", PAX8, connect_pax8, "Pax8 marketplace"),
)


def connector_of(kind: str) -> Connector | None:
    """Return the connector of a kind, or None for providers whose rows are entered by hand."""
    return next((connector for connector in CONNECTORS if connector.kind == kind), None)
