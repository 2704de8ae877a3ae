"""The client of one service: its host only, with sign-in, pace, retries and bounds. Synchronous and thread-safe."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from w365.connection import Connection
from w365.errors import ConfigurationError, SignInRefused, SourceChanged, SourceRefused
from w365.http.attempts import KEPT, Attempts
from w365.http.body import Truncated, Unreadable, parse_json
from w365.http.clock_skew import describe_skew
from w365.http.conditions import REAL_CONDITIONS, Conditions
from w365.http.links import escape_link, follow_link
from w365.http.network import Network
from w365.http.refusal import Refusal, clean, describe_ids, read_refusal
from w365.http.transport import HostOrigin, NoAnswer, RawAnswer, Transport, origin_of
from w365.http.wait import Check, Waiting, never_stop

Explain = Callable[[Refusal], Exception | None]
"""Gives an error answer its precise meaning, or None for the general one."""

IsLasting = Callable[[Refusal], bool]
"""Whether no repeat mends what was refused, whatever the status says."""


class Tokens(Protocol):
    """Where access tokens come from."""

    def token(self) -> str: ...

    def renew(self, stale: str) -> str: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. ``body`` is the parsed JSON, None where there is none."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: Any = field(repr=False)

    def changed(self, source: str, how: str) -> SourceChanged:
        """Return the error to raise for an answer that has not the documented shape."""
        return _changed(source, f"{source} answers differently than documented: {how}", describe_ids(self.headers))

    def follow(self, link: str) -> str:
        """Return the absolute address of a link in this answer, which may be relative to it and not escaped."""
        return follow_link(link, self.url)


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None = field(repr=False)
    is_repeatable: bool
    explain: Explain | None
    may_be_empty: bool = False
    is_tried_once: bool = False


class ApiClient:
    """Calls ``connection.url`` and nothing else. ``source`` is how sentences call the service.

    ``check`` is called while waiting, at least every half second, and raises Cancelled to stop; it runs in whichever
    thread waits. ``is_lasting`` knows refusals that are explained at once, though by their status, such as 500, they
    might pass.
    """

    def __init__(
        self,
        source: str,
        connection: Connection,
        tokens: Tokens,
        *,
        check: Check = never_stop,
        conditions: Conditions = REAL_CONDITIONS,
        is_lasting: IsLasting = lambda _: False,
    ) -> None:
        origin = origin_of(connection.url)
        if origin is None:
            raise ConfigurationError(
                f"The address of {source} must be a plain https:// address.", do="Nothing was sent. Correct it."
            )
        self.source = source
        self._base = connection.url.rstrip("/")
        self._origin = origin
        self._tokens = tokens
        self._check = check
        self._conditions = conditions
        self._is_lasting = is_lasting
        self.skew = ""
        """A sentence, where the latest answer says that the clock of this machine is wrong."""
        self._limiter = conditions.limiters.at(connection.url, connection.calls_per_minute)
        network = Network(connection.allowed, conditions.resolve)
        self._transport = Transport(connection.url, connection.ca_bundle, conditions.patience, network)

    @property
    def waiting(self) -> Waiting | None:
        """Why calls to this host stand still just now, or None."""
        return self._limiter.waiting

    def close(self) -> None:
        self._transport.close()
        self._tokens.close()

    def is_at(self, url: str) -> bool:
        """Whether an absolute address is at the host of this connection."""
        return origin_of(escape_link(url)) == self._origin

    def get_json(
        self,
        path_or_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        explain: Explain | None = None,
        is_tried_once: bool = False,
    ) -> Answer:
        """Read ``path_or_url``: a path below the connection's address, or an absolute address on the same host.

        ``is_tried_once``: a fault or a 401 is raised at once, with no further try and no new token.
        Raises SourceUnreachable, SourceBusy, SourceRefused, SourceChanged, SignInRefused, Cancelled, or what
        ``explain`` makes of an error answer.
        """
        url = self._resolve(path_or_url)
        call = _Call("GET", url, dict(headers or {}), None, is_repeatable=True, explain=explain)
        return self._perform(replace(call, is_tried_once=is_tried_once))

    def post_json(
        self,
        path: str,
        body: object,
        *,
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool = False,
        may_be_empty: bool = False,
        explain: Explain | None = None,
    ) -> Answer:
        """Send ``body``. It is sent once, unless ``is_repeatable`` says that ``headers`` hold an idempotency key."""
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        sent = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
        return self._perform(_Call("POST", self._resolve(path), sent, content, is_repeatable, explain, may_be_empty))

    def exists(self, path: str, *, headers: Mapping[str, str] | None = None, explain: Explain | None = None) -> bool:
        """Ask with HEAD whether something is at ``path``; 404 says no, other refusals are raised."""
        call = _Call("HEAD", self._resolve(path), dict(headers or {}), None, True, explain, may_be_empty=True)
        try:
            self._perform(call)
        except SourceRefused as error:
            if error.status != _NOT_FOUND:
                raise
            return False
        return True

    def patch_json(
        self, path: str, body: object, *, headers: Mapping[str, str], explain: Explain | None = None
    ) -> Answer:
        """Send ``body`` as new values of the row at ``path``, and again where no answer came.

        ``headers`` hold the condition (If-Match, If-None-Match) under which a second time writes nothing else.
        """
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        sent = {"Content-Type": "application/json; charset=utf-8", **headers}
        return self._perform(_Call("PATCH", self._resolve(path), sent, content, is_repeatable=True, explain=explain))

    def delete(self, path: str, *, headers: Mapping[str, str], explain: Explain | None = None) -> Answer:
        """Take away what is at ``path``, and ask again where no answer came: gone is gone."""
        return self._perform(_Call("DELETE", self._resolve(path), dict(headers), None, True, explain, True))

    def _resolve(self, path_or_url: str) -> str:
        if path_or_url.startswith("/") and not path_or_url.startswith("//"):
            return self._base + escape_link(path_or_url)
        url = follow_link(path_or_url, f"{self._base}/")
        if (origin := origin_of(url)) != self._origin:
            raise SourceChanged(
                f"{self.source} names a link {_say_whither(url, origin, self._origin)}, which was not followed.",
                kept=f"The sign-in was not sent there. {KEPT}",
                do="Check the address of the connection; a proxy may rewrite answers.",
            )
        return url

    def _perform(self, call: _Call) -> Answer:
        attempts = self._begin_attempts(call)
        token, is_renewed = self._tokens.token(), call.is_tried_once
        while True:
            self._limiter.acquire(self._check)
            try:
                headers = {**call.headers, "Authorization": f"Bearer {token}"}
                answer = self._transport.send(call.method, call.url, headers, call.content)
                self.skew = describe_skew(answer.headers.get("date", ""), self._conditions.clock.wall())
                if answer.status < 300:
                    return _parse(answer, call)
            except NoAnswer as fault:
                attempts.after_no_answer(fault)
                continue
            except Unreadable as error:
                raise _changed(self.source, f"{self.source} answered with {error}.", "") from None
            if answer.status == 401 and not is_renewed:
                token, is_renewed = self._tokens.renew(token), True
            else:
                self._after_refusal(call, answer, attempts, token)

    def _begin_attempts(self, call: _Call) -> Attempts:
        return Attempts(
            self.source,
            self._limiter,
            self._conditions,
            self._check,
            is_repeatable=call.is_repeatable,
            is_tried_once=call.is_tried_once,
        )

    def _after_refusal(self, call: _Call, answer: RawAnswer, attempts: Attempts, token: str) -> None:
        """Wait for the next try, or raise what the refusal means."""
        refusal = read_refusal(answer, call.headers, (token,))
        if self._is_lasting(refusal):
            raise (call.explain(refusal) if call.explain else None) or self._refused(answer, refusal)
        # A gateway refuses what is beyond a quota with 403, and says in a header when there is a new one.
        is_gateways = refusal.status == 403 and "retry-after" in answer.headers
        is_busy = refusal.status == 429 or is_gateways or (refusal.status == 503 and refusal.asks_to_wait)
        is_passing = is_busy or refusal.status in _PASSING
        if not (is_passing and call.is_repeatable) and call.explain and (error := call.explain(refusal)):
            raise error
        if is_busy:
            attempts.after_busy(refusal)
        elif is_passing:
            attempts.after_server_error(refusal)
        elif refusal.status == 401:
            raise self._sign_in_refused(answer, refusal)
        else:
            raise self._refused(answer, refusal)

    def _sign_in_refused(self, answer: RawAnswer, refusal: Refusal) -> SignInRefused:
        skew = describe_skew(answer.headers.get("date", ""), self._conditions.clock.wall())
        return SignInRefused(
            f"{self.source} does not accept the sign-in of the application ({refusal.say()}).",
            kept=KEPT,
            do=f"{skew} Correct it." if skew else _CHECK_SIGN_IN,
            detail=refusal.detail,
        )

    def _refused(self, answer: RawAnswer, refusal: Refusal) -> SourceRefused:
        if refusal.status < 400:
            target = origin_of(answer.headers.get("location", ""))
            where = clean(str(target)) if target else "another address"
            what = f"{self.source} redirects to {where} ({refusal.say()}), which was not followed."
            do = "Check the address of the connection."
        else:
            what = f"{self.source} refused the request ({refusal.say()})."
            do = _ADVICE.get(refusal.status, "Report it with the request id if it stays.")
        return SourceRefused(what, status=refusal.status, code=refusal.code, kept=KEPT, do=do, detail=refusal.detail)


def _say_whither(url: str, origin: HostOrigin | None, own: HostOrigin) -> str:
    if origin:
        return f"to another place ({clean(str(origin))})"
    try:
        parts = urlsplit(url)
        is_elsewhere = bool(parts.hostname) and (parts.scheme, parts.hostname) != (own.scheme, own.host)
    except ValueError:
        is_elsewhere = False
    return "to another place (an address that is not https)" if is_elsewhere else "that is no address"


_NOT_FOUND = 404
_PASSING = frozenset({408, 500, 502, 503, 504, *range(520, 531)})
_CHECK_SIGN_IN = "Check that tenant and application belong to this service and that its permission was granted."
_ADVICE = {
    403: "Give the application the permission it lacks.",
    404: "Check the address of the connection.",
}


def _parse(answer: RawAnswer, call: _Call) -> Answer:
    is_empty = answer.status == 204 or (call.may_be_empty and not answer.content)
    try:
        body = None if is_empty else parse_json(answer.content)
    except Truncated:
        raise NoAnswer("the answer broke off in the middle", sent=True, detail=describe_ids(answer.headers)) from None
    return Answer(answer.status, call.url, answer.headers, body)


def _changed(source: str, what: str, detail: str) -> SourceChanged:
    return SourceChanged(
        what, kept=KEPT, do=f"Check the address of the connection to {source}, and for a newer version.", detail=detail
    )
