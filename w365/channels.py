"""Over which channels somebody is told how runs went: e-mail, a webhook, both or none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from w365.addresses import AddressRange, check_host
from w365.errors import ConfigurationError

_ADDRESS = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")
_PLAIN = re.compile(r"[!-~]+")
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server, spoken to over TLS from the first byte (`is_tls`) or from STARTTLS on, and whom to write to."""

    host: str
    port: int
    is_tls: bool
    user: str
    password: str = field(repr=False)
    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Channels:
    """What is set, and what its addresses may lead to. The webhook's may hold a key of its own, so it is a secret."""

    mail: Mail | None = None
    webhook_url: str = field(default="", repr=False)
    allowed: AddressRange = AddressRange.PUBLIC
    tells_failures: bool = False  # of every run, not only of those that start by themselves

    def secrets(self) -> list[str]:
        return [secret for secret in (self.mail.password if self.mail else "", self.webhook_url) if secret]


def read_channels(
    get: Callable[[str], str], allowed: AddressRange = AddressRange.PUBLIC, *, tells_failures: bool = False
) -> Channels:
    """Read the settings; ConfigurationError names the one that is missing or malformed."""
    names = ("W365_SMTP_URL", "W365_MAIL_FROM", "W365_MAIL_TO")
    values = {name: get(name) for name in names}
    webhook_url = get("W365_WEBHOOK_URL")
    if webhook_url:
        _check_webhook(webhook_url, allowed)
    if not any(values.values()):
        return Channels(None, webhook_url, allowed, tells_failures)
    if missing := [name for name, value in values.items() if not value]:
        raise ConfigurationError(
            f"{' and '.join(missing)} is missing for sending e-mail.", do=f"Set all of {', '.join(names)}, or none."
        )
    mail = _mail(*values.values())
    check_host("W365_SMTP_URL", mail.host, allowed)
    return Channels(mail, webhook_url, allowed, tells_failures)


def _mail(url: str, sender: str, recipients: str) -> Mail:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _malformed() from None
    beyond = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in _PORTS or not parts.hostname or beyond or bool(parts.username) != bool(parts.password):
        raise _malformed()
    return Mail(
        parts.hostname,
        port or _PORTS[parts.scheme],
        parts.scheme == "smtps",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        _address("W365_MAIL_FROM", sender),
        tuple(_address("W365_MAIL_TO", recipient.strip()) for recipient in recipients.split(",") if recipient.strip()),
    )


def _malformed() -> ConfigurationError:
    return ConfigurationError(
        "W365_SMTP_URL is not the address of a mail server.",
        do="Write smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465 (TLS); "
        "of user and password, write special characters as %40 and the like.",
    )


def _address(name: str, text: str) -> str:
    if not _ADDRESS.fullmatch(text) or not text.isascii():
        raise ConfigurationError(f"{name} is not an e-mail address.", do="Write it as name@example.com.")
    return text


def _is_written_plainly(url: str) -> bool:
    return bool(_PLAIN.fullmatch(url)) and not {"#", "\\"} & set(url)


def _check_webhook(url: str, allowed: AddressRange) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or not _is_written_plainly(url):
        raise ConfigurationError("W365_WEBHOOK_URL must be an https:// address.", do="Correct the setting.")
    check_host("W365_WEBHOOK_URL", parts.hostname, allowed)
