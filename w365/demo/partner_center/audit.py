"""Partner Center's audit records, made from what stands in a file beside the journal.

Nobody can change a customer through this API, so what happened is told by hand: a line of JSON with ``customerId``,
``operationType`` and ``operationDate`` is one record.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

from w365.demo.partner_center.refusal import PartnerCenterRefusal
from w365.own_files import opener

KEPT = dt.timedelta(days=90)
WIDEST = dt.timedelta(days=30)


class AuditRecords:
    """Reads the file anew for every question."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, customer_id: str, operation: str, at: dt.datetime) -> None:
        """Record that somebody did this to a customer."""
        line = json.dumps({"customerId": customer_id, "operationType": operation, "operationDate": at.isoformat()})
        with open(self._path, "a", encoding="utf-8", opener=opener) as file:
            file.write(line + "\n")

    def between(self, query: Mapping[str, str], now: dt.datetime) -> list[dict[str, object]]:
        """Give the records asked for."""
        try:
            first = _parse_day(query.get("startDate", ""), now.date() - WIDEST)
            last = _parse_day(query.get("endDate", ""), now.date())
        except ValueError:
            raise PartnerCenterRefusal("A date is not valid.") from None
        if first < now.date() - KEPT:
            raise PartnerCenterRefusal("The start date is more than 90 days ago.")
        if last - first > WIDEST:
            raise PartnerCenterRefusal("The dates are more than 30 days apart.")
        return [
            record
            for record in self._read_records()
            if first <= _parse_day(str(record["operationDate"])[:10], first) <= last
        ]

    def _read_records(self) -> list[dict[str, object]]:
        if not self._path.is_file():
            return []
        lines = self._path.read_text(encoding="utf-8").splitlines()
        return [{"id": f"{number:08}", **_FIXED, **json.loads(line)} for number, line in enumerate(lines)]


_FIXED: Mapping[str, object] = {
    "partnerId": "5f1c7a64-0b1d-4e7a-9a52-6c0e9d2f8b13",
    "applicationId": "Partner Center Web UI",
    "userPrincipalName": "ada.marsh@harbourlight.onmicrosoft.com",
    "resourceType": "customer",
    "operationStatus": "succeeded",
    "customizedData": [],
    "attributes": {"objectType": "AuditRecord"},
}


def _parse_day(text: str, otherwise: dt.date) -> dt.date:
    return dt.date.fromisoformat(text) if text else otherwise
