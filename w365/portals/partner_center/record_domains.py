"""The record of one customer at Partner Center: its domains, where the separate list of them is refused.

Partners with granular rights (GDAP) find no domains in it: who is not told any for some customers asks no more.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from w365.http.client import ApiClient
from w365.http.fields import FieldError
from w365.portals.partner_center.records import read_domains
from w365.source_records import Customer, CustomerDomain

CUSTOMER_RECORD = "customer record"
_MOST_MISSES = 20


class RecordDomains:
    """Asks for one customer after the other; safe to share among threads."""

    def __init__(self, client: ApiClient, headers: Mapping[str, str]) -> None:
        self._client = client
        self._headers = headers
        self._lock = threading.Lock()
        self._misses = 0

    def read(self, customer: Customer, *, is_tried_once: bool = False) -> tuple[CustomerDomain, ...]:
        """Return the domains; none where the record has no list of them. Raises SourceError, FieldError."""
        # Without the lock: a few questions too many do no harm.
        if self._misses >= _MOST_MISSES:
            return ()
        path = f"/v1/customers/{quote(customer.specific_id, safe='')}"
        answer = self._client.get_json(path, headers=self._headers, is_tried_once=is_tried_once)
        domains = _domains_in(answer.body, customer)
        with self._lock:
            self._misses = 0 if domains else self._misses + 1
        return domains


def _domains_in(record: Any, customer: Customer) -> tuple[CustomerDomain, ...]:
    if not isinstance(record, dict):
        raise FieldError("the record of a customer is not an object.")
    names = record.get("customDomains")
    return () if names is None else read_domains(names, customer.default_domain)
