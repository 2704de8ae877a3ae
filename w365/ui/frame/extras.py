"""What extras add to pages of the core: a table, so that the core imports none of them and reads without them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from w365.ui.frame.pages import load_function


class Slot(enum.Enum):
    """A place in a page of the core, with what the functions that stand there are given."""

    HEAD = enum.auto()
    """Below every title: context, page."""
    RECORD = enum.auto()
    """Below how a row stands: the record's decider."""
    ACCOUNT = enum.auto()
    """Where an account or a list of accounts may want a new customer: context, the account's id in the CRM or ""."""
    SCHEDULES = enum.auto()
    """Below the daily syncs: context."""
    CONFIGURATION = enum.auto()
    """At the end of the settings: context."""


EXTRAS: Mapping[Slot, tuple[str, ...]] = {
    Slot.HEAD: ("onboarding.first_password:remind_of_password",),
    Slot.RECORD: ("writeback.record:show_writeback",),
    Slot.ACCOUNT: ("onboarding.link:link_to_onboarding",),
    Slot.SCHEDULES: ("telling.channels:show_channels",),
    Slot.CONFIGURATION: ("writeback.state:show_mappings_in_crm", "retention.section:show_retention"),
}


def show_extras(slot: Slot, *given: Any) -> None:
    """Draw what stands in a slot; what it is given is said at the slot."""
    for function in EXTRAS[slot]:
        load_function(function)(*given)
