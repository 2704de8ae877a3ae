"""MSAL over our own transport: an application of Entra ID that asks for tokens.

MSAL's own transport would let REQUESTS_CA_BUNDLE override our certificate authority, and would raise its own errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from w365.connection import Connection
from w365.errors import SignInRefused, SourceChanged
from w365.http.attempts import KEPT
from w365.http.clock_skew import describe_skew
from w365.http.conditions import Conditions
from w365.http.refusal import clean
from w365.http.sign_in.aadsts_messages import explain_sign_in
from w365.http.sign_in.exchange import SIGN_IN, SignInExchange
from w365.http.sign_in.token_keeper import Grant
from w365.http.transport import origin_of
from w365.http.wait import Check


class EntraApplication:
    """The application of a connection. MSAL remembers refusals for a minute: after a change, make a new one."""

    def __init__(self, connection: Connection, check: Check, conditions: Conditions) -> None:
        self._connection = connection
        self._clock = conditions.clock
        self._msal: Any = None
        self._exchange = MsalTransport(connection, check, conditions)

    def close(self) -> None:
        self._exchange.close()

    def ask(self, question: Callable[[Any], Grant]) -> Grant:
        """Put a question to MSAL's application and return its answer, or the body of what discovery was refused with.

        Raises SourceUnreachable, SourceBusy, SourceChanged, Cancelled.
        """
        try:
            application = self._msal = self._msal or self._build()
            return question(application)
        except (ValueError, KeyError):  # discovery was refused, or is no discovery document
            if self._exchange.last_status >= 400:
                return self._exchange.last_body
            raise SourceChanged(
                f"{SIGN_IN} at {self._exchange.host} answered with something else than its settings.",
                kept=KEPT,
                do="Check W365_AUTHORITY and the tenant id; a proxy may answer in its place.",
            ) from None

    def explain(self, source: str, result: Grant, *secrets: str) -> SignInRefused:
        skew = describe_skew(self._exchange.last_date, self._clock.wall())
        return explain_sign_in(source, result, (self._connection.client_secret, *secrets), skew)

    def _build(self) -> Any:
        import msal  # it loads requests and cryptography; pages that do not sign in need neither

        authority = f"{self._connection.authority}/{self._connection.tenant_id}"
        return msal.ConfidentialClientApplication(
            self._connection.client_id,
            client_credential=self._connection.client_secret,
            authority=authority,
            # MSAL knows Microsoft's own hosts itself; for any other it would first ask login.microsoftonline.com.
            instance_discovery=None if _is_microsoft(self._exchange.host) else False,
            http_client=self._exchange,
        )


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


class MsalTransport:
    """MSAL's requests, sent to the authority's host only. Only whole answers reach MSAL."""

    def __init__(self, connection: Connection, check: Check, conditions: Conditions) -> None:
        self._exchange = SignInExchange(connection, "W365_AUTHORITY", check, conditions)
        self.host = self._exchange.host
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
        self._exchange.close()

    def _send(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> _MsalResponse:
        self._refuse_other_host(url)
        answer = self._exchange.send(method, url, headers, content)
        self.last_status, self.last_body = answer.status, answer.body
        self.last_date = answer.headers.get("date", "")
        kept = {name: value for name, value in answer.headers.items() if name != "retry-after"}
        return _MsalResponse(answer.status, kept, json.dumps(answer.body, default=repr))

    def _refuse_other_host(self, url: str) -> None:
        origin = origin_of(url)
        if origin == self._exchange.origin or (origin and _is_microsoft(origin.host) and _is_microsoft(self.host)):
            return
        where = clean(str(origin)) if origin else "an address that is not https"
        raise self._exchange.changed(f"names another place ({where}) for the secret, which was not sent there")
