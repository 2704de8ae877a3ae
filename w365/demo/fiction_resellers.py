"""The two resellers of the fictional partner: who buys through them. Four customers buy through both."""

from __future__ import annotations

from collections.abc import Sequence

from w365.demo.world import Customer, Reseller

_SHARES = slice(120, 160), slice(156, 180)


def resellers_of(customers: Sequence[Customer]) -> tuple[Reseller, ...]:
    """Give the resellers their customers, the same ones every time."""
    first, second = (frozenset(one.id for one in customers[share]) for share in _SHARES)
    return (
        Reseller("7c5e0f3a-2d14-4a86-9b61-5f2d8c0e4a71", "Saltmarsh Digital Ltd", "5102218", "GB", first),
        Reseller("b8d2417e-9c05-4e3f-8a77-1e6f3b9d5c24", "Quillfeder IT GmbH", "5102391", "DE", second),
    )
