"""What may be called: every range, in every spelling, and each setting that names an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from w365.addresses import AddressRange, object_to
from w365.config import DEMO_SERVED, load_settings
from w365.errors import ConfigurationError

NEVER = {
    "169.254.169.254": "the metadata service of a cloud",
    "100.100.100.200": "the metadata service of a cloud",
    "168.63.129.16": "the metadata service of a cloud",
    "fd00:ec2::254": "the metadata service of a cloud",
    "metadata.google.internal": "the metadata service of a cloud",
    "Metadata.Google.Internal": "the metadata service of a cloud",
    "::ffff:169.254.169.254": "the metadata service of a cloud",
    "::ffff:a9fe:a9fe": "the metadata service of a cloud",
    "2002:a9fe:a9fe::1": "the metadata service of a cloud",
    "64:ff9b::a9fe:a9fe": "the metadata service of a cloud",
    "１６９.254.169.254": "the metadata service of a cloud",
    "169。254。169。254": "the metadata service of a cloud",
    "169.254.0.1": "a link-local address",
    "fe80::1": "a link-local address",
    "febf::1": "a link-local address",
    "fe80::1%eth0": "an address with a zone",
    "::1%lo": "an address with a zone",
    "0.0.0.0": "an unspecified address",
    "0.1.2.3": "an unspecified address",
    "::": "an unspecified address",
    "224.0.0.1": "a multicast address",
    "ff02::1": "a multicast address",
    "240.0.0.1": "a reserved address",
    "255.255.255.255": "a reserved address",
    "198.18.0.1": "a reserved address",
    "192.0.2.1": "a reserved address",
    "2001:db8::1": "a reserved address",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "a reserved address",
    "::127.0.0.1": "a reserved address",
    "fec0::1": "a reserved address",
    "64:ff9b:1::7f00:1": "a reserved address",
    "2130706433": "an IP address in an unusual spelling",
    "127.1": "an IP address in an unusual spelling",
    "0177.0.0.1": "an IP address in an unusual spelling",
    "127.0.0.01": "an IP address in an unusual spelling",
    "0x7f.0.0.1": "an IP address in an unusual spelling",
    "0x7f000001": "an IP address in an unusual spelling",
    "0X7F.1": "an IP address in an unusual spelling",
    "１２７.１": "an IP address in an unusual spelling",
    "1.2.3.4.5": "an IP address in an unusual spelling",
    "256.1.1.1": "an IP address in an unusual spelling",
    "localhost.": "a name that ends in a dot",
    "metadata.google.internal.": "a name that ends in a dot",
    "127.0.0.1.": "a name that ends in a dot",
    "a..example": "which is not the name of a host",
    "-a.example": "which is not the name of a host",
    "a\x00b.example": "which is not the name of a host",
    f"{'a' * 64}.example": "which is not the name of a host",
    "xn--\u2603\u202e.example": "which is not the name of a host",
    "": "which is not the name of a host",
}
HERE = [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "localhost",
    "LOCALHOST",
    "app.localhost",
    "ｌｏｃａｌｈｏｓｔ",
]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "fd12::1",
    "fc00::1",
    "::ffff:10.0.0.1",
    "2002:c0a8:101::1",
    "64:ff9b::a00:1",
]
PUBLIC = [
    "api.pax8.com",
    "172.32.0.1",
    "100.128.0.1",
    "1.1.1.1",
    "2606:4700::1111",
    "64:ff9b::101:101",
    "bücher.example",
    "xn--bcher-kva.example",
    "my_host.example",
    "a.b",
    "7.example",
    "localhost.example",
]


@pytest.mark.parametrize(("host", "kind"), NEVER.items(), ids=ascii)
@pytest.mark.parametrize("allowed", list(AddressRange)[:-1])
def test_what_is_never_called_stays_so_whatever_is_allowed(host: str, kind: str, allowed: AddressRange) -> None:
    objection = object_to(host, allowed)
    assert objection
    assert objection.why.endswith(f", {kind}")
    assert objection.do == "Give the address of the service itself; this one is never called."


@pytest.mark.parametrize(
    ("hosts", "needed"),
    [(PUBLIC, AddressRange.PUBLIC), (HERE, AddressRange.LOOPBACK), (PRIVATE, AddressRange.PRIVATE)],
)
def test_a_range_is_called_by_whom_it_is_allowed_to(hosts: list[str], needed: AddressRange) -> None:
    for allowed in list(AddressRange)[:-1]:
        refused = {host for host in hosts if object_to(host, allowed)}
        assert refused == (set() if needed <= allowed else set(hosts))


# --- each setting ---

CONNECTED = {"TENANT_ID": "tenant.example", "CLIENT_ID": "id", "CLIENT_SECRET": "s"}
CRM = {f"W365_DATAVERSE_{part}": text for part, text in CONNECTED.items()}
MAIL = {"W365_MAIL_FROM": "a@example.com", "W365_MAIL_TO": "b@example.com"}
SETTINGS = {
    "W365_DATAVERSE_URL": CRM,
    "W365_PARTNER_CENTER_URL": {f"W365_PARTNER_CENTER_{part}": text for part, text in CONNECTED.items()},
    "W365_PAX8_URL": {"W365_PAX8_CLIENT_ID": "id", "W365_PAX8_CLIENT_SECRET": "s"},
    "W365_AUTHORITY": {},
    "W365_GRAPH_URL": {},
    "W365_WEBHOOK_URL": {},
}
NOT_PLAIN = (
    "http://a.example",
    "https://user@a.example",
    "https://:word@a.example",
    "https://@a.example",
    "https://a.example/#",
    "https://a.example/#part",
    "https://a.example\\@evil.example",
    "https://a.exa\tmple",
    "https://",
    "//a.example",
)


def load(home: Path, **values: str) -> object:
    return load_settings({"W365_HOME": str(home), "W365_DEMO": "off", **values}, home / "none.toml")


@pytest.mark.parametrize("name", SETTINGS)
def test_an_address_is_https_without_user_and_fragment(home: Path, name: str) -> None:
    for url in NOT_PLAIN:
        with pytest.raises(ConfigurationError, match=f"{name} must be an? (plain )?https:// address"):
            load(home, **SETTINGS[name], **{name: url})


@pytest.mark.parametrize(
    ("name", "scheme"), [*((name, "https") for name in SETTINGS), ("W365_SMTP_URL", "smtp"), ("W365_SMTP_URL", "smtps")]
)
def test_where_an_address_leads_is_checked_in_every_setting(home: Path, name: str, scheme: str) -> None:
    others = {**SETTINGS, "W365_SMTP_URL": MAIL}[name]
    for host in ("10.0.0.5", "[fd12::5]", "localhost", "[::ffff:10.0.0.5]"):
        with pytest.raises(ConfigurationError, match=f"^{name} leads to .* W365_ALLOW_PRIVATE_ADDRESSES=on"):
            load(home, **others, **{name: f"{scheme}://{host}"})
        assert load(home, **others, **{name: f"{scheme}://{host}"}, W365_ALLOW_PRIVATE_ADDRESSES="on")
    for host in ("169.254.169.254", "[fe80::1]", "2130706433", "metadata.google.internal"):
        with pytest.raises(ConfigurationError, match=f"^{name} leads to .* never called"):
            load(home, **others, **{name: f"{scheme}://{host}"}, W365_ALLOW_PRIVATE_ADDRESSES="on")


def test_the_demo_calls_its_own_servers_on_this_machine_and_nothing_else_near(home: Path) -> None:
    demo = {DEMO_SERVED: "1"}
    assert load(home, **demo, **CRM, W365_DATAVERSE_URL="https://127.0.0.1:5001", W365_AUTHORITY="https://127.0.0.1:5")
    for name, url in {
        "W365_AUTHORITY": "https://10.0.0.5",
        "W365_WEBHOOK_URL": "https://127.0.0.1:5001/in",
        "W365_GRAPH_URL": "https://169.254.169.254",
    }.items():
        with pytest.raises(ConfigurationError, match=name):
            load(home, **demo, **{name: url})


def test_the_switch_is_on_or_off(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="W365_ALLOW_PRIVATE_ADDRESSES is neither on nor off"):
        load(home, W365_ALLOW_PRIVATE_ADDRESSES="maybe")
