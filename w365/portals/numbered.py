"""Lists whose pages have numbers: ``{content: [], page: {number, totalElements, totalPages}}``, counted from 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from w365.http.client import Answer, ApiClient, Explain
from w365.http.fields import FieldError, required_int, required_record


@dataclass(frozen=True, slots=True)
class NumberedPage:
    """The records of one page as they came. ``total`` is how many records the list has at this moment."""

    records: list[Any] = field(repr=False)
    number: int
    total: int
    is_last: bool


class NumberedList:
    """Reads the list at ``path``, whose query may be begun already, page by page."""

    def __init__(self, client: ApiClient, path: str, size: int, explain: Explain | None = None) -> None:
        self._client = client
        self._path = f"{path}{'&' if '?' in path else '?'}size={size}"
        self._explain = explain

    def pages(self, first: int = 0) -> Iterator[NumberedPage]:
        """Yield the pages from ``first`` on. A page other than the one asked for raises SourceChanged."""
        number, is_last = first, False
        while not is_last:
            page = self.read(number)
            yield page
            number, is_last = number + 1, page.is_last

    def read(self, number: int) -> NumberedPage:
        answer = self._client.get_json(f"{self._path}&page={number}", explain=self._explain)
        try:
            return _open(answer, number)
        except FieldError as error:
            raise answer.changed(self._client.source, str(error)) from None


def _open(answer: Answer, asked: int) -> NumberedPage:
    body = answer.body
    if not isinstance(body, dict) or not isinstance(records := body.get("content"), list):
        raise FieldError("the list “content” is missing.")
    page = required_record(body, "page")
    number, pages, total = (required_int(page, name) for name in ("number", "totalPages", "totalElements"))
    if number != asked:
        raise FieldError(f"it sent page {number} where page {asked} was asked for.")
    is_last = asked + 1 >= pages
    if not records and not is_last:
        raise FieldError("a page in the middle of a list is empty.")
    return NumberedPage(records, number, total, is_last)
