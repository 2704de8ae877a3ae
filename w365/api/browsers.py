"""Names of browsers: random, and signed, so that a name that the app gave is told from one that somebody made up."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence

from itsdangerous import Signer
from starlette.requests import cookie_parser

COOKIE = "w365_browser"
"""Tells browsers apart; set by the app on its page, read by no script."""


def name_browser(keys: Sequence[str]) -> str:
    """Make a name, signed with the first of the keys."""
    return _signer(keys).sign(secrets.token_urlsafe(24)).decode("ascii")


def read_browser(keys: Sequence[str], headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The name that a request brings, signed with any of the keys; nothing where it brings none or a foreign one."""
    sent = b"; ".join(value for name, value in headers if name == b"cookie").decode("latin-1")
    name = cookie_parser(sent).get(COOKIE, "")
    return name if _signer(keys).validate(name.encode()) else ""


def _signer(keys: Sequence[str]) -> Signer:
    return Signer(list(reversed(keys)), salt="browser", key_derivation="hmac", digest_method=hashlib.sha256)
