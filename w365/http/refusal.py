"""What an error answer says: code, message and the ids a support desk asks for, whatever form the body has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from w365.http.body import Truncated, Unreadable, Unusable, parse_json
from w365.http.pauses import asked_pause
from w365.http.transport import RawAnswer

_REQUEST_ID = ("ms-requestid", "x-ms-service-request-id", "req_id", "x-ms-request-id", "request-id")
_CORRELATION_ID = ("ms-correlationid", "x-ms-correlation-request-id", "client-request-id")
_OTHER_IDS = ("ms-cv", "ms-serverid")
_LONGEST_MESSAGE = 240
_LONGEST_INNER = 160
_LONGEST_ID = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of 300 or more in parts. ``code`` is text, as the other side writes numbers and words alike.

    The names of ``headers`` are in lower case. ``body`` is what its JSON says; it may hold secrets.
    """

    status: int
    code: str
    message: str
    request_id: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)

    def asked_pause(self, now: float) -> float | None:
        """The seconds that it asks to wait, in a header or in words; ``now`` is the wall clock."""
        return asked_pause(self.headers, self.body, now)

    @property
    def asks_to_wait(self) -> bool:
        return "retry-after" in self.headers or self.asked_pause(0.0) is not None

    def say(self) -> str:
        """Return ``403, code 20002: "No relationship …"`` with the request id, for the middle of a sentence."""
        parts = [str(self.status)]
        if self.code:
            parts.append(f"code {self.code}")
        refusal = ", ".join(parts) + (f": “{self.message}”" if self.message else "")
        return f"{refusal}; request id {self.request_id}" if self.request_id else refusal


def read_refusal(answer: RawAnswer, sent: Mapping[str, str], secrets: Sequence[str] = ()) -> Refusal:
    """Take an error answer apart. Ids it leaves out are taken from the request; ``secrets`` are blotted."""
    body = _read_body(answer.content)
    code, message = _code_and_message(body, secrets)
    headers = {name.lower(): value for name, value in sent.items()} | dict(answer.headers)
    return Refusal(
        status=answer.status,
        code=clean(code, secrets, _LONGEST_ID),
        message=message,
        request_id=_first(headers, _REQUEST_ID),
        detail=describe_ids(headers),
        headers=answer.headers,
        body=body,
    )


def describe_ids(headers: Mapping[str, str]) -> str:
    """Return the request, correlation and server ids among ``headers`` for the log."""
    found = [("request id", _first(headers, _REQUEST_ID)), ("correlation id", _first(headers, _CORRELATION_ID))]
    found += [(name, _first(headers, (name,))) for name in _OTHER_IDS]
    return ", ".join(f"{label} {value}" for label, value in found if value)


def clean(text: str, secrets: Iterable[str] = (), limit: int = _LONGEST_MESSAGE) -> str:
    """Make foreign text fit for one line of a message: no secret, no control character, no more than ``limit``."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "…")
    text = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", " ", text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    value = next((headers[name] for name in names if headers.get(name)), "")
    return re.sub(r"[^!-~]", "", value)[:_LONGEST_ID]


def _read_body(content: bytes) -> Any:
    try:
        return parse_json(content)
    except (Truncated, Unreadable):
        return None


def _code_and_message(body: Any, secrets: Sequence[str]) -> tuple[str, str]:
    if not isinstance(body, dict):
        return "", ""
    outer = body.get("error")
    error = outer if isinstance(outer, dict) else body
    code = _text(error.get("code")) or (_text(outer) if isinstance(outer, str) else "")
    message, inner = (
        clean(_message_of(error), secrets, _LONGEST_MESSAGE),
        clean(_inner_of(error), secrets, _LONGEST_INNER),
    )
    if not inner or inner in message or inner == code:
        return code, message
    return code, f"{message} ({inner})" if message else inner


def _message_of(error: Mapping[str, Any]) -> str:
    return _text(next((error[key] for key in _MESSAGE_KEYS if error.get(key)), ""))


def _inner_of(error: Mapping[str, Any]) -> str:
    """What the innermost of the errors within says: its message, else its code. It is the most precise."""
    said, inner = "", error
    for _ in range(_DEEPEST):
        following = next((inner[name] for name in _INNER if isinstance(inner.get(name), dict)), None)
        if following is None:
            break
        inner = following
        said = _message_of(inner) or _text(inner.get("code")) or said
    return said


_INNER = ("innererror", "innerError", "InnerError", "internalexception")
_DEEPEST = 8
_MESSAGE_KEYS = ("description", "message", "error_description")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, bool | Unusable) else json.dumps(value, default=repr)
