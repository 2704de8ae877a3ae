"""Secrets at rest: encrypted with keys that the database does not hold.

A sealed text opens only for the purpose it was sealed for. The purpose of a connection's secret names the place it is
sent to, so that whoever may write to the database cannot send the secret elsewhere.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from w365.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_SHORTEST = 16
_INFO = b"w365 stored secrets"


class Unsealable(Exception):
    """None of the keys opens the text, or it was sealed for another purpose."""


class Sealer:
    """``keys`` are W365_SECRET_KEY and older ones, the newest first: it seals, all of them open."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)

    def seal(self, purpose: str, secret: str) -> str:
        """Encrypt; ConfigurationError where the key is too short to keep anything."""
        if not self._keys or len(self._keys[0]) < _SHORTEST:
            raise ConfigurationError(
                f"W365_SECRET_KEY is too short to encrypt with: it needs {_SHORTEST} characters or more.",
                kept="Nothing was stored.",
                do="Set a long random one.",
            )
        return self._box().encrypt(f"{purpose}\n{secret}".encode()).decode("ascii")

    def unseal(self, purpose: str, sealed: str) -> str:
        from cryptography.fernet import InvalidToken

        try:
            text = self._box().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unsealable from None
        found, _, secret = text.partition("\n")
        if found != purpose:
            raise Unsealable
        return secret

    def renew(self, sealed: str) -> str:
        """Encrypt with the newest key what any of them opens."""
        from cryptography.fernet import InvalidToken

        try:
            return self._box().rotate(sealed.encode()).decode("ascii")
        except InvalidToken:
            raise Unsealable from None

    def is_newest(self, sealed: str) -> bool:
        """Tell whether the newest key alone opens the text."""
        try:
            Sealer(self._keys[:1]).renew(sealed)
        except Unsealable:
            return False
        return True

    def _box(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(_derived(key)) for key in self._keys])


def _derived(key: str) -> bytes:
    """Another key than the one that signs the grid's tokens, though both come from the same setting."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return base64.urlsafe_b64encode(HKDF(SHA256(), 32, salt=None, info=_INFO).derive(key.encode()))
