"""Who may come in to the app, and by which addresses: what its doors go by."""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from w365.errors import ConfigurationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HEADER_NAME = re.compile(r"[a-z0-9-]+")
_USUAL_PORTS = {"http": 80, "https": 443}


class SignInMode(enum.StrEnum):
    """Who says who somebody is: this machine's system, a proxy in front, or an identity provider."""

    LOCAL = "local"
    PROXY = "proxy"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True)
class Entrance:
    """``public_url`` has no slash at its end. Names of headers are in small letters, as servers hand them over.

    ``trusted_proxies`` and the headers that name a person count where ``sign_in`` is PROXY, and nowhere else.
    ``monitors`` are, beside this machine and these proxies, from where health and numbers may be asked for.
    """

    sign_in: SignInMode = SignInMode.LOCAL
    public_url: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    monitors: tuple[Network, ...] = ()
    user_header: str = "x-forwarded-user"
    groups_header: str = "x-forwarded-groups"
    name_header: str = "x-forwarded-preferred-username"

    @property
    def identity_headers(self) -> tuple[str, str, str]:
        return self.user_header, self.groups_header, self.name_header

    @property
    def public_origin(self) -> str:
        """What a browser at the public URL sends as Origin; nothing where none is set."""
        return origin_of(self.public_url) if self.public_url else ""


def read_entrance(get: Callable[[str], str]) -> Entrance:
    """Read the settings; ConfigurationError names the one that is missing or malformed."""
    sign_in, proxies = _sign_in(get("W365_SIGN_IN")), _networks(get, "W365_TRUSTED_PROXIES")
    if sign_in is SignInMode.PROXY and not proxies:
        raise ConfigurationError(
            "W365_TRUSTED_PROXIES is missing: nobody would be let in.", do="Set it to the addresses of your proxy."
        )
    return Entrance(
        sign_in,
        _public_url(get("W365_PUBLIC_URL")),
        proxies,
        _networks(get, "W365_MONITORS"),
        *(_header_name(get, name, usual) for name, usual in _IDENTITY_HEADERS),
    )


_IDENTITY_HEADERS = (
    ("W365_USER_HEADER", "X-Forwarded-User"),
    ("W365_GROUPS_HEADER", "X-Forwarded-Groups"),
    ("W365_NAME_HEADER", "X-Forwarded-Preferred-Username"),
)


def origin_of(url: str) -> str:
    """The origin of an address as browsers write it: small letters, punycode, and no port that is the usual one."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    name = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
    port = parts.port if parts.port != _USUAL_PORTS[parts.scheme] else None
    return f"{parts.scheme}://{name}" + (f":{port}" if port is not None else "")


def hosts_of(origin: str) -> frozenset[str]:
    """What a client of this origin may send as Host: the usual port may stand there or not."""
    scheme, _, host = origin.partition("://")
    has_port = urlsplit(origin).port is not None
    return frozenset({host} if has_port else {host, f"{host}:{_USUAL_PORTS[scheme]}"})


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _sign_in(word: str) -> SignInMode:
    try:
        return SignInMode(word or SignInMode.LOCAL)
    except ValueError:
        raise ConfigurationError(
            f"W365_SIGN_IN is none of {', '.join(SignInMode)}.", do="Correct the setting."
        ) from None


def _public_url(url: str) -> str:
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        is_site = parts.port != 0 and _is_site(parts) and bool(origin_of(url))
    except ValueError:
        is_site = False
    if not is_site:
        raise ConfigurationError("W365_PUBLIC_URL is not the address of a web site.", do="Correct the setting.")
    return url.rstrip("/")


def _is_site(parts: SplitResult) -> bool:
    has_more = parts.query or parts.fragment or parts.username is not None
    return parts.scheme in _USUAL_PORTS and bool(parts.hostname) and not has_more


def _networks(get: Callable[[str], str], name: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in get(name).split(",") if part.strip())
    except ValueError:
        raise ConfigurationError(
            f"{name} is no list of addresses and networks.",
            do="Write them as 10.0.0.7 or 10.0.0.0/24, separated by commas.",
        ) from None


def _header_name(get: Callable[[str], str], name: str, usual: str) -> str:
    header = (get(name) or usual).lower()
    if not _HEADER_NAME.fullmatch(header):
        raise ConfigurationError(f"{name} is not the name of a header.", do="Correct the setting.")
    return header
