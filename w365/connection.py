"""How one service is reached: its address and application, checked, whether they are set or entered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit

from w365.addresses import AddressRange, check_host
from w365.errors import ConfigurationError

MICROSOFT_AUTHORITY = "https://login.microsoftonline.com"
MICROSOFT_GRAPH = "https://graph.microsoft.com"
PARTNER_CENTER = "PARTNER_CENTER"
DATAVERSE = "DATAVERSE"
PAX8 = "PAX8"
"""The words for a service in the names of its settings, as in W365_PAX8_URL."""

_TENANT = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[a-z0-9][a-z0-9.-]*\.[a-z]{2,}", re.IGNORECASE
)


_NOT_PLAIN = re.compile(r"[@?#\\\s\x00-\x1f\x7f]")
"""What begins a user's end, a query or a fragment, and what programs read differently."""


class SignIn(StrEnum):
    """Who signs in to a service: the application by itself, or the application with a person who once consented."""

    APP = "app"
    APP_USER = "app_user"


class Consent(Protocol):
    """Where the refresh token of the person who consented is kept."""

    def redeem(
        self,
        exchange: Callable[[str], Mapping[str, Any]],
        check: Callable[[], None],
        *,
        is_own_tenant: bool = True,
    ) -> Mapping[str, Any]:
        """Give the refresh token to ``exchange``, keep the new one of the grant it returns, and return that grant.

        ``check`` is called while another process redeems. A refusal by another tenant than the connection's own says
        nothing about the sign-in. Raises SignInRefused where nobody consented.
        """
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one service as an application. The secret stays out of ``repr``.

    ``consent`` is there where ``sign_in`` takes a person with it. ``allowed`` is what its addresses may lead to.
    """

    url: str
    authority: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    ca_bundle: str | None = None
    calls_per_minute: int | None = None
    sign_in: SignIn = SignIn.APP
    consent: Consent | None = field(default=None, repr=False, compare=False)
    graph_url: str = MICROSOFT_GRAPH
    allowed: AddressRange = AddressRange.PUBLIC


@dataclass(frozen=True, slots=True)
class Reach:
    """What the settings of a service may leave out, and whether Entra ID signs its application in (``has_tenant``).

    ``calls_per_minute`` is the pace where none is set; None means that the service has no such setting. ``sign_ins``
    are the ways to choose from, the first where none is chosen.
    """

    url: str = ""
    has_tenant: bool = True
    calls_per_minute: int | None = None
    sign_ins: Sequence[SignIn] = (SignIn.APP,)


REACHES: Mapping[str, Reach] = {
    # The documented limit of the Customer and Subscription resources.
    PARTNER_CENTER: Reach("https://api.partnercenter.microsoft.com", calls_per_minute=500, sign_ins=tuple(SignIn)),
    DATAVERSE: Reach(),
    # Pax8 publishes no limit; a page holds 200 records, so that 500 pages a minute are enough for anybody.
    PAX8: Reach("https://api.pax8.com", has_tenant=False, calls_per_minute=500),
}
"""Every service that can be connected, by the word in its settings' names."""


def parts_of(name: str) -> tuple[str, ...]:
    """What may be set of a connection, as the last words of the settings' names."""
    reach = REACHES[name]
    sign_in = ("SIGN_IN",) if len(reach.sign_ins) > 1 else ()
    pace = () if reach.calls_per_minute is None else ("CALLS_PER_MINUTE",)
    return (*required_parts(name), *sign_in, *pace)


def required_parts(name: str) -> tuple[str, ...]:
    return ("URL", *(("TENANT_ID",) if REACHES[name].has_tenant else ()), "CLIENT_ID", "CLIENT_SECRET")


def build_connection(
    name: str,
    parts: Mapping[str, str],
    words: Mapping[str, str],
    authority: str,
    ca_bundle: str | None,
    allowed: AddressRange = AddressRange.PUBLIC,
) -> Connection:
    """Check the parts of a connection. Raises ConfigurationError that calls a wrong part by its word of ``words``."""
    reach = REACHES[name]
    given = {**parts, "URL": parts.get("URL") or reach.url}
    missing = [words[part] for part in required_parts(name) if not given.get(part)]
    if missing:
        raise ConfigurationError(
            f"The connection needs {', '.join(missing)} as well.", do="Set it, or unset the others."
        )
    check_url(words["URL"], given["URL"], allowed)
    url = given["URL"].rstrip("/")
    return Connection(
        url=url,
        authority=authority if reach.has_tenant else url,
        tenant_id=_tenant(words["TENANT_ID"], given["TENANT_ID"]) if reach.has_tenant else "",
        client_id=given["CLIENT_ID"],
        client_secret=given["CLIENT_SECRET"],
        ca_bundle=ca_bundle,
        calls_per_minute=_calls_per_minute(words, given, reach.calls_per_minute),
        sign_in=_sign_in(words, given, reach.sign_ins),
        allowed=allowed,
    )


def _sign_in(words: Mapping[str, str], given: Mapping[str, str], offered: Sequence[SignIn]) -> SignIn:
    chosen = given.get("SIGN_IN") or offered[0]
    if chosen not in offered:
        raise ConfigurationError(f"{words['SIGN_IN']} is none of {', '.join(offered)}.", do="Choose one of them.")
    return SignIn(chosen)


def _tenant(name: str, value: str) -> str:
    if not _TENANT.fullmatch(value):
        raise ConfigurationError(
            f"{name} is neither a GUID nor a domain name.", do="Copy it from Entra ID.", setting=name
        )
    return value


def check_url(name: str, value: str, allowed: AddressRange) -> None:
    """Raise ConfigurationError that names the setting, unless the value is a plain https:// address that is allowed."""
    if not _is_plain_https(value):
        raise ConfigurationError(
            f"{name} must be a plain https:// address.", do="Nothing was sent. Correct it.", setting=name
        )
    check_host(name, urlsplit(value).hostname or "", allowed)


def _is_plain_https(value: str) -> bool:
    if _NOT_PLAIN.search(value):
        return False
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:  # brackets that do not close, a port that is no number
        return False
    return parts.scheme == "https" and bool(parts.hostname)


def _calls_per_minute(words: Mapping[str, str], given: Mapping[str, str], otherwise: int | None) -> int | None:
    """The pace as calls a minute; None is unlimited, written as 0."""
    if otherwise is None:
        return None
    text = given.get("CALLS_PER_MINUTE") or str(otherwise)
    if not text.isdecimal():
        raise ConfigurationError(
            f"{words['CALLS_PER_MINUTE']} must be a whole number (0 for no limit).",
            do="Correct it.",
            setting=words["CALLS_PER_MINUTE"],
        )
    return int(text) or None
