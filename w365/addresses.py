"""Which addresses may be called, judged as they are spelled and as what a name leads to.

The ranges are those of IANA's special-purpose registries (RFC 6890) and the metadata services of the large clouds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import idna

from w365.errors import ConfigurationError


class AddressRange(IntEnum):
    """How near an address is. Whoever may call a range may call those before it; the last is called by nobody."""

    PUBLIC = 0
    LOOPBACK = 1
    PRIVATE = 2
    NEVER = 3


ALLOW = "W365_ALLOW_PRIVATE_ADDRESSES"
"""The setting that allows the range PRIVATE."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an address is not called, as what follows its name or its setting's, and what to do."""

    why: str
    do: str


@dataclass(frozen=True, slots=True)
class _Judgement:
    range: AddressRange
    kind: str = ""


_METADATA = _Judgement(AddressRange.NEVER, "the metadata service of a cloud")
_LINK_LOCAL = _Judgement(AddressRange.NEVER, "a link-local address")
_MULTICAST = _Judgement(AddressRange.NEVER, "a multicast address")
_RESERVED = _Judgement(AddressRange.NEVER, "a reserved address")
_UNSPECIFIED = _Judgement(AddressRange.NEVER, "an unspecified address")
_LOOPBACK = _Judgement(AddressRange.LOOPBACK, "this machine itself")
_PRIVATE = _Judgement(AddressRange.PRIVATE, "a private address")
_PUBLIC = _Judgement(AddressRange.PUBLIC)

# The first network that holds an address judges it.
_NETWORKS = tuple(
    (ip_network(text), judgement)
    for judgement, networks in (
        (_METADATA, "169.254.169.254 100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::254 fd20:ce::254"),
        (_UNSPECIFIED, "0.0.0.0/8 ::/128"),
        (_LOOPBACK, "127.0.0.0/8 ::1/128"),
        (_LINK_LOCAL, "169.254.0.0/16 fe80::/10"),
        (_MULTICAST, "224.0.0.0/4 ff00::/8"),
        (_PRIVATE, "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7"),
        (_RESERVED, "192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24"),
        (_RESERVED, "240.0.0.0/4 2001::/23 2001:db8::/32 3fff::/20"),
        (_PUBLIC, "0.0.0.0/0 2000::/3"),
        (_RESERVED, "::/0"),
    )
    for text in networks.split()
)
_NAT64 = ip_network("64:ff9b::/96")
_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_NEAR = f"Give a public address, or set {ALLOW}=on where this machine shall call its own network."
_NEVER = "Give the address of the service itself; this one is never called."


def object_to(host: str, allowed: AddressRange) -> Objection | None:
    """Say why a host as it is spelled, a name or an IP address without brackets, is not called; None where it may be.

    What a name leads to is judged when it is resolved, once more by this function.
    """
    judgement = _judge(host)
    if judgement.range <= allowed:
        return None
    do = _NEVER if judgement.range is AddressRange.NEVER else _NEAR
    return Objection(f"leads to {host[:80]}, {judgement.kind}", do)


def check_host(setting: str, host: str, allowed: AddressRange) -> None:
    """Raise ConfigurationError that names the setting, where its host is not called as it is spelled."""
    if objection := object_to(host, allowed):
        raise ConfigurationError(f"{setting} {objection.why}.", do=objection.do, setting=setting)


def _judge(host: str) -> _Judgement:
    if "%" in host:
        return _Judgement(AddressRange.NEVER, "an address with a zone")
    name = _ascii(host)
    try:
        return _judge_address(ip_address(name))
    except ValueError:
        return _judge_name(name)


def _ascii(host: str) -> str:
    """Write a host in ASCII, as UTS #46 maps it: full-width digits are digits. Empty where it is no host."""
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return ""


def _judge_name(name: str) -> _Judgement:
    if name.endswith("."):
        return _Judgement(AddressRange.NEVER, "a name that ends in a dot")
    if not _HOST_NAME.fullmatch(name):
        return _Judgement(AddressRange.NEVER, "which is not the name of a host")
    # What ends in a number is an IPv4 address to some programs: 127.1, 0x7f.1, 2130706433, 0177.0.0.1.
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _Judgement(AddressRange.NEVER, "an IP address in an unusual spelling")
    if name in _METADATA_NAMES:
        return _METADATA
    return _LOOPBACK if name == "localhost" or name.endswith(".localhost") else _PUBLIC


def _judge_address(address: IPv4Address | IPv6Address) -> _Judgement:
    inner = _inner(address)
    return next(judgement for network, judgement in _NETWORKS if inner in network)


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Take the IPv4 address out of one that carries it: mapped, of NAT64, of 6to4. Teredo's own are reserved."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
