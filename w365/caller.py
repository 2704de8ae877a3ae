"""From where somebody calls: the address of the browser's side, as the doors know it, for the audit log."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

HEADER = "x-w365-address"
"""By this the doors hand the address to pages; what a browser sends by this name is taken out there."""

_ADDRESS: ContextVar[str] = ContextVar("address", default="")
_further: list[Callable[[], str]] = []


def note_caller(address: str) -> None:
    """Note who calls for all that this request does; a page's run, which no request does, is asked by `ask_page`."""
    _ADDRESS.set(address)


def ask_page(read: Callable[[], str]) -> None:
    """Name what tells the address inside a run of a page; empty elsewhere."""
    _further[:] = [read]


def caller() -> str:
    """The address; empty for the worker and the command line."""
    return _ADDRESS.get() or next((read() for read in _further), "")
