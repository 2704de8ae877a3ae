"""How old the data of each source is, and what is wrong with it: the quiet line under every title."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from w365.model import Actor, ProviderKind, RunState
from w365.service import Service
from w365.service.syncing.providers import CrmView, ProviderView, get_crm, list_providers
from w365.store.runs import RunView
from w365.ui.frame.wording import ago, clock_time

STALE_AFTER = dt.timedelta(hours=26)
"""A daily sync and two hours of grace."""

_BROKEN = (RunState.FAILED, RunState.INTERRUPTED)


class Freshness(enum.Enum):
    FRESH = "fresh"
    SYNCING = "syncing"
    NEVER = "never synced"
    MISSING = "not connected"
    STALE = "stale"
    FAILED = "failed"


LOUD = (Freshness.STALE, Freshness.FAILED)


@dataclass(frozen=True, slots=True)
class Source:
    """One source and the age of its data; `problem` is the sentence of what went wrong."""

    name: str
    freshness: Freshness
    synced_at: dt.datetime | None
    problem: str = ""

    @property
    def is_loud(self) -> bool:
        return self.freshness in LOUD

    def line(self, now: dt.datetime, zone: dt.tzinfo) -> str:
        when = f"synced {clock_time(self.synced_at, now, zone)}" if self.synced_at else ""
        if self.freshness is Freshness.FRESH:
            return f"{self.name} {when}"
        if self.freshness is Freshness.SYNCING:
            return f"{self.name} syncing now{f', last {when}' if when else ''}"
        if self.freshness in (Freshness.NEVER, Freshness.MISSING):
            return f"{self.name} {self.freshness.value}"
        last = f"last {when}, {ago(self.synced_at, now)}" if self.synced_at else "never synced before"
        return f"{self.name} {self.freshness.value}, {last}"


def read_sources(service: Service, actor: Actor) -> list[Source]:
    """The CRM and every provider that is synced, in the order of the Providers page."""
    now = service.clock()
    providers = [provider for provider in list_providers(service, actor) if provider.kind is not ProviderKind.MANUAL]
    return [_source(provider, provider.name, now) for provider in providers] + [
        _source(get_crm(service, actor), "CRM", now)
    ]


def _source(view: ProviderView | CrmView, name: str, now: dt.datetime) -> Source:
    synced_at = view.last_done.ended_at if view.last_done else None
    freshness = _freshness(view.last, synced_at, now, is_missing=bool(view.missing))
    return Source(name, freshness, synced_at, view.last.error if view.last and freshness is Freshness.FAILED else "")


def _freshness(last: RunView | None, synced_at: dt.datetime | None, now: dt.datetime, *, is_missing: bool) -> Freshness:
    if last and last.is_active:
        return Freshness.SYNCING
    if last and last.state in _BROKEN:
        return Freshness.FAILED
    if is_missing:
        return Freshness.MISSING
    if synced_at is None:
        return Freshness.NEVER
    return Freshness.STALE if now - synced_at > STALE_AFTER else Freshness.FRESH
