"""What is told about scheduled runs: counts, states and sentences, and the way to the app. Nothing about anybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from w365.model import RunKind, RunState
from w365.store.runs import RunView

_ALWAYS = ("new", "changed")
_SYNCED = (*_ALWAYS, "gone", "returned", "rejected")
_MATCHED = {"mapped": "mapped", "conflict": "in conflict", "unmapped": "unmapped"}
_NAME = "Provider accounts"


@dataclass(frozen=True, slots=True)
class Summary:
    """The runs of one morning. ``matches`` are those that followed the syncs."""

    at: dt.datetime
    syncs: tuple[RunView, ...]
    matches: tuple[RunView, ...]
    address: str
    is_test: bool = False

    @property
    def failed(self) -> list[RunView]:
        return [run for run in (*self.syncs, *self.matches) if run.state is not RunState.DONE]

    @property
    def matched(self) -> dict[str, int]:
        """What the matches mapped together, and what the last of them left."""
        if not self.matches:
            return {}
        last = self.matches[-1].result
        mapped = _sum_of("mapped", self.matches)
        return {"mapped": mapped, "conflict": int(last.get("conflict", 0)), "unmapped": int(last.get("unmapped", 0))}


def subject_of(summary: Summary) -> str:
    if summary.is_test:
        return f"{_NAME}: a test"
    if summary.failed:
        names = dict.fromkeys(_name(run) for run in summary.failed)
        return f"{_NAME}: {', '.join(names)} failed"
    syncs = [run for run in summary.syncs if run.kind is RunKind.SYNC]
    counts = {name: _sum_of(name, syncs) for name in _ALWAYS} | summary.matched
    return f"{_NAME}: {_say_counts(counts, _SUBJECT)}"


def _sum_of(name: str, runs: Iterable[RunView]) -> int:
    return sum(int(run.result.get(name, 0)) for run in runs)


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
        "event": "test" if summary.is_test else "scheduled_runs",
        "at": summary.at.isoformat(),
        "app": summary.address or None,
        "failed": bool(summary.failed),
        "runs": [_run(run) for run in (*summary.syncs, *summary.matches)],
    }


def _run(run: RunView) -> dict[str, Any]:
    return {
        "run": run.id,
        "kind": run.kind.value,
        "source": _name(run),
        "state": run.state.value,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "counts": {name: count for name, count in run.result.items() if isinstance(count, int)},
        "error": run.error,
    }


def _name(run: RunView) -> str:
    return {RunKind.CRM_SYNC: "CRM", RunKind.MATCH: "Match"}.get(run.kind, run.target)


def _line(run: RunView, zone: dt.tzinfo | None) -> str:
    when = f" {run.ended_at.astimezone(zone):%Y-%m-%d %H:%M %Z}" if run.ended_at else ""
    counts = _say_synced(run)
    parts = (f"{_name(run)}: {run.state.value}{when}.", run.error, f"{counts}." if counts else "")
    return " ".join(part for part in parts if part)


def _say_synced(run: RunView) -> str:
    """What a sync found, in words; of a match nothing: that is told of all together."""
    if run.kind is RunKind.SYNC:
        return _say_records(run.result, "")
    if run.kind is RunKind.CRM_SYNC:
        tables = {name: _say_records(run.result, f"{name}_") for name in ("accounts", "contacts")}
        return "; ".join(f"{name} {counts}" for name, counts in tables.items() if counts)
    return ""


def _say_records(result: Mapping[str, Any], prefix: str) -> str:
    """The usual words always, the unusual ones where there are any; nothing where nothing was read."""
    counts = {word: int(result.get(f"{prefix}{word}", 0)) for word in _SYNCED}
    if not any(name.startswith(prefix) for name in result):
        return ""
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count or word in _ALWAYS)


def _say_counts(counts: Mapping[str, int], words: Mapping[str, str]) -> str:
    return ", ".join(f"{counts[name]:,} {word}" for name, word in words.items() if name in counts)


_SUBJECT = {"new": "new", "changed": "changed", "mapped": "mapped", "conflict": "in conflict"}
