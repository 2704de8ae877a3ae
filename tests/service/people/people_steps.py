"""Steps for tests of who is signed in."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from w365.entrance import Entrance, SignInMode
from w365.model import Actor
from w365.service import Service
from w365.service.people.identity import Identity, read_claims
from w365.service.people.sessions import enter
from w365.sign_in_settings import IdentityProvider, SignInSettings

ISSUER = "https://id.example.com"
TENANT = "6f3e1c52-1111-4a5b-9c1d-000000000001"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"
PROVIDER = IdentityProvider(ISSUER, "w365", "secret")
ROLES = {"viewer": frozenset({"viewer"}), "analyst": frozenset({"analyst"}), "admin": frozenset({"admin"})}
TEAM = SignInSettings(PROVIDER, role_claims=ROLES)
BROWSER = "a browser"


def team(service: Service, mode: SignInMode = SignInMode.OIDC, **settings: Any) -> Service:
    """The service of an installation where people sign in."""
    changed = replace(service.settings, entrance=Entrance(mode), people=replace(TEAM, **settings))
    return replace(service, settings=changed)


def claims(service: Service, sub: str = "1", **further: Any) -> dict[str, Any]:
    named = {"name": "Ann Lee", "preferred_username": "ann@example.com", "roles": ["analyst"], "nonce": "n"}
    return {"iss": ISSUER, "sub": sub, "iat": int(service.clock().timestamp())} | named | further


def identity(service: Service, sub: str = "1", **further: Any) -> Identity:
    return read_claims(claims(service, sub, **further), PROVIDER, service.clock())


def sign_in(service: Service, sub: str = "1", browser: str = BROWSER, **further: Any) -> Actor:
    return enter(service, identity(service, sub, **further), browser)


def by_proxy(at: dt.datetime, user: str = "ann", groups: str = "analyst") -> Identity:
    return Identity(f"proxy#{user}", user, user, frozenset(groups.split(",")), at)
