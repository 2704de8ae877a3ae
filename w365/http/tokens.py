"""Access tokens for an application, through MSAL over our own transport.

MSAL's own transport would let REQUESTS_CA_BUNDLE override our certificate authority, and would raise its own errors.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from w365.config import Connection
from w365.errors import SignInRefused, SourceChanged
from w365.http.attempts import KEPT, Attempts
from w365.http.body import Truncated, Unreadable, parse_json
from w365.http.conditions import REAL_CONDITIONS, Conditions
from w365.http.refusal import clean, read_refusal
from w365.http.sign_in import explain_sign_in
from w365.http.skew import describe_skew
from w365.http.wait import Check, never_stop
from w365.http.wire import NoAnswer, RawAnswer, Wire, origin_of

_EARLY = 300.0
"""Seconds before its end at which a token is no longer used."""

_SIGN_IN = "The sign-in service"


class AppTokens:
    """Tokens by client credentials for one ``scope``. ``source`` is how sentences call the service they are for.

    A refusal is final for this object: the secret is sent once, however many threads ask. Safe to share.
    """

    def __init__(
        self,
        source: str,
        connection: Connection,
        scope: str,
        *,
        check: Check = never_stop,
        conditions: Conditions = REAL_CONDITIONS,
    ) -> None:
        self._source = source
        self._connection = connection
        self._scope = scope
        self._clock = conditions.clock
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0
        self._application: Any = None
        self._refusal: SignInRefused | None = None
        self._transport = _MsalTransport(connection, check, conditions)

    def token(self) -> str:
        """Return a token that is good for some minutes. Raises SignInRefused, SourceUnreachable, SourceChanged."""
        if self._token and self._clock.monotonic() < self._good_until:
            return self._token
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

    def close(self) -> None:
        self._transport.close()

    def _acquire(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        self._token = ""
        result = self._ask_msal()
        if not (isinstance(token := result.get("access_token"), str) and re.fullmatch("[!-~]+", token)):
            self._refusal = self._explain(result)
            raise self._refusal
        lifetime = result.get("expires_in")
        seconds = float(lifetime) if isinstance(lifetime, int | float) else 0.0
        self._good_until = self._clock.monotonic() + max(seconds - _EARLY, seconds / 2)
        self._token = token

    def _ask_msal(self) -> Mapping[str, Any]:
        try:
            application = self._application = self._application or self._build_application()
            application.remove_tokens_for_client()
            result: Mapping[str, Any] = application.acquire_token_for_client([self._scope])
        except (ValueError, KeyError):  # discovery was refused, or is no discovery document
            if self._transport.last_status >= 400:
                return self._transport.last_body
            raise SourceChanged(
                f"{_SIGN_IN} at {self._transport.host} answered with something else than its settings.",
                kept=KEPT,
                do="Check W365_AUTHORITY and the tenant id; a proxy may answer in its place.",
            ) from None
        return result

    def _build_application(self) -> Any:
        import msal  # it loads requests and cryptography; pages that do not sign in need neither

        authority = f"{self._connection.authority}/{self._connection.tenant_id}"
        return msal.ConfidentialClientApplication(
            self._connection.client_id,
            client_credential=self._connection.client_secret,
            authority=authority,
            # MSAL knows Microsoft's own hosts itself; for any other it would first ask login.microsoftonline.com.
            instance_discovery=None if _is_microsoft(self._transport.host) else False,
            http_client=self._transport,
        )

    def _explain(self, result: Mapping[str, Any]) -> SignInRefused:
        skew = describe_skew(self._transport.last_date, self._clock.wall())
        return explain_sign_in(self._source, result, (self._connection.client_secret,), skew)


def _is_microsoft(host: str) -> bool:
    from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS

    return host in WELL_KNOWN_AUTHORITY_HOSTS


@dataclass(frozen=True, slots=True)
class _MsalResponse:
    """What MSAL reads of a response."""

    status_code: int
    headers: Mapping[str, str]
    text: str

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise ValueError(f"HTTP status {self.status_code}")


class _MsalTransport:
    """MSAL's requests, sent to the authority's host only, with our retries. Only whole answers reach MSAL."""

    def __init__(self, connection: Connection, check: Check, conditions: Conditions) -> None:
        self._origin = origin_of(connection.authority)
        self.host = self._origin.host if self._origin else ""
        self._secret = connection.client_secret
        self._check = check
        self._conditions = conditions
        self._gate = conditions.gates.at(f"{connection.authority} sign-in", None)
        self._wire = Wire(connection.authority, connection.ca_bundle, conditions.patience)
        self.last_status = 0
        self.last_date = ""
        self.last_body: Mapping[str, Any] = {}

    def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> _MsalResponse:
        query = f"?{urlencode(params)}" if params else ""
        return self._send("GET", url + query, dict(headers or {}), None)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> _MsalResponse:
        query = f"?{urlencode(params)}" if params else ""
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self._send("POST", url + query, sent, urlencode(data or {}).encode())

    def close(self) -> None:
        self._wire.close()

    def _send(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> _MsalResponse:
        self._refuse_other_host(url)
        # Asking for a token twice gives two tokens and nothing else, so that this POST may be repeated.
        attempts = Attempts(f"{_SIGN_IN} at {self.host}", self._gate, self._conditions, self._check, is_repeatable=True)
        while True:
            self._gate.enter(self._check)
            try:
                answer = self._wire.send(method, url, headers, content)
                body = self._read(answer)
            except NoAnswer as fault:
                attempts.after_no_answer(fault)
                continue
            if answer.status < 500 and answer.status != 429:
                return self._hand_over(answer, body)
            refusal = read_refusal(answer, headers, (self._secret,))
            if answer.status == 429 or "retry-after" in answer.headers:
                attempts.after_busy(refusal, answer.headers.get("retry-after", ""))
            else:
                attempts.after_server_error(refusal)

    def _read(self, answer: RawAnswer) -> Mapping[str, Any]:
        """Parse a body; a bad one matters only where the answer is good."""
        try:
            body = parse_json(answer.content)
        except Truncated:
            raise NoAnswer("the answer broke off in the middle", sent=True) from None
        except Unreadable as error:
            if answer.status >= 400:
                return {}
            raise self._changed(f"answered with {error}") from None
        return body if isinstance(body, dict) else {}

    def _hand_over(self, answer: RawAnswer, body: Mapping[str, Any]) -> _MsalResponse:
        self.last_status, self.last_body = answer.status, body
        self.last_date = answer.headers.get("date", "")
        headers = {name: value for name, value in answer.headers.items() if name != "retry-after"}
        return _MsalResponse(answer.status, headers, json.dumps(body))

    def _refuse_other_host(self, url: str) -> None:
        origin = origin_of(url)
        if origin == self._origin or (origin and _is_microsoft(origin.host) and _is_microsoft(self.host)):
            return
        where = clean(str(origin)) if origin else "an address that is not https"
        raise self._changed(f"names another place ({where}) for the secret, which was not sent there")

    def _changed(self, how: str) -> SourceChanged:
        return SourceChanged(
            f"{_SIGN_IN} at {self.host} {how}.", kept=KEPT, do="Check W365_AUTHORITY; a proxy may answer in its place."
        )
