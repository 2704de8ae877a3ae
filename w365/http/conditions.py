"""What surrounds every request and is given from outside: clock, patience, limiters of hosts, resolver of names."""

from __future__ import annotations

from dataclasses import dataclass

from w365.http.network import Resolve, resolve_name
from w365.http.rate_limit import SHARED_LIMITERS, RateLimiters
from w365.http.retry import PATIENCE, Patience
from w365.http.wait import REAL_CLOCK, Clock


@dataclass(frozen=True, slots=True)
class Conditions:
    """The defaults are for the real world; tests give a clock of their own and tiny bounds."""

    clock: Clock = REAL_CLOCK
    patience: Patience = PATIENCE
    limiters: RateLimiters = SHARED_LIMITERS
    resolve: Resolve = resolve_name


REAL_CONDITIONS = Conditions()
