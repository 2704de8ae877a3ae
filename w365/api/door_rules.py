"""Who stays outside: rules on what a visit brings, each with its refusal."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from w365.api.sign_in_return import PATH as SIGN_IN_RETURN
from w365.api.visits import Address, Visit, hosts_of_all
from w365.entrance import Entrance, Network, SignInMode, is_loopback

_CORE = "_stcore"
_NEEDED = {"stream", "health", "host-config", "upload_file", "bidi-components"}
"""What the pages use of Streamlit's own routes. Its agent API, metrics and script check answer nobody."""
_INNER = {_CORE, "api", "media", "component", "static"}
"""A path with such a part is no page that a link of another site leads to."""
_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE"}
"""What the routes work with. Pages of others are allowed nothing, so that no browser has to ask what is (OPTIONS)."""
_ODD = re.compile(r"[\x00-\x1f\x7f\\%;]")
HEALTH_PATHS = ("healthz", "readyz", "metrics")
_SIGN_IN_ROUTES = (("auth", "login"), ("auth", "logout"), ("oauth2callback",))


@dataclass(frozen=True, slots=True)
class Refusal:
    """``kind`` is for the log, which tells each now and then, not each request; ``sentence`` is the whole answer."""

    kind: str
    status: int
    sentence: str


Rule = tuple[Callable[[Visit, Entrance], bool], Refusal]


def find_refusal(visit: Visit, entrance: Entrance) -> Refusal | None:
    """Say why this visit stays outside, by the first rule that it breaks, or nothing."""
    return next((refusal for breaks, refusal in _RULES if breaks(visit, entrance)), None)


def _is_exposed(visit: Visit, entrance: Entrance) -> bool:
    """Without a sign-in whoever comes is an admin; so nobody may come but from this machine."""
    address = visit.connection.address
    return entrance.sign_in is SignInMode.LOCAL and not (address and address.is_loopback)


def _is_sent_on(visit: Visit, entrance: Entrance) -> bool:
    """Tell whether a proxy says that it asks for another machine: each there would be an admin as well."""
    machines = [part.strip() for value in visit.values("x-forwarded-for") for part in value.split(",")]
    return entrance.sign_in is SignInMode.LOCAL and not all(is_loopback(machine) for machine in machines)


def _comes_past_proxy(visit: Visit, entrance: Entrance) -> bool:
    if entrance.sign_in is not SignInMode.PROXY or _asks_for_health(visit):
        return False
    return not _is_in(visit.connection.peer, entrance.trusted_proxies)


def _monitors_from_outside(visit: Visit, entrance: Entrance) -> bool:
    """Tell whether somebody asks for health or numbers who is neither here nor named, also through a proxy here."""
    passed = [_address(part) for value in visit.values("x-forwarded-for") for part in value.split(",")]
    allowed = (*entrance.trusted_proxies, *entrance.monitors)
    are_known = [bool(each and each.is_loopback) or _is_in(each, allowed) for each in (visit.connection.peer, *passed)]
    return _asks_for_health(visit) and not all(are_known)


def _asks_for_health(visit: Visit) -> bool:
    is_named = bool(visit.segments) and visit.segments[-1] in HEALTH_PATHS
    return is_named and not visit.is_websocket and _INNER.isdisjoint(visit.segments)


def address_of(visit: Visit, entrance: Entrance) -> str:
    """From where somebody calls: the other side of the connection, or whom a trusted proxy there names last.

    What stands before that in X-Forwarded-For anybody can have sent. Empty where nothing is known.
    """
    asked = [_address(part) for value in visit.values("x-forwarded-for") for part in value.split(",")]
    address = visit.connection.peer
    while asked and asked[-1] and _is_in(address, entrance.trusted_proxies):
        address = asked.pop()
    return str(address or "")


def _is_in(address: Address | None, networks: Iterable[Network]) -> bool:
    return address is not None and any(address in network for network in networks)


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None


def _names_person_twice(visit: Visit, entrance: Entrance) -> bool:
    is_doubled = any(len(visit.values(name)) > 1 for name in entrance.identity_headers)
    return entrance.sign_in is SignInMode.PROXY and is_doubled


def _has_foreign_host(visit: Visit, entrance: Entrance) -> bool:
    hosts = [host.lower() for host in visit.values("host")]
    return len(hosts) != 1 or hosts[0] not in hosts_of_all(_own_origins(visit, entrance))


def _has_odd_path(visit: Visit, _entrance: Entrance) -> bool:
    """Tell whether a path could be read in two ways: by a route, and by what decided about it."""
    *inner, last = visit.segments or [""]
    is_odd = any(part in ("", ".", "..") for part in inner) or last in (".", "..")
    return not visit.path.startswith("/") or is_odd or bool(_ODD.search(visit.path))


def _has_other_method(visit: Visit, _entrance: Entrance) -> bool:
    return visit.method not in _METHODS


def _is_closed(visit: Visit, entrance: Entrance) -> bool:
    parts = visit.segments
    if visit.is_websocket:
        return parts[-2:] != [_CORE, "stream"]
    if entrance.sign_in is not SignInMode.OIDC and any(tuple(parts[-len(end) :]) == end for end in _SIGN_IN_ROUTES):
        return True
    after = [following for part, following in zip(parts, [*parts[1:], ""], strict=True) if part == _CORE]
    return not _NEEDED.issuperset(after)


def _has_foreign_origin(visit: Visit, entrance: Entrance) -> bool:
    origins = visit.values("origin")
    is_own = len(origins) <= 1 and _own_origins(visit, entrance).issuperset(origins)
    return not (is_own or _returns_from_sign_in(visit))


def _comes_from_elsewhere(visit: Visit, _entrance: Entrance) -> bool:
    """Tell whether a page of another site or port sends it: only a link may lead from there, and to a page only."""
    is_elsewhere = not {"same-origin", "none"}.issuperset(visit.values("sec-fetch-site"))
    return is_elsewhere and not (_follows_link(visit) or _returns_from_sign_in(visit))


def _own_origins(visit: Visit, entrance: Entrance) -> frozenset[str]:
    return visit.connection.own_origins() | ({entrance.public_origin} if entrance.public_url else set())


def _follows_link(visit: Visit) -> bool:
    is_opened = visit.values("sec-fetch-mode") == ["navigate"] and visit.values("sec-fetch-dest") == ["document"]
    is_read = visit.method in ("GET", "HEAD") and not visit.is_websocket
    return is_opened and is_read and _INNER.isdisjoint(visit.segments)


def _returns_from_sign_in(visit: Visit) -> bool:
    """Entra posts the answer to a sign-in from its own page; the state in it says whether somebody here asked."""
    return not visit.is_websocket and visit.method == "POST" and visit.path.endswith(SIGN_IN_RETURN)


_RULES: tuple[Rule, ...] = (
    (
        _is_exposed,
        Refusal(
            "address",
            403,
            "This app has no sign-in and answers on its own machine only. Set server.address to 127.0.0.1, or choose a "
            "sign-in with W365_SIGN_IN.",
        ),
    ),
    (
        _is_sent_on,
        Refusal(
            "sent on",
            403,
            "This app has no sign-in and answers its own machine only, no proxy that asks for another one. Choose a "
            "sign-in with W365_SIGN_IN.",
        ),
    ),
    (
        _comes_past_proxy,
        Refusal(
            "proxy",
            403,
            "This app answers through its proxy only. Open the proxy's address; where this is the proxy, name it in "
            "W365_TRUSTED_PROXIES.",
        ),
    ),
    (
        _monitors_from_outside,
        Refusal(
            "monitor",
            403,
            "Health and numbers are told on this machine and to trusted proxies. W365_MONITORS names who else may ask.",
        ),
    ),
    (
        _names_person_twice,
        Refusal("doubled name", 400, "A header that names the person came twice. Let the proxy replace it, not add."),
    ),
    (
        _has_foreign_host,
        Refusal(
            "host",
            421,
            "This is not an address of the app. Open it by its own; where people are meant to use this one, set "
            "W365_PUBLIC_URL to it and start the app again.",
        ),
    ),
    (_has_odd_path, Refusal("path", 404, "There is no such page. Check the address.")),
    (_has_other_method, Refusal("method", 405, "No route works with this method. Use the app's own pages.")),
    (_is_closed, Refusal("closed", 404, "There is nothing here. Open the app's first page.")),
    (
        _has_foreign_origin,
        Refusal(
            "origin",
            403,
            "This was sent by a page of another address. Use the app's own pages; where they have this address, set "
            "W365_PUBLIC_URL to it and start the app again.",
        ),
    ),
    (
        _comes_from_elsewhere,
        Refusal("site", 403, "This was sent by a page of another site. Use the app's own pages."),
    ),
)
NAMELESS = Refusal(
    "no origin", 403, "A websocket needs an Origin, or the cookie that this app gave. Open the app in a browser."
)


REFUSALS = (*(refusal for _breaks, refusal in _RULES), NAMELESS)
