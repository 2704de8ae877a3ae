"""What is told about scheduled runs: counts, states and sentences, and the way to the app. Nothing about anybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
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
        return [one for one in (*self.syncs, *self.matches) if one.state is not RunState.DONE]

    @property
    def matched(self) -> dict[str, int]:
        """What the matches mapped together, and what the last of them left."""
        if not self.matches:
            return {}
        last = self.matches[-1].result
        mapped = sum(int(one.result.get("mapped", 0)) for one in self.matches)
        return {"mapped": mapped, "conflict": int(last.get("conflict", 0)), "unmapped": int(last.get("unmapped", 0))}


def subject_of(summary: Summary) -> str:
    if summary.is_test:
        return f"{_NAME}: a test"
    if summary.failed:
        names = dict.fromkeys(_name(one) for one in summary.failed)
        return f"{_NAME}: {', '.join(names)} failed"
    new = sum(int(one.result.get("new", 0)) for one in summary.syncs if one.kind is RunKind.SYNC)
    changed = sum(int(one.result.get("changed", 0)) for one in summary.syncs if one.kind is RunKind.SYNC)
    return f"{_NAME}: {_counts({'new': new, 'changed': changed} | summary.matched, _SUBJECT)}"


def text_of(summary: Summary, zone: dt.tzinfo | None) -> str:
    if summary.is_test:
        lines = ["This is a test. Summaries of scheduled runs arrive here."]
    else:
        lines = [_line(one, zone) for one in summary.syncs]
        lines += [_line(one, zone) for one in summary.matches if one.state is not RunState.DONE]
        if summary.matched:
            lines.append(f"Match: {_counts(summary.matched, _MATCHED)}.")
    return "\n\n".join([*lines, *([summary.address] if summary.address else [])]) + "\n"


def body_of(summary: Summary) -> dict[str, Any]:
    """The webhook's body; docs/notifications.md describes it."""
    return {
        "version": 1,
        "event": "test" if summary.is_test else "scheduled_runs",
        "at": summary.at.isoformat(),
        "app": summary.address or None,
        "failed": bool(summary.failed),
        "runs": [_run(one) for one in (*summary.syncs, *summary.matches)],
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
    said = _found(run)
    parts = (f"{_name(run)}: {run.state.value}{when}.", run.error, f"{said}." if said else "")
    return " ".join(part for part in parts if part)


def _found(run: RunView) -> str:
    """What a sync found, in words; of a match nothing: that is told of all together."""
    if run.kind is RunKind.SYNC:
        return _synced(run.result, "")
    if run.kind is RunKind.CRM_SYNC:
        tables = {name: _synced(run.result, f"{name}_") for name in ("accounts", "contacts")}
        return "; ".join(f"{name} {said}" for name, said in tables.items() if said)
    return ""


def _synced(result: Mapping[str, Any], prefix: str) -> str:
    """The usual words always, the unusual ones where there are any; nothing where nothing was read."""
    found = {word: int(result.get(f"{prefix}{word}", 0)) for word in _SYNCED}
    if not any(name.startswith(prefix) for name in result):
        return ""
    return ", ".join(f"{count:,} {word}" for word, count in found.items() if count or word in _ALWAYS)


def _counts(counts: Mapping[str, int], words: Mapping[str, str]) -> str:
    return ", ".join(f"{counts[name]:,} {said}" for name, said in words.items() if name in counts)


_SUBJECT = {"new": "new", "changed": "changed", "mapped": "mapped", "conflict": "in conflict"}
