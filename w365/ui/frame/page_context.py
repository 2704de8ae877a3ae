"""What a page works with: the service, who looks at it, and the token that the grid's routes ask for."""

from __future__ import annotations

from dataclasses import dataclass

from w365.model import Actor
from w365.service import Service


@dataclass(frozen=True, slots=True)
class PageContext:
    service: Service
    actor: Actor
    token: str
