"""How long things are kept, set on Configuration: what would go is shown before, and a viewer only looks."""

from __future__ import annotations

import datetime as dt

from stage import ADMIN, World
from streamlit.testing.v1 import AppTest

from w365.service.configuring.settings import get_settings
from w365.store import tables as t


def press(test: AppTest, label: str) -> None:
    next(button for button in test.button if button.label == label).click()
    test.run()
    assert not test.exception


def test_what_a_limit_would_remove_is_shown_before_it_is_saved(world: World) -> None:
    with world.service.store.write() as connection:
        long_ago = dt.datetime(2020, 5, 1, tzinfo=dt.UTC)
        connection.execute(t.Visit.__table__.insert().values(actor="left long ago", last_at=long_ago))
    test = world.open("configuration")
    next(field for field in test.number_input if field.label == "Visits, days").set_value(90)
    press(test, "Check what would be removed")
    assert "Visits\\: 1 would be removed\\, the oldest of 2020\\-05\\-01" in " ".join(
        str(text.value) for text in test.markdown
    )
    assert get_settings(world.service, ADMIN)["keep_visits_days"] == "0"
    press(test, "Save these limits")
    assert get_settings(world.service, ADMIN)["keep_visits_days"] == "90"
    assert next(field for field in test.number_input if field.label == "Visits, days").value == 90
    assert "Days that visits are kept" in list(test.dataframe[-1].value["Setting"])


def test_a_limit_that_is_none_is_refused_with_its_reason(world: World) -> None:
    test = world.open("configuration")
    next(field for field in test.number_input if field.label == "Audit log, days").set_value(3)
    press(test, "Check what would be removed")
    assert "at least 30 days" in " ".join(str(error.value) for error in test.error)
