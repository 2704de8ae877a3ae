"""What is told about runs: counts, states and sentences, and the way to the app. Nothing about anybody."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from w365.model import RunKind, RunState
from w365.service.syncing.runs import say_state
from w365.store.run_counts import Count, Counts, as_words, counts_of
from w365.store.runs import SCHEDULE, RunView

_ALWAYS = (Count.NEW, Count.CHANGED)
_SYNCED = (*_ALWAYS, Count.GONE, Count.RETURNED, Count.REJECTED)
_MATCHED = {Count.MAPPED: "mapped", Count.CONFLICT: "in conflict", Count.UNMAPPED: "unmapped"}
_NAME = "Provider accounts"
_NAMES = {
    RunKind.CRM_SYNC: "CRM",
    RunKind.MATCH: "Match",
    RunKind.BULK: "Bulk action",
    RunKind.UNDO: "Undo",
    RunKind.IMPORT: "Import of provider accounts",
    RunKind.MAPPING_IMPORT: "Import of mappings",
    RunKind.WRITEBACK: "Write-back",
    RunKind.COMPARE: "Comparison",
    RunKind.LEARN: "Learning from decisions",
}
_NAMES_CUSTOMERS = (RunKind.BULK, RunKind.UNDO, RunKind.IMPORT, RunKind.MAPPING_IMPORT)


@dataclass(frozen=True, slots=True)
class Summary:
    """The runs of one morning, and what else failed. ``matches`` are those that followed the scheduled syncs."""

    at: dt.datetime
    syncs: tuple[RunView, ...]  # and failures of any kind
    matches: tuple[RunView, ...]
    address: str
    is_test: bool = False

    @property
    def failed(self) -> list[RunView]:
        return [run for run in (*self.syncs, *self.matches) if run.state is not RunState.DONE]

    @property
    def matched(self) -> Counts:
        """What the matches mapped together, and what the last of them left."""
        if not self.matches:
            return Counter()
        last = self.matches[-1].result
        left = {count: last[count] for count in (Count.CONFLICT, Count.UNMAPPED)}
        return Counter({Count.MAPPED: _sum_of(Count.MAPPED, self.matches), **left})


def subject_of(summary: Summary) -> str:
    if summary.is_test:
        return f"{_NAME}: a test"
    if summary.failed:
        names = dict.fromkeys(_name(run) for run in summary.failed)
        return f"{_NAME}: {', '.join(names)} failed"
    syncs = [run for run in summary.syncs if run.kind is RunKind.SYNC]
    counts = {count: _sum_of(count, syncs) for count in _ALWAYS} | summary.matched
    return f"{_NAME}: {_say_counts(counts, _SUBJECT)}"


def _sum_of(count: Count, runs: Iterable[RunView]) -> int:
    return sum(run.result[count] for run in runs)


def text_of(summary: Summary, zone: dt.tzinfo | None) -> str:
    if summary.is_test:
        lines = ["This is a test. Summaries of scheduled runs arrive here."]
    else:
        lines = [_line(run, zone) for run in summary.syncs]
        lines += [_line(run, zone) for run in summary.matches if run.state is not RunState.DONE]
        if summary.matched:
            lines.append(f"Match: {_say_counts(summary.matched, _MATCHED)}.")
    return "\n\n".join([*lines, *([summary.address] if summary.address else [])]) + "\n"


def body_of(summary: Summary) -> dict[str, Any]:
    """The webhook's body; docs/notifications.md describes it."""
    return {
        "version": 1,
        "event": _name_event(summary),
        "at": summary.at.isoformat(),
        "app": summary.address or None,
        "failed": bool(summary.failed),
        "runs": [_run(run) for run in (*summary.syncs, *summary.matches)],
    }


def _name_event(summary: Summary) -> str:
    if summary.is_test:
        return "test"
    return "scheduled_runs" if any(run.actor == SCHEDULE for run in summary.syncs) else "failed_runs"


def _run(run: RunView) -> dict[str, Any]:
    return {
        "run": run.id,
        "kind": run.kind.value,
        "source": _name(run),
        "state": run.state.value,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "counts": as_words(run.result),
        "error": _say_error(run),
    }


def _name(run: RunView) -> str:
    return _NAMES.get(run.kind, run.target)


def _say_error(run: RunView) -> str:
    """What went wrong; of what people decided or imported only where that stands: it may name customers."""
    return f"Activity says why, at run {run.id}." if run.error and run.kind in _NAMES_CUSTOMERS else run.error


def _line(run: RunView, zone: dt.tzinfo | None) -> str:
    when = f" {run.ended_at.astimezone(zone):%Y-%m-%d %H:%M %Z}" if run.ended_at else ""
    counts = _say_synced(run)
    parts = (f"{_name(run)}: {say_state(run)}{when}.", _say_error(run), f"{counts}." if counts else "", run.message)
    return " ".join(part for part in parts if part)


def _say_synced(run: RunView) -> str:
    """What a sync found, in words; of a match nothing: that is told of all together."""
    if run.kind is RunKind.SYNC:
        return _say_records(run.result)
    if run.kind is RunKind.CRM_SYNC:
        tables = {name: _say_records(counts_of(run.result, name)) for name in ("accounts", "contacts")}
        return "; ".join(f"{name} {counts}" for name, counts in tables.items() if counts)
    return ""


def _say_records(counts: Counts) -> str:
    """The usual words always, the unusual ones where there are any; nothing where nothing was read."""
    if not counts:
        return ""
    return ", ".join(f"{counts[count]:,} {count}" for count in _SYNCED if counts[count] or count in _ALWAYS)


def _say_counts(counts: Mapping[Count, int], words: Mapping[Count, str]) -> str:
    return ", ".join(f"{counts[count]:,} {word}" for count, word in words.items() if count in counts)


_SUBJECT = {Count.NEW: "new", Count.CHANGED: "changed", Count.MAPPED: "mapped", Count.CONFLICT: "in conflict"}
