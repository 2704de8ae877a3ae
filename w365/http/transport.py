"""One try of one exchange over the pooled httpx client, with every fault of the transport put into words."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from w365.http.body import TooSlow, Truncated, Unreadable, read_bounded
from w365.http.deadline import deadline, has_passed, tls_context
from w365.http.network import CheckedBackend, Network, PlaceRefused
from w365.http.retry import Patience

_LIMITS = httpx.Limits(max_connections=16, max_keepalive_connections=16)
_NOT_NOW = (9, 10)
"""OpenSSL's numbers for a certificate that is not valid yet, or no longer."""
_CLOCK_ADVICE = "Look at the clock of this machine first; where it is right, the other side has to renew it."
_CA_ADVICE = "If your network inspects TLS, set W365_CA_BUNDLE to a file with its certificate authority."


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """Status, headers (names in lower case) and unpacked body of an answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


class NoAnswer(Exception):
    """No usable answer came. ``why`` is a whole clause for people; ``sent`` tells whether the request may have arrived.

    ``is_lasting`` means that another try would end the same way; ``advice`` says what to do then.
    """

    def __init__(self, why: str, *, sent: bool, is_lasting: bool = False, advice: str = "", detail: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent
        self.is_lasting = is_lasting
        self.advice = advice
        self.detail = detail


@dataclass(frozen=True, slots=True)
class HostOrigin:
    """Scheme, host and port of a service; the only place its sign-in is ever sent to."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return self.host if self.port == 443 else f"{self.host}:{self.port}"


def origin_of(url: str) -> HostOrigin | None:
    """Return the origin of an absolute https address, or None for anything else (user names and blanks included)."""
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        return None
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return None
    if parts.scheme != "https" or not parts.host or parts.userinfo:
        return None
    return HostOrigin(parts.scheme, parts.host.lower(), parts.port or 443)


class _CheckedTransport(httpx.HTTPTransport):
    """httpx's own, over a pool that connects to checked addresses only; httpx has no parameter for that."""

    def __init__(self, context: ssl.SSLContext, network: Network) -> None:
        super().__init__(verify=context)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=_LIMITS.max_connections,
            max_keepalive_connections=_LIMITS.max_keepalive_connections,
            keepalive_expiry=_LIMITS.keepalive_expiry,
            network_backend=CheckedBackend(network),
        )


class Transport:
    """A pool of TLS connections to what ``network`` allows. Redirects are not followed.

    Proxies of the environment are used but not for loopback; they resolve names themselves, so that only the spelling
    of an address is checked then. Safe to share among threads.
    """

    def __init__(self, base_url: str, ca_bundle: str | None, patience: Patience, network: Network) -> None:
        self._patience = patience
        self._network = network
        self._host = host = httpx.URL(base_url).host
        context = tls_context(ca_bundle)
        proxy = _proxy_for(host)
        self._client = httpx.Client(
            transport=httpx.HTTPTransport(verify=context, limits=_LIMITS, proxy=proxy)
            if proxy
            else _CheckedTransport(context, network),
            follow_redirects=False,
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "w365-provider-accounts"},
        )

    def close(self) -> None:
        self._client.close()

    def send(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None) -> RawAnswer:
        """Send once and read everything. Raises NoAnswer for any fault below the level of HTTP statuses."""
        with deadline(self._patience.total), _faults_in_words(self._host):
            request = self._client.build_request(method, url, headers=headers, content=content)
            self._network.check(request.url.host)
            response = self._client.send(request, stream=True)
            try:
                return RawAnswer(response.status_code, _lower(response.headers), self._read(response))
            finally:
                response.close()

    def _read(self, response: httpx.Response) -> bytes:
        encoding = response.headers.get("content-encoding", "").strip().lower()
        stream = response.stream
        chunks: Iterator[bytes] = iter(stream) if isinstance(stream, httpx.SyncByteStream) else iter(())
        with _inner_faults():
            return read_bounded(chunks, encoding, self._patience.body_bytes)


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers.raw}


def _proxy_for(host: str) -> str:
    if _is_loopback(host) or proxy_bypass(host):
        return ""
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all") or ""
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


class _inner_faults:  # noqa: N801 - read as a phrase after "with", and a class is cheaper than a generator per call
    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Truncated):
            raise NoAnswer("the answer broke off in the middle", sent=True) from None
        if isinstance(error, TooSlow):
            raise NoAnswer("the answer did not arrive in time", sent=True) from None


class _faults_in_words:  # noqa: N801 - likewise
    def __init__(self, host: str) -> None:
        self._host = host

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, httpx.TransportError):
            raise _name_fault(error, self._host) from None
        if isinstance(error, PlaceRefused):
            raise _name_refused_place(error) from None
        if isinstance(error, httpx.InvalidURL):
            raise Unreadable("an address that cannot be called") from None


def _name_fault(error: httpx.TransportError, host: str) -> NoAnswer:
    # A LocalProtocolError quotes the request's headers, the sign-in among them.
    detail = type(error).__name__ if isinstance(error, httpx.LocalProtocolError) else f"{type(error).__name__}: {error}"
    if isinstance(error, httpx.ProxyError):
        return _name_proxy_fault(str(error), detail)
    if isinstance(error, httpx.ConnectError):
        return _name_connect_fault(error, host, detail)
    if isinstance(error, httpx.ConnectTimeout):
        return NoAnswer(f"{host} did not accept the connection in time", sent=False, detail=detail)
    return NoAnswer(_name_loss(error, host), sent=True, detail=detail)


def _name_loss(error: httpx.TransportError, host: str) -> str:
    if has_passed():
        return "the answer did not arrive in time"
    if isinstance(error, httpx.TimeoutException):
        return f"{host} did not answer in time"
    if isinstance(error, httpx.RemoteProtocolError) and "complete message body" in str(error):
        return "the answer broke off in the middle"
    return f"the connection to {host} was lost"


def _name_connect_fault(error: httpx.ConnectError, host: str, detail: str) -> NoAnswer:
    cause = _root_cause(error)
    if isinstance(cause, socket.gaierror):
        advice = "Check the address of the connection and this machine's network, then try again."
        return NoAnswer(f"the host name {host} is not known (DNS)", sent=False, advice=advice, detail=detail)
    if isinstance(cause, ConnectionRefusedError):
        return NoAnswer(f"{host} refuses connections", sent=False, detail=detail)
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = f"the certificate of {host} is not trusted ({cause.verify_message})"
        advice = _CLOCK_ADVICE if cause.verify_code in _NOT_NOW else _CA_ADVICE
        return NoAnswer(why, sent=False, is_lasting=True, advice=advice, detail=detail)
    if isinstance(cause, ssl.SSLError):
        return NoAnswer(f"no TLS connection to {host} could be agreed", sent=False, detail=detail)
    return NoAnswer(f"{host} cannot be reached", sent=False, detail=detail)


def _name_refused_place(error: PlaceRefused) -> NoAnswer:
    return NoAnswer(str(error), sent=False, is_lasting=True, advice=error.objection.do)


def _name_proxy_fault(text: str, detail: str) -> NoAnswer:
    if "407" in text:
        advice = "Put the proxy's user name and password into HTTPS_PROXY."
        return NoAnswer(
            "the proxy asks for a sign-in (407)", sent=False, is_lasting=True, advice=advice, detail="ProxyError 407"
        )
    return NoAnswer("the proxy refuses the connection", sent=False, detail=detail)


def _root_cause(error: BaseException) -> BaseException:
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error
