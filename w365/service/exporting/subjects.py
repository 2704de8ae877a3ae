"""What there is to download, in which formats, and the columns of each, which people and scripts rely on."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

Record = dict[str, Any]


class Subject(enum.StrEnum):
    MAPPINGS = "mappings"
    UNMAPPED = "unmapped"
    CONFLICTS = "conflicts"
    CANDIDATES = "candidates"
    DECISIONS = "decisions"
    STATISTICS = "statistics"
    AUDIT_LOG = "audit-log"


FOR_ADMINS = frozenset({Subject.AUDIT_LOG})
EVERYTHING = tuple(subject for subject in Subject if subject not in FOR_ADMINS)
"""What whoever may look at the app may download."""


class Format(enum.StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    JSON = "json"


class Kind(enum.StrEnum):
    """What the values of a column are; None is possible in all of them."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"
    NESTED = "nested"  # a list, written as JSON where cells hold single values


MEDIA_TYPES: Mapping[Format, str] = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.JSON: "application/json",
}

_ROW = ("provider", "provider_specific_account_id", "provider_name", "domain", "country", "status")
_STAKE = ("seats", "subscriptions")
_OPEN = (*_ROW, *_STAKE, "first_seen", "why", "candidate_1", "candidate_2", "candidate_3", "domains")

COLUMNS: Mapping[Subject, tuple[str, ...]] = {
    Subject.MAPPINGS: (
        *_ROW,
        *("origin", "account_id", "account_number", "account_name"),
        *_STAKE,
        *("gone", "first_seen", "mapped_at", "mapped_by", "why", "domains"),
    ),
    Subject.UNMAPPED: _OPEN,
    Subject.CONFLICTS: _OPEN,
    Subject.CANDIDATES: (
        *("provider", "provider_specific_account_id", "status", "account_id", "account_number", "origin"),
        "candidates",
    ),
    Subject.DECISIONS: (
        *("decision", "at", "actor", "run", "kind", "provider", "provider_account", "old_account", "account"),
        *("origin", "reason", "evidence", "undoes"),
    ),
    Subject.STATISTICS: ("section", "name", "measure", "value"),
    Subject.AUDIT_LOG: ("entry", "at", "actor", "kind", "about", "address"),
}
"""What a file has, rows or none: people and scripts rely on it."""

_KINDS: Mapping[str, Kind] = {
    "seats": Kind.WHOLE,
    "subscriptions": Kind.WHOLE,
    "decision": Kind.WHOLE,
    "entry": Kind.WHOLE,
    "run": Kind.WHOLE,
    "undoes": Kind.WHOLE,
    "value": Kind.NUMBER,
    "gone": Kind.FLAG,
    "first_seen": Kind.TIME,
    "mapped_at": Kind.TIME,
    "at": Kind.TIME,
    "candidates": Kind.NESTED,
}


def kind_of(column: str) -> Kind:
    return _KINDS.get(column, Kind.TEXT)
