"""What goes wrong, as programs get it: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from typing import Annotated

from w365.api.programs.customers import Mapping
from w365.errors import (
    AccessError,
    AlreadyRunning,
    ConfigurationError,
    InputError,
    NotAllowed,
    NotFound,
    PolicyBreach,
    StaleEdit,
    StoreError,
    W365Error,
)

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:w365:problem:"


class ProblemKind(enum.Enum):
    """Status and title; the name in small letters, with dashes, ends the type."""

    MALFORMED = 400, "The request has another shape than the description says."
    NO_TOKEN = 401, "There is no token that opens this."
    FORBIDDEN = 403, "The role is not enough."
    NOT_FOUND = 404, "There is no such thing."
    NO_SUCH_METHOD = 405, "This method is not for this address."
    ALREADY_RUNNING = 409, "The same is under way."
    NOT_CONNECTED = 409, "The source is not connected."
    POLICY = 409, "The cardinality policy forbids it."
    CHANGED = 412, "Somebody decided since."
    TOO_LARGE = 413, "The body is too large."
    NO_JSON = 415, "The body is not called JSON."
    NOT_POSSIBLE = 409, "It makes no sense as things stand."
    NO_VERSION = 428, "The version that was looked at is missing."
    TOO_MANY = 429, "Too many calls."
    UNFORESEEN = 500, "Something unforeseen happened."
    UNAVAILABLE = 503, "The database does not answer, or the app is still starting."

    @property
    def status(self) -> int:
        return self.value[0]

    @property
    def title(self) -> str:
        return self.value[1]

    @property
    def type(self) -> str:
        return _TYPE + self.name.lower().replace("_", "-")


_KINDS: tuple[tuple[type[W365Error], ProblemKind], ...] = (
    (NotAllowed, ProblemKind.FORBIDDEN),
    (AccessError, ProblemKind.NO_TOKEN),
    (NotFound, ProblemKind.NOT_FOUND),
    (PolicyBreach, ProblemKind.POLICY),
    (StaleEdit, ProblemKind.CHANGED),
    (AlreadyRunning, ProblemKind.ALREADY_RUNNING),
    (ConfigurationError, ProblemKind.NOT_CONNECTED),
    (InputError, ProblemKind.NOT_POSSIBLE),
    (StoreError, ProblemKind.UNAVAILABLE),
)
"""The first class that fits counts, so a class stands before the one it inherits from."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What happened, what was kept and what to do."""

    type: Annotated[str, "Which kind of problem; it stays, whatever the sentences are."]
    title: str
    status: int
    detail: Annotated[str, "For people, in sentences."]
    mapping: Annotated[Mapping | None, "With `changed`: the mapping as it is now."] = None
    reference: Annotated[str | None, "With `unforeseen`: what an admin finds it by in the log."] = None


class Refused(Exception):
    """A request that no service call was made for."""

    def __init__(self, kind: ProblemKind, detail: str, headers: Dictionary[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers = kind, detail, dict(headers or {})


def too_many(wait: float) -> Refused:
    """The refusal of a call that comes `wait` seconds too early."""
    seconds = max(1, math.ceil(wait))
    detail = f"This token has made its calls. Go on in {seconds} seconds."
    return Refused(ProblemKind.TOO_MANY, detail, {"Retry-After": str(seconds)})


def kind_of(error: W365Error) -> ProblemKind:
    return next((kind for each, kind in _KINDS if isinstance(error, each)), ProblemKind.UNFORESEEN)


def headers_of(kind: ProblemKind) -> dict[str, str]:
    """What an answer of this kind says beside its body."""
    if kind is ProblemKind.NO_TOKEN:
        return {"WWW-Authenticate": 'Bearer realm="w365"'}
    return {"Retry-After": "5"} if kind is ProblemKind.UNAVAILABLE else {}


def problem(kind: ProblemKind, detail: str, **more: object) -> dict[str, object]:
    """The body of an answer; what has no value is left out."""
    body = dataclasses.asdict(Problem(kind.type, kind.title, kind.status, detail, **more))  # type: ignore[arg-type]
    return {name: value for name, value in body.items() if value is not None}
