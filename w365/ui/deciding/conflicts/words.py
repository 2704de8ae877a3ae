"""What the Conflicts page says. Plain text, decided without the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from w365.matching.messages import RULE_NAMES
from w365.model import Rule
from w365.store.deciding.conflict_pages import Use
from w365.store.reading.worklist import Row
from w365.ui.frame.wording import counted, short

EMPTY = "Nothing points to two places."

TITLES: Mapping[str, str] = {
    "domains": "Domains on several accounts",
    "customers": "Domains at several customers",
    "accounts": "Accounts shared against the policy",
    "suspects": "Domains that may be shared",
}
ABOUT: Mapping[str, str] = {
    "domains": "The rules support all of these accounts equally, so nobody is mapped. Choose the right account for "
    "everyone, or take the domain out of matching.",
    "customers": "Different customers proved the same domain, so it may lead them all to one account.",
    "accounts": "More provider accounts hold or want these accounts than the policy allows. Mappings stay until "
    "somebody decides.",
    "suspects": "Contacts of many accounts use these domains, as they do for agencies, groups and hosters. Marked as "
    "shared, a domain maps nobody.",
}


def say_effect(rows: int, seats: int) -> str:
    """Say how much waits for a decision."""
    waiting = counted(rows, "open provider account")
    return f"{waiting}, {counted(seats, 'seat')}" if seats else waiting


def say_use(use: Use) -> str:
    """Say how an account uses the domain, and which account it is."""
    how = [counted(use.contacts, "contact")] if Rule.CONTACT_DOMAIN in use.rules else []
    how += [RULE_NAMES[rule] for rule in use.rules if rule is not Rule.CONTACT_DOMAIN]
    return " · ".join(part for part in (", ".join(how), use.number, use.city) if part)


def say_names(names: Sequence[str], total: int) -> str:
    """Name the first of so many."""
    more = total - len(names)
    return ", ".join(short(name, 40) for name in names) + (f" and {more:,} more" if more > 0 else "")


def say_row(row: Row) -> str:
    parts = (row.provider, row.specific_id, counted(row.seats, "seat") if row.seats else "", row.account_name)
    return " · ".join(part for part in parts if part)
