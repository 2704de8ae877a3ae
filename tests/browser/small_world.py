"""Forty fictional customers with every case that a page must show."""

from __future__ import annotations

import uuid

from w365.demo.world import Account, Contact, Customer, Domain, Subscription, World

MAPPABLE = 20
CONFLICTS = 6
WITHOUT_ACCOUNT = 8
SCRIPT_NAME = "<script>alert(1)</script> $x$ :red[hot] Ltd"
RTL_NAME = "شركة النور للتجارة"
IDN_DOMAIN = "bücher-kontor.de"
_AWKWARD = (
    (SCRIPT_NAME, "scriptname.de"),
    (RTL_NAME, "alnoor-trading.ae"),
    ("Bücher-Kontor GmbH", IDN_DOMAIN),
    ("Only Free Mail", "gmail.com"),
    ("A" * 250, "very-long-name.de"),
    ("No domain of its own", ""),
)


def small_world() -> World:
    """Twenty customers with one account, six with two, eight with none, six awkward ones."""
    customers: list[Customer] = []
    accounts: list[Account] = []
    contacts: list[Contact] = []

    def account(name: str, domain: str) -> None:
        accounts.append(Account(_guid("account", len(accounts)), name, number=f"A-{len(accounts):04}"))
        contacts.append(Contact(_guid("contact", len(contacts)), email=f"x@{domain}", parent_id=accounts[-1].id))

    for n in range(MAPPABLE):
        customers.append(_customer(len(customers), f"Kestrel {n:02} GmbH", f"kestrel{n:02}.de"))
        account(f"Kestrel {n:02}", f"kestrel{n:02}.de")
    for n in range(CONFLICTS):
        customers.append(_customer(len(customers), f"Heron {n:02} AG", f"heron{n:02}.de"))
        account(f"Heron {n:02}", f"heron{n:02}.de")
        account(f"Heron {n:02} Holding", f"heron{n:02}.de")
    for n in range(WITHOUT_ACCOUNT):
        customers.append(_customer(len(customers), f"Osprey {n:02} Ltd", f"osprey{n:02}.co.uk"))
    for name, domain in _AWKWARD:
        customers.append(_customer(len(customers), name, domain))
    return World("small", tuple(customers), tuple(accounts), tuple(contacts), "small")


def _customer(number: int, name: str, domain: str) -> Customer:
    initial = f"tenant{number}.onmicrosoft.com"
    domains = [Domain(initial, is_initial=True, is_default=not domain)]
    if domain:
        domains.insert(0, Domain(domain, is_default=True))
    subscription = Subscription(_guid("subscription", number), "Business Premium", quantity=5 + number)
    return Customer(
        _guid("customer", number), name, domain or initial, tuple(domains), "DE", subscriptions=(subscription,)
    )


def _guid(kind: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind}:{number}"))
