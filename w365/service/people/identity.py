"""Who somebody says to be: the claims of an OpenID Connect provider, or the headers of a proxy, in one shape.

Nothing here asks the database. Entra ID's claims are described in Microsoft's reference of ID token claims.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from w365.errors import AccessError
from w365.model import Role
from w365.sign_in_settings import ROLE_SETTINGS, IdentityProvider, SignInSettings

LEEWAY = dt.timedelta(minutes=2)
"""How far two clocks may be apart before it matters."""

_LONGEST_NAME = 80
_ENTRA = (
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "sts.windows.net",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in when.

    ``subject`` is stable and unique. ``values`` are roles and groups. ``proof`` is a digest of the provider's answer,
    which may begin one session; a proxy gives none. ``lacks_groups``: there were too many for the token.
    """

    subject: str
    name: str
    login: str
    values: frozenset[str]
    at: dt.datetime
    proof: str = ""
    lacks_groups: bool = False


def read_claims(claims: Mapping[str, Any], provider: IdentityProvider, now: dt.datetime) -> Identity:
    """Read the claims of an ID token whose signature, audience and nonce were checked when it came.

    Raises AccessError where they are another issuer's, name nobody, were issued in the future, or are too weak.
    """
    if claims.get("iss") != provider.issuer:
        raise _unusable("It is not from the identity provider that is set.")
    subject = _text(claims, "sub")
    at = _issued_at(claims, now)
    if not subject:
        raise _unusable("It names nobody.")
    if provider.strengths and not provider.strengths & {_text(claims, "acr"), *_texts(claims, "amr")}:
        raise AccessError(
            "This sign-in is not as strong as it has to be here.",
            kept="Nobody was signed in.",
            do=f"Sign in so that the identity provider names {' or '.join(sorted(provider.strengths))}.",
        )
    login = _text(claims, "preferred_username") or _text(claims, "email")
    return Identity(
        _entra_subject(claims, provider.issuer) or f"{provider.issuer}#{subject}",
        clean_name(_text(claims, "name") or login or subject),
        clean_name(login),
        frozenset(_texts(claims, "roles") + _texts(claims, "groups")),
        at,
        hashlib.sha256(json.dumps(dict(claims), sort_keys=True, default=str).encode()).hexdigest(),
        lacks_groups=_lacks_groups(claims),
    )


def read_proxy_identity(user: str, name: str, groups: str, at: dt.datetime) -> Identity:
    """Read what a trusted proxy says of a person; groups are separated by commas. AccessError where it names nobody."""
    if not clean_name(user):
        raise _unusable("The proxy names nobody.")
    listed = frozenset(part.strip() for part in groups.split(",") if part.strip())
    return Identity(f"proxy#{user}", clean_name(name or user), clean_name(user), listed, at)


def claimed_role(identity: Identity, settings: SignInSettings) -> Role | None:
    """The highest role that the claims give; None where they give none."""
    roles = [word for word in ROLE_SETTINGS if identity.values & settings.role_claims[word]]
    return Role[roles[-1].upper()] if roles else None


def clean_name(text: str) -> str:
    """A name on one line, without what cannot be seen, so that two that look alike are alike."""
    normal = unicodedata.normalize("NFKC", text)
    seen = "".join(letter if unicodedata.category(letter)[0] not in "CZ" else " " for letter in normal)
    return " ".join(seen.split())[:_LONGEST_NAME].strip()


def _entra_subject(claims: Mapping[str, Any], issuer: str) -> str:
    """Tenant and object id: `sub` differs from application to application there, these stay."""
    tenant, person = _text(claims, "tid"), _text(claims, "oid")
    return f"{tenant}/{person}" if is_entra(issuer) and tenant in issuer and tenant and person else ""


def is_entra(issuer: str) -> bool:
    return urlsplit(issuer).hostname in _ENTRA


def _issued_at(claims: Mapping[str, Any], now: dt.datetime) -> dt.datetime:
    seconds = claims.get("iat")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise _unusable("It does not say when it was issued.")
    try:
        at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise _unusable("It does not say when it was issued.") from None
    if at > now + LEEWAY:
        raise AccessError(
            "The clock of the identity provider is ahead of this server's.",
            kept="Nobody was signed in.",
            do="Set the clocks right, then sign in again.",
        )
    return at


def _lacks_groups(claims: Mapping[str, Any]) -> bool:
    """Entra ID leaves groups out of the token of a person who has more than 200, and says so in one of two ways."""
    elsewhere = claims.get("_claim_names")
    return claims.get("hasgroups") is True or (isinstance(elsewhere, Mapping) and "groups" in elsewhere)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) else ""


def _texts(claims: Mapping[str, Any], name: str) -> list[str]:
    value = claims.get(name)
    values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return [each for each in values if isinstance(each, str)]


def _unusable(why: str) -> AccessError:
    return AccessError(f"The sign-in cannot be used. {why}", kept="Nobody was signed in.", do="Ask an admin.")
