"""Access tokens by client credentials from a token endpoint that takes JSON, on the service's own host."""

from __future__ import annotations

import json
from dataclasses import dataclass

from w365.connection import Connection
from w365.errors import SignInRefused
from w365.http.attempts import KEPT
from w365.http.clock_skew import describe_skew
from w365.http.conditions import REAL_CONDITIONS, Conditions
from w365.http.refusal import clean
from w365.http.sign_in.exchange import SignInAnswer, SignInExchange
from w365.http.sign_in.token_keeper import Grant, TokenKeeper
from w365.http.wait import Check, never_stop


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Where a token is asked for and for whom; ``setting`` names the address to check when it seems wrong."""

    path: str
    audience: str
    setting: str


class JsonTokens:
    """Tokens for one application. ``source`` is how sentences call the service. Of the same shape as AppTokens.

    A refusal is final for this object: the secret is sent once, however many threads ask. Safe to share.
    """

    def __init__(
        self,
        source: str,
        connection: Connection,
        endpoint: TokenEndpoint,
        *,
        check: Check = never_stop,
        conditions: Conditions = REAL_CONDITIONS,
    ) -> None:
        self._source = source
        self._connection = connection
        self._endpoint = endpoint
        self._clock = conditions.clock
        self._exchange = SignInExchange(connection, endpoint.setting, check, conditions)
        self._last: SignInAnswer | None = None
        keeper = TokenKeeper(self._ask, self._explain, conditions.clock)
        self.token = keeper.token
        self.renew = keeper.renew

    def close(self) -> None:
        self._exchange.close()

    def _ask(self) -> Grant:
        request = {
            "client_id": self._connection.client_id,
            "client_secret": self._connection.client_secret,
            "audience": self._endpoint.audience,
            "grant_type": "client_credentials",
        }
        url = self._connection.authority.rstrip("/") + self._endpoint.path
        answer = self._exchange.send("POST", url, {"Content-Type": "application/json"}, json.dumps(request).encode())
        self._last = answer
        if 300 <= answer.status < 400 or answer.status == 404:
            raise self._exchange.changed(f"has no token endpoint there ({answer.status})")
        if answer.status < 300 and not answer.body.get("access_token"):
            raise self._exchange.changed("answered without a token")
        return answer.body if answer.status < 300 else {**answer.body, "access_token": None}

    def _explain(self, grant: Grant) -> SignInRefused:
        status, headers = (self._last.status, self._last.headers) if self._last else (0, {})
        words = (grant.get(name) for name in ("error_description", "message", "error"))
        reason = clean(next((word for word in words if isinstance(word, str)), ""), (self._connection.client_secret,))
        quoted = f": “{reason}”" if reason else ""
        skew = describe_skew(headers.get("date", ""), self._clock.wall())
        return SignInRefused(
            f"{self._source} does not accept the client id and the client secret ({status}{quoted}).",
            kept=f"It was tried once. {KEPT}",
            do=" ".join(filter(None, ("Copy both once more from where they were made, or make new ones.", skew))),
        )
