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


class Cloud(StrEnum):
    """Microsoft's clouds, each with a sign-in service and addresses of its own. GCC belongs to the global one."""

    GLOBAL = "global"
    US_GOVERNMENT = "us_government"
    US_DEFENSE = "us_defense"
    CHINA = "china"


@dataclass(frozen=True, slots=True)
class CloudAddresses:
    """Where a cloud's services answer; a token for one of them is asked for by this address too."""

    authority: str
    graph: str
    partner_center: str


_PARTNER_CENTER = "https://api.partnercenter.microsoft.com"
_US_AUTHORITY = "https://login.microsoftonline.us"
CLOUDS: Mapping[Cloud, CloudAddresses] = {
    Cloud.GLOBAL: CloudAddresses("https://login.microsoftonline.com", "https://graph.microsoft.com", _PARTNER_CENTER),
    Cloud.US_GOVERNMENT: CloudAddresses(_US_AUTHORITY, "https://graph.microsoft.us", _PARTNER_CENTER),
    Cloud.US_DEFENSE: CloudAddresses(_US_AUTHORITY, "https://dod-graph.microsoft.us", _PARTNER_CENTER),
    Cloud.CHINA: CloudAddresses(
        "https://login.partner.microsoftonline.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://partner.partnercenterapi.microsoftonline.cn",
    ),
}
_FURTHER_AUTHORITIES = {"https://login.chinacloudapi.cn": Cloud.CHINA, "https://login.windows.net": Cloud.GLOBAL}

MICROSOFT_AUTHORITY = CLOUDS[Cloud.GLOBAL].authority
MICROSOFT_GRAPH = CLOUDS[Cloud.GLOBAL].graph
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
    ``lists_gdap`` adds customers who bought nothing but let the partner administer their tenant.
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
    lists_gdap: bool = False

    @property
    def partner_center_audience(self) -> str:
        """For whom a token of Partner Center is: its address where Microsoft's, else that of the authority's cloud."""
        is_own = self.url in {cloud.partner_center for cloud in CLOUDS.values()}
        return self.url if is_own else CLOUDS[cloud_of(self.authority) or Cloud.GLOBAL].partner_center

    @property
    def graph_audience(self) -> str:
        """Likewise of Microsoft Graph."""
        is_own = self.graph_url in {cloud.graph for cloud in CLOUDS.values()}
        return self.graph_url if is_own else CLOUDS[cloud_of(self.authority) or Cloud.GLOBAL].graph


@dataclass(frozen=True, slots=True)
class Reach:
    """What the settings of a service may leave out, and whether Entra ID signs its application in (``has_tenant``).

    ``calls_per_minute`` is the pace where none is set; None means that the service has no such setting. ``sign_ins``
    are the ways to choose from, the first where none is chosen. ``rule`` is what the service demands of who uses its
    credentials. ``has_gdap``: customers who bought nothing can be listed too.
    """

    url: str = ""
    has_tenant: bool = True
    calls_per_minute: int | None = None
    sign_ins: Sequence[SignIn] = (SignIn.APP,)
    rule: str = ""
    has_gdap: bool = False


REACHES: Mapping[str, Reach] = {
    # The documented limit of the Customer and Subscription resources.
    PARTNER_CENTER: Reach(_PARTNER_CENTER, calls_per_minute=500, sign_ins=tuple(SignIn), has_gdap=True),
    DATAVERSE: Reach(),
    # The documented limit.
    PAX8: Reach(
        "https://api.pax8.com",
        has_tenant=False,
        calls_per_minute=1000,
        rule="Pax8's API credentials are the partner's own and are not to be given to third parties. Enter them only "
        "where your own company runs this program; who runs it for others needs an integration registered with Pax8.",
    ),
}
"""Every service that can be connected, by the word in its settings' names."""


def parts_of(name: str) -> tuple[str, ...]:
    """What may be set of a connection, as the last words of the settings' names."""
    reach = REACHES[name]
    sign_in = ("SIGN_IN",) if len(reach.sign_ins) > 1 else ()
    pace = () if reach.calls_per_minute is None else ("CALLS_PER_MINUTE",)
    gdap = ("GDAP_CUSTOMERS",) if reach.has_gdap else ()
    return (*required_parts(name), *sign_in, *pace, *gdap)


def required_parts(name: str) -> tuple[str, ...]:
    return ("URL", *(("TENANT_ID",) if REACHES[name].has_tenant else ()), "CLIENT_ID", "CLIENT_SECRET")


def build_connection(
    name: str,
    parts: Mapping[str, str],
    words: Mapping[str, str],
    authority: str,
    ca_bundle: str | None,
    allowed: AddressRange = AddressRange.PUBLIC,
    *,
    cloud: Cloud = Cloud.GLOBAL,
) -> Connection:
    """Check the parts of a connection. Raises ConfigurationError that calls a wrong part by its word of ``words``."""
    reach = REACHES[name]
    given = {**parts, "URL": parts.get("URL") or usual_url(name, cloud)}
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
        lists_gdap=_is_on(words, given, "GDAP_CUSTOMERS"),
    )


def usual_url(name: str, cloud: Cloud) -> str:
    """The address of a service where none is set; empty for one that has none."""
    return CLOUDS[cloud].partner_center if name == PARTNER_CENTER else REACHES[name].url


def cloud_of(authority: str) -> Cloud | None:
    """The cloud that a sign-in service of Microsoft's belongs to; None for any other."""
    known = {addresses.authority: cloud for cloud, addresses in reversed(tuple(CLOUDS.items()))}
    return (known | _FURTHER_AUTHORITIES).get(authority.rstrip("/").lower())


def _is_on(words: Mapping[str, str], given: Mapping[str, str], part: str) -> bool:
    chosen = given.get(part) or "off"
    if chosen not in ("on", "off"):
        raise ConfigurationError(f"{words[part]} is neither on nor off.", do="Choose one of them.", setting=words[part])
    return chosen == "on"


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
