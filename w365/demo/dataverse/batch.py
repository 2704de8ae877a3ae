"""``$batch``: several requests in one, each answered by itself; of a change set all are carried out or none."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from email.message import Message
from email.parser import BytesParser
from http import HTTPStatus
from urllib.parse import unquote, urljoin, urlsplit

from w365.demo.dataverse.odata import ODataRefusal
from w365.demo.wire import Reply, Request

MOST_REQUESTS = 1_000
_LINE = re.compile(r"([A-Z]+) (\S+) HTTP/1\.1")
_REFERENCE = re.compile(rb'"/?\$(\w+)"')


class _Failed(Exception):
    """One request of a change set was refused, so that none of it may stand."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class Batch:
    """Reads a batch that was sent to ``root`` and answers its requests by ``answer``."""

    def __init__(
        self, root: str, answer: Callable[[Request], Reply], together: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._root = root
        self._answer = answer
        self._together = together
        self._count = 0

    def run(self, request: Request) -> Reply:
        goes_on = "odata.continue-on-error" in request.header("prefer")
        status, parts = 200, []
        for part in _read_parts(request.header("content-type"), request.body):
            is_set = part.get_content_maintype() == "multipart"
            replies = self._run_set(part) if is_set else [("", self._run_part(part, {}))]
            failed = next((reply.status for _, reply in replies if reply.status >= 400), 0)
            written = [_write_part(name, reply) for name, reply in replies]
            parts.append(_write_set(written) if is_set and not failed else written[0])
            if failed and not goes_on:
                status = failed
                break
        kind, content = _write_multipart("batchresponse", parts)
        return Reply(status, content, (("content-type", kind),))

    def _run_set(self, changes: Message) -> list[tuple[str, Reply]]:
        made: dict[str, str] = {}
        replies: list[tuple[str, Reply]] = []
        try:
            with self._together():
                for part in _subparts(changes):
                    name, reply = str(part.get("Content-ID", "")), self._run_change(part, made)
                    replies.append((name, reply))
                    made[name] = dict(reply.headers).get("odata-entityid", "")
        except _Failed as failure:
            return [("", failure.reply)]
        return replies

    def _run_change(self, part: Message, made: dict[str, str]) -> Reply:
        reply = self._run_part(part, made)
        if reply.status >= 400:
            raise _Failed(reply)
        return reply

    def _run_part(self, part: Message, made: dict[str, str]) -> Reply:
        self._count += 1
        if self._count > MOST_REQUESTS:
            raise ODataRefusal(400, "0x80060888", f"A batch has at most {MOST_REQUESTS} requests.")
        return self._answer(self._read_request(part, made))

    def _read_request(self, part: Message, made: dict[str, str]) -> Request:
        """Read the request inside; ``$1`` stands for the row that the request of this Content-ID made."""
        content = part.get_payload(decode=True)
        head, _, body = (content if isinstance(content, bytes) else b"").lstrip().partition(_gap(content))
        first, *lines = head.decode("utf-8", "replace").splitlines() or [""]
        line = _LINE.fullmatch(first.strip())
        if part.get_content_type() != "application/http" or line is None:
            raise ODataRefusal(400, "0x80060888", "A part of the batch is no HTTP request.")
        target = re.sub(r"^/?\$(\w+)", lambda match: made.get(match[1], match[0]), line[2])
        address = urlsplit(urljoin(f"{self._root}/", target))
        headers = {name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        body = _REFERENCE.sub(
            lambda match: json.dumps(made.get(match[1].decode(), f"${match[1].decode()}")).encode(), body
        )
        return Request(line[1], unquote(address.path), address.query, headers, body.strip())


def _gap(content: object) -> bytes:
    return b"\r\n\r\n" if isinstance(content, bytes) and b"\r\n\r\n" in content else b"\n\n"


def _read_parts(content_type: str, body: bytes) -> list[Message]:
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body)
    if not message.is_multipart():
        raise ODataRefusal(400, "0x80060888", "The batch is no multipart/mixed message.")
    return list(_subparts(message))


def _subparts(message: Message) -> Iterator[Message]:
    payload = message.get_payload()
    yield from (part for part in payload if isinstance(part, Message)) if isinstance(payload, list) else ()


def _write_part(name: str, reply: Reply) -> bytes:
    own = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    own += [f"Content-ID: {name}"] if name else []
    status = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"
    headers = [f"{header}: {value}" for header, value in reply.headers]
    return "\r\n".join([*own, "", status, *headers, "", ""]).encode() + reply.body


def _write_set(parts: list[bytes]) -> bytes:
    kind, content = _write_multipart("changesetresponse", parts)
    return f"Content-Type: {kind}\r\n\r\n".encode() + content


def _write_multipart(word: str, parts: list[bytes]) -> tuple[str, bytes]:
    """Give the content type and the body."""
    boundary = f"{word}_{uuid.uuid4()}"
    body = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
    return f"multipart/mixed; boundary={boundary}", body + f"--{boundary}--\r\n".encode()
