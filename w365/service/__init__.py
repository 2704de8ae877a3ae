"""The shared service: what pages, routes, jobs and the command line may ask for. Every call names its actor."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from w365.config import Settings
from w365.crm import Crm
from w365.portals import Portal
from w365.service.account_index import KnownAccounts
from w365.store.db.engine import Store
from w365.store.runs import Clock, now

Check = Callable[[], None]
"""Called while waiting; raises Cancelled when a person asked for it."""


@dataclass(frozen=True)
class Service:
    """What every service call works with, put together once (`w365.service.bootstrap`); tests bring their own parts."""

    store: Store
    settings: Settings
    open_portal: Callable[[str, Check], AbstractContextManager[Portal]]
    open_crm: Callable[[Check], AbstractContextManager[Crm]]
    clock: Clock = field(default=now)
    accounts: KnownAccounts = field(default_factory=KnownAccounts, repr=False)
