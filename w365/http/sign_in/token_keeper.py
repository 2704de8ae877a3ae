"""One access token at a time: kept while it is good, asked for once however many threads need it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from w365.errors import SignInRefused
from w365.http.wait import Clock

_EARLY = 300.0
"""Seconds before its end at which a token is no longer used."""

Grant = Mapping[str, Any]
"""The body of a token endpoint's answer, good or bad."""


class TokenKeeper:
    """Keeps the token that ``ask`` returns. Where a grant holds none, ``explain`` names the refusal.

    A refusal is final for this object: the secret is sent once, however many threads ask. Safe to share.
    """

    def __init__(self, ask: Callable[[], Grant], explain: Callable[[Grant], SignInRefused], clock: Clock) -> None:
        self._ask = ask
        self._explain = explain
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0
        self._refusal: SignInRefused | None = None

    def token(self) -> str:
        """Return a token that is good for some minutes. Raises SignInRefused, SourceUnreachable, SourceChanged."""
        token = self._token  # read once: who renews it takes it away first
        if token and self._clock.monotonic() < self._good_until:
            return token
        with self._lock:
            if not self._token or self._clock.monotonic() >= self._good_until:
                self._acquire()
            return self._token

    def renew(self, stale: str) -> str:
        """Return a token other than ``stale``, which the service refused; asks once however many threads come."""
        with self._lock:
            if self._token == stale:
                self._acquire()
            return self._token

    def _acquire(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        self._token = ""
        grant = self._ask()
        if not (isinstance(token := grant.get("access_token"), str) and re.fullmatch("[!-~]+", token)):
            self._refusal = self._explain(grant)
            raise self._refusal
        seconds = _seconds_of(grant.get("expires_in"))
        self._good_until = self._clock.monotonic() + max(seconds - _EARLY, seconds / 2)
        self._token = token


def _seconds_of(lifetime: object) -> float:
    """Read a lifetime; some services write the number as text. Without one the token is for one use."""
    if isinstance(lifetime, str) and re.fullmatch(r"\d{1,9}", lifetime, re.ASCII):
        return float(lifetime)
    return float(lifetime) if isinstance(lifetime, int | float) else 0.0
