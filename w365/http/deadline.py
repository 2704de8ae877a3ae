"""A deadline over a whole exchange, kept by the socket itself.

A time-out per read does not end an answer that arrives one byte a second, in its headers as little as in its body.
``ssl.SSLContext.sslsocket_class`` is the public place to say what a TLS connection is made of.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_current = threading.local()


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket whose time-outs never reach beyond the deadline of the running thread's exchange."""

    def settimeout(self, value: float | None) -> None:
        ends = getattr(_current, "ends", None)
        if ends is not None:
            left = max(ends - time.monotonic(), 0.001)  # 0 would mean non-blocking
            value = left if value is None else min(value, left)
        super().settimeout(value)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Hold every read and write of this thread on a DeadlineSocket to ``seconds`` in all."""
    _current.ends = time.monotonic() + seconds
    try:
        yield
    finally:
        _current.ends = None


def has_passed() -> bool:
    """Whether the deadline of this thread's exchange is over."""
    ends = getattr(_current, "ends", None)
    return ends is not None and time.monotonic() >= ends


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Return a context that checks certificates against ``ca_bundle``, or against the system's list without one."""
    context = ssl.create_default_context(cafile=ca_bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = DeadlineSocket
    return context
