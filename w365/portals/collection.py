"""Partner Center's collections: the envelope, the link to the next page, and loops in those links."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from w365.errors import SourceChanged
from w365.http.client import Answer, ApiClient, Explain

# A page may be empty and the list go on; so many in a row lead nowhere.
_MOST_EMPTY_PAGES = 20
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
_HEADER_VALUE = re.compile(r"[ -~]{0,16384}")
# What this client says itself, and no answer may put in its mouth.
_OURS = frozenset({"authorization", "host", "content-length", "transfer-encoding", "connection", "cookie", "accept"})


@dataclass(frozen=True, slots=True)
class Link:
    """Where a page is: its address, and headers (the continuation token) that must go with it."""

    uri: str
    headers: tuple[tuple[str, str], ...] = ()

    def to_cursor(self) -> str:
        return json.dumps({"uri": self.uri, "headers": dict(self.headers)})

    @staticmethod
    def from_cursor(cursor: str) -> Link | None:
        """Return the link a cursor holds, or None when it holds none."""
        try:
            content = json.loads(cursor)
            return Link(str(content["uri"]), tuple((str(k), str(v)) for k, v in content["headers"].items()))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


@dataclass(frozen=True, slots=True)
class ListPage:
    """The items of one page as they came; ``following`` is None on the last.

    ``is_cut`` tells of a continuation token with no link to use it with.
    """

    items: list[Any] = field(repr=False)
    total: int | None
    following: Link | None
    is_cut: bool = False


class Collection:
    """Reads a collection from ``first`` to its end."""

    def __init__(
        self,
        client: ApiClient,
        headers: Mapping[str, str],
        explain: Explain | None = None,
        *,
        is_tried_once: bool = False,
    ) -> None:
        self._client = client
        self._headers = headers
        self._explain = explain
        self._is_tried_once = is_tried_once

    def pages(self, first: Link) -> Iterator[ListPage]:
        """Yield every page. A link that comes twice, or page after page with nothing on it, raises SourceChanged."""
        link: Link | None = first
        seen: set[Link] = set()
        empty = 0
        while link is not None:
            seen.add(link)
            page, answer = self._read(link)
            empty = 0 if page.items else empty + 1
            if page.following in seen or empty >= _MOST_EMPTY_PAGES:
                raise answer.changed(self._client.source, "its list leads in a circle and does not end.")
            yield page
            link = page.following

    def _read(self, link: Link) -> tuple[ListPage, Answer]:
        headers = {**self._headers, **dict(link.headers)}
        answer = self._client.get_json(
            link.uri, headers=headers, explain=self._explain, is_tried_once=self._is_tried_once
        )
        return self._open(answer), answer

    def _open(self, answer: Answer) -> ListPage:
        body = answer.body
        if not isinstance(body, dict) or not isinstance(items := body.get("items"), list):
            raise answer.changed(self._client.source, "the list of items is missing.")
        total = body.get("totalCount")
        # Often it counts the page only; then it says nothing about how far the list goes.
        is_count = isinstance(total, int) and not isinstance(total, bool) and total > len(items)
        following = self._following(answer, body.get("links"))
        return ListPage(items, total if is_count else None, following, following is None and _has_token(body))

    def _following(self, answer: Answer, links: Any) -> Link | None:
        following = links.get("next") if isinstance(links, dict) else None
        if following is None:
            return None
        if not isinstance(following, dict) or not isinstance(uri := following.get("uri"), str) or not uri.strip():
            raise answer.changed(self._client.source, "the link to the next page has no address.")
        headers = following.get("headers") or []
        try:
            return Link(place_uri(uri.strip()), tuple(_read_header(header) for header in headers))
        except (KeyError, TypeError, ValueError):
            raise self._bad_header(answer) from None

    def _bad_header(self, answer: Answer) -> SourceChanged:
        return answer.changed(self._client.source, "the link to the next page has headers that cannot be sent.")


def _has_token(body: Mapping[str, Any]) -> bool:
    return bool(body.get("continuationToken"))


def place_uri(uri: str) -> str:
    """Return the address to call for a link's ``uri``, which may be relative, below /v1 or not, or absolute."""
    if urlsplit(uri).scheme or uri.startswith("//"):
        return uri  # the client refuses any other host
    path = "/" + uri.lstrip("/")
    return path if path.startswith("/v1/") else "/v1" + path


def _read_header(header: Any) -> tuple[str, str]:
    name, value = header["key"], header["value"]
    if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)) or name.lower() in _OURS:
        raise ValueError(name)
    return name, value
