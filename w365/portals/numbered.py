"""Lists whose pages have numbers: ``{content: [], page: {number, totalElements, totalPages}}``, counted from 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from w365.http.client import Answer, ApiClient, Explain
from w365.http.fields import FieldError, required_int, required_record

_MOST_NEW_PAGES = 20
"""A list may become twice as long as its first answer said, and this much more, before it is left."""


@dataclass(frozen=True, slots=True)
class NumberedPage:
    """The records of one page as they came. ``total`` and ``pages`` are how long the list is at this moment."""

    records: list[Any] = field(repr=False)
    number: int
    total: int
    pages: int

    @property
    def is_last(self) -> bool:
        return self.number + 1 >= self.pages


class NumberedList:
    """Reads the list at ``path``, whose query may be begun already, page by page."""

    def __init__(self, client: ApiClient, path: str, size: int, explain: Explain | None = None) -> None:
        self._client = client
        self._path = f"{path}{'&' if '?' in path else '?'}size={size}"
        self._explain = explain
        self._most = 0

    def pages_backwards(self) -> Iterator[NumberedPage]:
        """Yield the pages from the last to the first, which is read before too, to know how many there are.

        What is taken out of a list meanwhile moves the records behind it up, to a page that is still to be read; what
        is put behind its end moves none. So a list in the order of its making loses nobody on this way.
        """
        page = self.read(0)
        for number in range(page.pages - 1, 0, -1):
            yield self.read(number)
        yield page if page.is_last else self.read(0)

    def read(self, number: int) -> NumberedPage:
        """Read a page. One of a list that grows as fast as it is read raises SourceChanged."""
        answer = self._client.get_json(f"{self._path}&page={number}", explain=self._explain)
        try:
            page = _open(answer, number)
        except FieldError as error:
            raise answer.changed(self._client.source, str(error)) from None
        self._most = self._most or 2 * page.pages + _MOST_NEW_PAGES
        if page.pages > self._most:
            raise answer.changed(self._client.source, "its list grows while it is read and does not end.")
        return page


def _open(answer: Answer, asked: int) -> NumberedPage:
    body = answer.body
    if not isinstance(body, dict) or not isinstance(records := body.get("content"), list):
        raise FieldError("the list “content” is missing.")
    told = required_record(body, "page")
    number, pages, total = (required_int(told, name) for name in ("number", "totalPages", "totalElements"))
    if number != asked:
        raise FieldError(f"it sent page {number} where page {asked} was asked for.")
    page = NumberedPage(records, number, total, pages)
    if not records and not page.is_last:
        raise FieldError("a page in the middle of a list is empty.")
    return page
