"""Post to a webhook: https only, no redirects, bounded time and tries."""

from __future__ import annotations

from collections.abc import Mapping

from w365.errors import SourceRefused, SourceUnreachable
from w365.http.body import Unreadable
from w365.http.network import Network
from w365.http.retry import Patience
from w365.http.transport import NoAnswer, Transport, origin_of
from w365.http.wait import REAL_CLOCK, Clock

PATIENCE = Patience(tries=3, first_delay=1.0, connect=5.0, read=10.0, total=15.0, body_bytes=64 * 1024)
_AGAIN = (408, 425, 429)
_PUBLIC = Network()


def post(
    url: str,
    content: bytes,
    headers: Mapping[str, str],
    *,
    ca_bundle: str | None = None,
    network: Network = _PUBLIC,
    patience: Patience = PATIENCE,
    clock: Clock = REAL_CLOCK,
) -> None:
    """Post until it is taken. Raises SourceRefused and SourceUnreachable, which name the host and never the address."""
    host = str(origin_of(url) or "")
    transport = Transport(url, ca_bundle, patience, network)
    try:
        for failures in range(1, patience.tries + 1):
            problem = _attempt(transport, url, content, headers)
            if not problem:
                return
            if failures < patience.tries:
                clock.wait_until(clock.monotonic() + patience.delay(failures, clock.chance()))
        raise SourceUnreachable(
            f"The webhook at {host} did not take it: {problem} (tried {patience.tries} times).",
            do="Look whether it is up.",
        )
    finally:
        transport.close()


def _attempt(transport: Transport, url: str, content: bytes, headers: Mapping[str, str]) -> str:
    """Post once; return what may pass by itself, empty when it was taken."""
    host = origin_of(url)
    try:
        status = transport.send("POST", url, headers, content).status
    except Unreadable as error:
        return f"it answered with {error}"
    except NoAnswer as fault:
        if fault.is_lasting:
            raise SourceUnreachable(f"The webhook cannot be reached: {fault.why}.", do=fault.advice) from None
        return fault.why
    if 200 <= status < 300:
        return ""
    if status >= 500 or status in _AGAIN:
        return f"it answered with status {status}"
    raise SourceRefused(
        f"The webhook at {host} refused it with status {status}.", status=status, do="Check W365_WEBHOOK_URL."
    )
