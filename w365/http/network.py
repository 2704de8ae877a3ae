"""Connecting to what was checked: a name is resolved once, every answer is judged, and no other address is called."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import httpcore

from w365.addresses import AddressRange, Objection, object_to

Resolve = Callable[[str, int], Sequence[str]]
"""Gives the IP addresses of a host name for a port; raises OSError where there is none."""


def resolve_name(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label that no name may have
        raise socket.gaierror(socket.EAI_NONAME, "no host name") from None
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class PlaceRefused(Exception):
    """The host, or an address that its name leads to, is not called. Nothing was sent."""

    def __init__(self, host: str, objection: Objection) -> None:
        super().__init__(f"{host} {objection.why}")
        self.objection = objection


@dataclass(frozen=True, slots=True)
class Network:
    """What may be called, and how names are resolved."""

    allowed: AddressRange = AddressRange.PUBLIC
    resolve: Resolve = resolve_name

    def check(self, host: str) -> None:
        """Raise PlaceRefused for a host that is not called as it is spelled."""
        if objection := object_to(host, self.allowed):
            raise PlaceRefused(host, objection)

    def addresses_of(self, host: str, port: int) -> Sequence[str]:
        """Resolve a host. One forbidden answer refuses them all: who mixes them in has a reason. Raises OSError too."""
        self.check(host)
        addresses = self.resolve(host, port)
        for address in addresses:
            if objection := object_to(address.partition("%")[0], self.allowed):
                raise PlaceRefused(host, objection)
        return addresses

    def open_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        """Connect to the first address that takes it. Raises PlaceRefused and OSError."""
        error: OSError = ConnectionError(f"{host} has no address")
        for address in self.addresses_of(host, port):
            try:
                return socket.create_connection((address, port), timeout)
            except OSError as refusal:
                error = refusal
        raise error


class CheckedBackend(httpcore.SyncBackend):
    """httpcore's network with the check in it. TLS goes on to name the host, and to check its certificate."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        error: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses_of(host, port):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refusal:
                error = refusal
        raise error

    def _addresses_of(self, host: str, port: int) -> Sequence[str]:
        try:
            return self._network.addresses_of(host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
