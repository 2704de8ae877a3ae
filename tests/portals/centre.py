"""A Partner Center that says what a test wants it to say, and ways to read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

from fault_server import Answer, Bench, FaultServer, Request, Script, sign_in
from http_bench import QUICK, conditions, connection_to, failing, guid

from w365.errors import W365Error
from w365.http.retry import Patience
from w365.http.wait import never_stop
from w365.portals.partner_center.connector import PartnerCenter, connect_partner_center
from w365.source_records import Customer, CustomerPage

BOM = b"\xef\xbb\xbf"


def record(number: int, **changes: Any) -> dict[str, Any]:
    identifier = guid(number)
    profile = {"tenantId": identifier, "domain": f"c{number}.example", "companyName": f"Customer {number}"}
    return {"id": identifier, "companyProfile": profile, "relationshipToPartner": "reseller", **changes}


def named(number: int, **profile: Any) -> dict[str, Any]:
    made = record(number)
    made["companyProfile"].update(profile)
    return made


def listing(items: list[Any], uri: str | None = None, token: str = "", total: int = 0) -> Answer:
    links: dict[str, Any] = {"self": {"uri": "/customers", "method": "GET", "headers": []}}
    if uri is not None:
        headers = [{"key": "MS-ContinuationToken", "value": token}] if token else []
        links["next"] = {"uri": uri, "method": "GET", "headers": headers}
    body = {"totalCount": total or len(items), "items": items, "links": links}
    return Answer(BOM + json.dumps(body).encode())


Lists = Callable[[Request], Answer]
Detail = Callable[[Request], Answer | None]


def centre(lists: Lists, detail: Detail = lambda _: None) -> Script:
    """Partner Center with ``lists`` for the list; details are plain unless ``detail`` says otherwise."""

    def service(request: Request) -> Answer:
        if request.path.endswith("/customers"):
            return lists(request)
        if (own := detail(request)) is not None:
            return own
        return Answer(["own.example"] if request.path.endswith("customDomains") else {"items": []})

    return sign_in(service)


def open_portal(
    place: Bench, server: FaultServer, check: Callable[[], None] = never_stop, patience: Patience = QUICK
) -> closing[PartnerCenter]:
    around = conditions(place, patience)
    return closing(connect_partner_center(connection_to(place, server), check=check, conditions=around))


def read_all(place: Bench, script: Script) -> tuple[list[CustomerPage], FaultServer]:
    server = place.serve(script)
    with open_portal(place, server) as portal:
        return list(portal.pages()), server


def fail(place: Bench, script: Script) -> W365Error:
    return failing(lambda: read_all(place, script))


def only(pages: list[CustomerPage]) -> Customer:
    assert len(pages) == 1
    assert len(pages[0].customers) == 1
    return pages[0].customers[0]
