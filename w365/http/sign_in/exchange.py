"""The calls of a sign-in: the secret goes to one host only, and is sent again while that host is ill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from w365.connection import Connection
from w365.errors import SourceChanged
from w365.http.attempts import KEPT, Attempts
from w365.http.body import Truncated, Unreadable, Unusable, parse_json
from w365.http.conditions import Conditions
from w365.http.network import Network
from w365.http.refusal import read_refusal
from w365.http.transport import NoAnswer, RawAnswer, Transport, origin_of
from w365.http.wait import Check

SIGN_IN = "The sign-in service"
_PASSING = "temporarily_unavailable"
"""What OAuth calls it when the service itself has trouble, whatever the status."""


@dataclass(frozen=True, slots=True)
class SignInAnswer:
    """A whole answer below 500. ``body`` is empty where it is no JSON object; it may hold a token."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any] = field(repr=False)


class SignInExchange:
    """Requests to ``connection.authority`` with retries. ``setting`` is what to check when something else answers."""

    def __init__(self, connection: Connection, setting: str, check: Check, conditions: Conditions) -> None:
        self.origin = origin_of(connection.authority)
        self.host = self.origin.host if self.origin else ""
        self._setting = setting
        self._secret = connection.client_secret
        self._check = check
        self._conditions = conditions
        self._limiter = conditions.limiters.of(connection.authority)
        network = Network(connection.allowed, conditions.resolve)
        self._transport = Transport(connection.authority, connection.ca_bundle, conditions.patience, network)

    def close(self) -> None:
        self._transport.close()

    def send(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> SignInAnswer:
        """Send until an answer below 500 comes. Raises SourceUnreachable, SourceBusy, SourceChanged, Cancelled."""
        # Asking for a token twice gives two tokens and nothing else, so that this POST may be repeated.
        attempts = Attempts(
            f"{SIGN_IN} at {self.host}", self._limiter, self._conditions, self._check, is_repeatable=True
        )
        while True:
            self._limiter.acquire(self._check)
            try:
                answer = self._transport.send(method, url, headers, content)
                body = self._read(answer)
            except NoAnswer as fault:
                attempts.after_no_answer(fault)
                continue
            if answer.status < 500 and answer.status != 429 and body.get("error") != _PASSING:
                return SignInAnswer(answer.status, answer.headers, body)
            refusal = read_refusal(answer, headers, (self._secret,))
            if answer.status == 429 or refusal.asks_to_wait:
                attempts.after_busy(refusal)
            else:
                attempts.after_server_error(refusal)

    def changed(self, how: str) -> SourceChanged:
        return SourceChanged(
            f"{SIGN_IN} at {self.host} {how}.", kept=KEPT, do=f"Check {self._setting}; a proxy may answer in its place."
        )

    def _read(self, answer: RawAnswer) -> Mapping[str, Any]:
        """Parse a body; a bad one matters only where the answer is good."""
        try:
            body = parse_json(answer.content)
        except Truncated:
            raise NoAnswer("the answer broke off in the middle", sent=True) from None
        except Unreadable as error:
            if answer.status >= 400:
                return {}
            raise self.changed(f"answered with {error}") from None
        members = body.items() if isinstance(body, dict) else ()
        return {name: value for name, value in members if not isinstance(value, Unusable)}
