"""What this process measures of itself, for `/metrics`. Nothing here names a customer, an account or a person."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram

REGISTRY = CollectorRegistry()
"""Ours alone: the library's own holds whatever any package puts there."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

SAVE_SECONDS = Histogram(
    "w365_save_seconds", "From the grid's edit to its answer, in this process.", buckets=_SECONDS, registry=REGISTRY
)
WRITE_WAIT_SECONDS = Histogram(
    "w365_write_wait_seconds",
    "How long write transactions of this process waited for their turn.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
