"""A customer to create, and the demo's Partner Center reached with little patience."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from w365.config import load_settings
from w365.connection import Connection
from w365.demo.servers import Servers
from w365.http.conditions import Conditions
from w365.http.retry import Patience
from w365.portals.onboarding import NewCustomer

DOMAIN = "fabrikamleeds.onmicrosoft.com"
NEW = NewCustomer(
    name="Fabrikam Leeds",
    domain=DOMAIN,
    first_name="Gil",
    last_name="Soto",
    email="gil@fabrikam-leeds.example",
    phone="+44 113 496 0000",
    address_line="1 Mill Lane",
    city="Leeds",
    state="",
    postal_code="LS1 4AP",
    country="GB",
    culture="en-GB",
)
HASTY = Conditions(patience=Patience(tries=1, busy_tries=1, first_delay=0.01, total=0.4, read=0.4))


def connection_to(servers: Servers, home: Path) -> Connection:
    found = load_settings(servers.environment() | {"W365_HOME": str(home)}).partner_center
    assert found
    return found


def changed(**facts: str) -> NewCustomer:
    return dataclasses.replace(NEW, **facts)
