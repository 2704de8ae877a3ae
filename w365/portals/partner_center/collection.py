"""Partner Center's collections: the envelope, the link to the next page, and loops in those links."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from w365.errors import AccessError, SourceChanged, SourceRefused
from w365.http.client import Answer, ApiClient, Explain
from w365.portals.completeness import GOES_ON, ListTally, refuse_lack

# A page may be empty and the list go on; so many in a row lead nowhere.
_MOST_EMPTY_PAGES = 20
_SIZE = re.compile(r"[?&]size=(\d{1,6})(?=[&?]|$)")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
_HEADER_VALUE = re.compile(r"[ -~]{0,16384}")
# What this client says itself, and no answer may put in its mouth.
_OURS = frozenset({"authorization", "host", "content-length", "transfer-encoding", "connection", "cookie", "accept"})


@dataclass(frozen=True, slots=True)
class Link:
    """Where a page is: its address, and headers (the continuation token) that must go with it.

    ``is_sought``: the list named no address, and this one is made as Microsoft's own client makes it. ``met`` and
    ``announced`` are what the pages before had.
    """

    uri: str
    headers: tuple[tuple[str, str], ...] = ()
    is_sought: bool = False
    met: int = field(default=0, compare=False)
    announced: int = field(default=0, compare=False)

    def to_cursor(self) -> str:
        return json.dumps(dataclasses.asdict(self) | {"headers": dict(self.headers)})

    @staticmethod
    def from_cursor(cursor: str) -> Link | None:
        """Return the link a cursor holds, or None when it holds none."""
        try:
            content = json.loads(cursor)
            headers = tuple((str(k), str(v)) for k, v in content["headers"].items())
            counts = (int(content.get(name, 0)) for name in ("met", "announced"))
            return Link(str(content["uri"]), headers, bool(content.get("is_sought")), *counts)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    @property
    def asked(self) -> int | None:
        """How many records the page may hold, where the address says it."""
        size = _SIZE.search(self.uri)
        return int(size[1]) or None if size else None


@dataclass(frozen=True, slots=True)
class ListPage:
    """The items of one page as they came; ``following`` is None on the last.

    There ``lack`` says how the list is known not to be whole, as the end of a sentence.
    """

    items: list[Any] = field(repr=False)
    total: int | None
    following: Link | None
    lack: str = ""


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

    def read_whole(self, first: Link, of_what: str) -> list[Any]:
        """Return all items. Raises SourceChanged also where they are known not to be all."""
        pages = list(self.pages(first))
        refuse_lack(self._client.source, of_what, pages[-1].lack)
        return [item for page in pages for item in page.items]

    def pages(self, first: Link) -> Iterator[ListPage]:
        """Yield every page. A link that comes twice, or page after page with nothing on it, raises SourceChanged."""
        link: Link | None = first
        tally = ListTally(first.met, first.announced)
        seen: set[Link] = set()
        empty = 0
        while link is not None:
            seen.add(link)
            page, answer = self._sought(link, tally) if link.is_sought else self._read(link, tally)
            empty = 0 if page.items else empty + 1
            if answer and (page.following in seen or empty >= _MOST_EMPTY_PAGES):
                raise answer.changed(self._client.source, "its list leads in a circle and does not end.")
            link = page.following and dataclasses.replace(page.following, met=tally.met, announced=tally.announced)
            yield dataclasses.replace(page, following=link, lack="" if link else page.lack or tally.lack)

    def _read(self, link: Link, tally: ListTally) -> tuple[ListPage, Answer]:
        headers = {**self._headers, **dict(link.headers)}
        answer = self._client.get_json(
            link.uri, headers=headers, explain=self._explain, is_tried_once=self._is_tried_once
        )
        page = self._open(answer, link)
        tally.add(_keys_of(page.items, tally.met), page.total, link.asked)
        return page, answer

    def _sought(self, link: Link, tally: ListTally) -> tuple[ListPage, Answer | None]:
        """Read a page whose address was made up; where it brings nothing new the list ends here, and is not whole."""
        met = tally.met
        try:
            page, answer = self._read(link, tally)
        except (SourceRefused, SourceChanged, AccessError):  # what a made-up address is answered says nothing else
            return _CUT, None
        return (page, answer) if tally.met > met and page.following != link else (_CUT, None)

    def _open(self, answer: Answer, link: Link) -> ListPage:
        body = answer.body
        if not isinstance(body, dict) or not isinstance(items := body.get("items"), list):
            raise answer.changed(self._client.source, "the list of items is missing.")
        total = body.get("totalCount")
        # Often it counts the page only; then it says nothing about how far the list goes.
        is_count = isinstance(total, int) and not isinstance(total, bool) and total > len(items)
        following = self._following(answer, body.get("links")) or _seek(link, body.get("continuationToken"))
        return ListPage(items, total if is_count else None, following)

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


_CUT = ListPage([], None, None, GOES_ON)


def _seek(link: Link, token: Any) -> Link | None:
    """Return where a list goes on that tells its continuation token but no address for it."""
    if not token:
        return None
    uri = link.uri if "seekOperation=" in link.uri else f"{link.uri}{'&' if '?' in link.uri else '?'}seekOperation=Next"
    is_sendable = isinstance(token, str) and bool(_HEADER_VALUE.fullmatch(token))
    return Link(uri, (("MS-ContinuationToken", token if is_sendable else ""),), is_sought=True)


def _keys_of(items: Sequence[Any], met: int) -> Iterator[str]:
    """The ids of items; one without a usable id is told apart by its place."""
    for place, item in enumerate(items):
        identifier = item.get("id") if isinstance(item, dict) else None
        yield identifier.strip("{}").lower() if isinstance(identifier, str) else f"{met}:{place}"


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
