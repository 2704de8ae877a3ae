"""Microsoft's own description of Partner Center's audit records, held against our client and our demo at once."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.proof.test_prism_partner_center import SWAGGER, judged, retype
from tests.servers import ADATUM, BELLOWS, running
from w365.demo.partner_center.audit import AuditRecords
from w365.portals.partner_center.connector import connect_partner_center

AUDIT = SWAGGER.with_name("AuditService.json")

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(not AUDIT.exists(), reason="the recordings lie beside the project, not in it"),
]


def specification() -> Any:
    """The description as published, with its own mistakes mended."""
    found = json.loads(AUDIT.read_text(encoding="utf-8-sig"))
    del found["host"], found["basePath"]  # of the machine behind the gateway
    assert retype(found) == 5
    records = found["paths"]["/v{version}/auditrecords"]["get"]
    for one in records["parameters"]:
        # The name of the code's own argument stands before each; published requests have none, and days for moments.
        one["name"] = one["name"].removeprefix("auditRequest.")
        if one.get("format") == "date-time":
            one["format"] = "date"
    return found


def test_asking_for_changes_and_every_answer_fit_the_description(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    with running(tmp_path / "demo") as servers, judged(servers, tmp_path, specification()) as (front, connection):
        audit = AuditRecords(tmp_path / "demo" / "audit.jsonl")
        audit.append(ADATUM, "update_subscription", now)
        audit.append(BELLOWS, "create_order", now - dt.timedelta(days=40))
        with closing(connect_partner_center(connection)) as portal:
            assert portal.changed_since(now - dt.timedelta(days=60)) == {ADATUM, BELLOWS}
    assert len(front.described()) == 3
    assert [each.violations for each in front.described()] == [()] * 3


def test_the_judge_of_audit_records_sees_what_is_wrong(tmp_path: Path) -> None:
    spec = specification()
    spec["definitions"]["AuditRecord"]["required"].append("witness")
    now = dt.datetime.now(dt.UTC)
    with running(tmp_path / "demo") as servers, judged(servers, tmp_path, spec) as (front, connection):
        AuditRecords(tmp_path / "demo" / "audit.jsonl").append(ADATUM, "update_subscription", now)
        with closing(connect_partner_center(connection)) as portal:
            portal.changed_since(now)
    assert "witness" in " ".join(front.described()[0].violations)
