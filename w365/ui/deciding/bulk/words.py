"""What is said about changes of many rows: the preview, the result, the rows that were left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from w365.matching.messages import DECISION_WORDS, LEFT_WORDS, STATUS_WORDS
from w365.service.deciding.bulk_actions import ACTIONS, UNDO, UNDO_OWNERS
from w365.service.deciding.bulk_run import PlanPreview, WouldChange
from w365.store.deciding.plans import Left, PlanView
from w365.store.run_counts import Count
from w365.store.runs import RunView
from w365.ui.frame.wording import counted, full_time, number

NOBODY = "nobody"
_WILL: Mapping[str, tuple[str, str]] = {
    "accept": ("will be mapped to its best candidate", "will be mapped, each to its best candidate"),
    "assign": ("will be mapped", "will be mapped"),
    "exclude": ("will be excluded", "will be excluded"),
    "park": ("will be parked", "will be parked"),
    "unmap": ("will be unmapped", "will be unmapped"),
    "reopen": ("will be reopened", "will be reopened"),
    "owner": ("will change its owner", "will change their owner"),
    UNDO: ("will be as before", "will be as they were before"),
    UNDO_OWNERS: ("will have its owner of before", "will have their owners of before"),
}


VERBS: Mapping[str, str] = {
    "accept": "Map",
    "assign": "Map",
    "exclude": "Exclude",
    "park": "Park",
    "unmap": "Unmap",
    "reopen": "Reopen",
    "owner": "Change owner of",
    UNDO: "Take back",
    UNDO_OWNERS: "Take back",
}
"""What the button that confirms says before the number."""


def say_would(plan: PlanView) -> str:
    """Say how many rows change, and how."""
    if not plan.would:
        return "**Nothing to change.**"
    return f"**{counted(plan.would, 'provider account')}** {_WILL[plan.action][plan.would > 1]}."


def say_left(left: Mapping[str, int]) -> list[str]:
    """Say how many rows are left, a line for each reason, the most first."""
    return [f"{number(amount)}: {LEFT_WORDS[why]}" for why, amount in sorted(left.items(), key=lambda entry: -entry[1])]


def say_warning(preview: PlanPreview) -> str:
    """Say what an action endangers; nothing for most."""
    if preview.plan.action != "unmap" or not preview.subscriptions:
        return ""
    subscriptions = counted(preview.subscriptions, "active subscription")
    return f"{subscriptions} with {counted(preview.seats, 'seat')} will be blocked until somebody maps them again."


def say_done(plan: PlanView, run: RunView) -> str:
    changed = run.result[Count.TAKEN_BACK] + run.result[Count.ROWS_CHANGED]
    verb = "taken back" if ACTIONS[plan.action].is_undo else "changed"
    left = sum(plan.left.values())
    return f"**{counted(changed, 'provider account')} {verb}**" + (f", {number(left)} left." if left else ".")


def sample_row(change: WouldChange, action: str) -> dict[str, str]:
    row, score = change.row, change.row.candidate_score
    if action in ("owner", UNDO_OWNERS):
        named = {"Provider account": row.name, "Provider": row.provider}
        return named | {"Owner now": row.owner or NOBODY, "Then": change.owner or NOBODY}
    shown = {
        "Provider account": row.name,
        "Provider": row.provider,
        "Now": row.account_name or STATUS_WORDS[row.status],
    }
    if action in ("accept", "assign", UNDO):
        shown["Then"] = change.account or "not mapped"
    if action == "accept" and score is not None:
        shown["Score"] = f"{score:.2f}"
    return shown


def left_row(left: Left, zone: dt.tzinfo) -> dict[str, str]:
    why = LEFT_WORDS[left.why]
    if left.owner is not None and left.at is not None:
        why = f"given to {left.owner or NOBODY} by {left.by}, {full_time(left.at, zone)}"
    if left.kind is not None and left.at is not None:
        why = f"{DECISION_WORDS[left.kind]} by {left.by}, {full_time(left.at, zone)}"
    return {"Provider account": left.provider_account, "Provider": left.provider, "Why it is left": why}
