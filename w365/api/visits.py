"""What knocks at the doors: a request or the beginning of a websocket, with the connection that it really came over."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import Receive, Scope

from w365.entrance import hosts_of, is_loopback, origin_of

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Connection:
    """``address`` and ``port`` are this server's side of it, ``peer`` is the other side; None is not known."""

    address: Address | None
    port: int
    is_tls: bool
    peer: Address | None

    def own_origins(self) -> frozenset[str]:
        """The origins that this side of the connection is."""
        return _origins(self.address, self.port, self.is_tls) if self.address else frozenset()


@dataclass(frozen=True, slots=True)
class Visit:
    """``path`` is decoded, as the routes see it."""

    is_websocket: bool
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    connection: Connection

    def values(self, name: str) -> list[str]:
        """Every value of a header, whose name is in small letters."""
        return [value for given, value in self.headers if given == name]

    @property
    def segments(self) -> list[str]:
        return self.path.split("/")[1:]


def read_visit(scope: Scope, receive: Receive) -> Visit:
    return Visit(
        scope["type"] == "websocket",
        scope.get("method", "GET"),
        scope["path"],
        tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]),
        _connection(scope, receive),
    )


def _connection(scope: Scope, receive: Receive) -> Connection:
    """Ask uvicorn's transport, not the scope: there client and scheme are what X-Forwarded-For and -Proto say.

    Streamlit leaves uvicorn's `proxy_headers` on, so that whoever comes from 127.0.0.1 (or from what
    FORWARDED_ALLOW_IPS names) writes `scope["client"]` and `scope["scheme"]` by these headers: behind a proxy on this
    machine a browser could say any address of itself there. `scope["server"]` is never rewritten. The transport is an
    attribute of the object that `receive` belongs to; with another server there is none, and no peer is known.
    """
    address, port = scope.get("server") or ("", None)
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        return Connection(_ip(address), port or 0, scope.get("scheme") in ("https", "wss"), None)
    peer = transport.get_extra_info("peername")
    is_tls = bool(transport.get_extra_info("sslcontext"))
    return Connection(_ip(address), port or 0, is_tls, _ip(peer[0]) if isinstance(peer, tuple) else None)


def _ip(text: str) -> Address | None:
    """Read an address; an IPv4 one that a socket of both families shows as IPv6 is the IPv4 one."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@functools.lru_cache(maxsize=64)
def _origins(address: Address, port: int, is_tls: bool) -> frozenset[str]:  # noqa: FBT001 - a key of the cache
    scheme = "https" if is_tls else "http"
    shown = f"[{address}]" if address.version == 6 else str(address)
    names = [shown, "localhost"] if is_loopback(str(address)) else [shown]
    return frozenset(origin_of(f"{scheme}://{name}:{port}") for name in names)


@functools.lru_cache(maxsize=64)
def hosts_of_all(origins: frozenset[str]) -> frozenset[str]:
    return frozenset(host for origin in origins for host in hosts_of(origin))
