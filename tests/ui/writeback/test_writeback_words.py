"""What is said of a mapping on its way to the CRM."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from w365.store.writeback.due_mappings import WriteState
from w365.store.writeback.standings import WriteStanding
from w365.ui.writeback.words import say_standing

NOW = dt.datetime(2026, 11, 2, 10, 42, tzinfo=dt.UTC)
WAITING = WriteStanding(1, "Contoso", "Partner Center", "Contoso Ltd", WriteState.WAITING, "", 0, None, None, "")
FAILED = replace(WAITING, state=WriteState.FAILED, error="It was refused.", attempts=8)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (WAITING, "Waiting to be written to the CRM"),
        (
            replace(WAITING, error="It may not write."),
            "Waiting to be written to the CRM. Nothing can be written now: It may not write.",
        ),
        (replace(WAITING, state=WriteState.WRITTEN, written_at=NOW), "Written to the CRM 10:42 UTC"),
        (FAILED, "Not written to the CRM: It was refused. It was tried 8 times."),
        (
            replace(FAILED, attempts=1, next_at=NOW + dt.timedelta(minutes=1)),
            "Not written to the CRM: It was refused. The next try is at 10:43 UTC.",
        ),
        (
            replace(WAITING, state=WriteState.DIFFERS, there="Fabrikam"),
            "Not written to the CRM: its table says Fabrikam.",
        ),
    ],
)
def test_the_record_says_whether_the_crm_has_the_mapping(one: WriteStanding, said: str) -> None:
    assert say_standing(one, NOW, dt.UTC) == said
