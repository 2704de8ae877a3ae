"""Partner Center's audit records: which customers somebody worked on since a moment.

The published facts: records are kept 90 days, one question may span 30, and each names its customer. What a customer
changes in its own tenant leaves no record, which is why this can only shorten a sync between two full ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from w365.errors import SourceChanged
from w365.http.attempts import KEPT
from w365.http.fields import FieldError, guid_or_empty
from w365.portals.partner_center.collection import Collection, Link

LONGEST = dt.timedelta(days=89)
"""How far back records reach, with a day to spare for the difference of calendars."""

# A day less than one question may span, for the same reason.
_SPAN = dt.timedelta(days=29)
_PAGE_SIZE = 500


def named_since(collection: Collection, since: dt.datetime, now: dt.datetime) -> frozenset[str]:
    """Return the ids of the customers that records from the day of ``since`` on name.

    Raises SourceChanged where a record cannot be read, or is not told: nobody knows then which customer it meant.
    """
    named: set[str] = set()
    for link in _questions(since.date(), now.date()):
        for item in collection.read_whole(link, "audit records"):
            try:
                named.add(_customer_of(item))
            except FieldError as error:
                what = f"An audit record of Partner Center cannot be read: {error}"
                raise SourceChanged(what, kept=KEPT) from None
    return frozenset(named - {""})


def _questions(first: dt.date, last: dt.date) -> Iterator[Link]:
    """Cut the days into spans that may be asked for. They overlap by a day; the last is open."""
    while last - first > _SPAN:
        yield _question(f"startDate={first}&endDate={first + _SPAN}")
        first += _SPAN - dt.timedelta(days=1)
    yield _question(f"startDate={first}")


def _question(dates: str) -> Link:
    return Link(f"/v1/auditrecords?{dates}&size={_PAGE_SIZE}")


def _customer_of(item: Any) -> str:
    """Return the customer's id, or nothing where the record is about none."""
    if not isinstance(item, dict):
        raise FieldError("the record is not an object.")
    if "customerId" not in item:
        raise FieldError("customerId is missing.")
    value = item["customerId"]
    if value in (None, ""):
        return ""
    if not (isinstance(value, str) and (guid := guid_or_empty(value))):
        raise FieldError("customerId is not a GUID.")
    return guid
