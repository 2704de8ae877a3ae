"""How people sign in to the app, who they are there, and how long they stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from w365.entrance import Entrance, SignInMode, is_loopback
from w365.errors import ConfigurationError

ROLE_SETTINGS = {"viewer": "W365_VIEWER_ROLES", "analyst": "W365_ANALYST_ROLES", "admin": "W365_ADMIN_ROLES"}
"""The roles, upwards, and the settings that say which roles and groups of the claims give each; its own name does."""


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """An OpenID Connect provider and the application that is registered there.

    ``strengths``: values of which a sign-in has to name one, as `acr` or in `amr`; with none, its policy alone counts.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    strengths: frozenset[str] = frozenset()

    @property
    def metadata_url(self) -> str:
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """``admins`` are subjects. ``role_claims`` says for each role which roles or groups of the claims give it.

    ``provider`` is there where one signs people in. ``lets_unknown_view``: who has no role by any of these may look.
    ``sign_out_url`` is the proxy's.
    """

    provider: IdentityProvider | None = None
    admins: frozenset[str] = frozenset()
    role_claims: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lets_unknown_view: bool = False
    longest: dt.timedelta = dt.timedelta(hours=12)
    idle: dt.timedelta = dt.timedelta(hours=1)
    sign_out_url: str = ""


def read_sign_in_settings(get: Callable[[str], str], entrance: Entrance) -> SignInSettings:
    """Read the settings; ConfigurationError names the one that is missing or malformed."""
    asked = {name: get(name) for name in _FOR_OIDC}
    strengths, sign_out_url = _listed(get("W365_OIDC_STRENGTH")), get("W365_SIGN_OUT_URL")
    if sign_out_url:
        _check_address("W365_SIGN_OUT_URL", sign_out_url)
    return SignInSettings(
        _provider(asked | {"W365_PUBLIC_URL": entrance.public_url}, strengths)
        if entrance.sign_in is SignInMode.OIDC
        else None,
        _listed(get("W365_ADMINS")),
        {role: _listed(get(name) or role) for role, name in ROLE_SETTINGS.items()},
        _word(get, "W365_UNKNOWN_PEOPLE", "refuse", "refuse", "viewer") == "viewer",
        dt.timedelta(hours=_number(get, "W365_SESSION_HOURS", 12, most=24 * 30)),
        dt.timedelta(minutes=_number(get, "W365_IDLE_MINUTES", 60, most=60 * 24 * 30)),
        sign_out_url,
    )


_FOR_OIDC = ("W365_OIDC_ISSUER", "W365_OIDC_CLIENT_ID", "W365_OIDC_CLIENT_SECRET")


def _provider(values: Mapping[str, str], strengths: frozenset[str]) -> IdentityProvider:
    if missing := [name for name, value in values.items() if not value]:
        raise ConfigurationError(
            f"{' and '.join(missing)} is missing for signing in with OpenID Connect.", do=f"Set {', '.join(values)}."
        )
    issuer, client_id, client_secret, public_url = values.values()
    _check_address("W365_OIDC_ISSUER", issuer)
    _check_address("W365_PUBLIC_URL", public_url)
    if urlsplit(issuer).path.strip("/").split("/")[0] in ("common", "organizations", "consumers"):
        raise ConfigurationError(
            "W365_OIDC_ISSUER would let in people of any tenant.", do="Put your tenant's id in the place of that word."
        )
    return IdentityProvider(issuer, client_id, client_secret, strengths)


def _check_address(name: str, url: str) -> None:
    """Only on this machine may who somebody is be said without TLS."""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not is_safe or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} is not an https:// address.", do="Correct the setting.")


def _listed(text: str) -> frozenset[str]:
    """What stands between commas, without what cannot be seen: sentences on pages hold such, and are copied from."""
    seen = "".join(letter for letter in text if letter.isprintable())
    return frozenset(part.strip() for part in seen.split(",") if part.strip())


def _word(get: Callable[[str], str], name: str, usual: str, *allowed: str) -> str:
    word = get(name) or usual
    if word not in allowed:
        raise ConfigurationError(f"{name} is none of {', '.join(allowed)}.", do="Correct the setting.")
    return word


def _number(get: Callable[[str], str], name: str, usual: int, *, most: int) -> int:
    text = get(name) or str(usual)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise ConfigurationError(f"{name} is no whole number from 1 to {most}.", do="Correct the setting.")
    return int(text)
