from __future__ import annotations

from stage import ADMIN, World, text_of
from streamlit.testing.v1 import AppTest

from w365.service.access import local_user
from w365.service.deciding.bulk_preview import Selection
from w365.service.deciding.collaboration import set_owner
from w365.service.reading.records import list_rows
from w365.store.reading.worklist import Filter
from w365.ui.deciding.bulk.dialog import _KEY, _BulkRequest


def press(test: AppTest, label: str) -> None:
    next(one for one in test.button if one.label == label).click().run()
    assert not test.exception


def owners(world: World) -> list[str]:
    return [one.owner for one in list_rows(world.service, ADMIN, Filter())]


def test_rows_get_an_owner_after_a_preview_and_lose_it_again(world: World) -> None:
    world.sync()
    first, second, third = list_rows(world.service, ADMIN, Filter(), limit=3)
    set_owner(world.service, ADMIN, first.id, "ben")
    set_owner(world.service, ADMIN, second.id, "cleo")
    before = owners(world)
    test = world.open("provider_accounts")
    test.session_state[_KEY] = _BulkRequest("Owner", "owner", Selection((first.id, second.id, third.id)))
    test.run()
    box = test.selectbox(key="bulk-owner")
    assert list(box.options) == [f"{local_user().name} (me)", "ben", "cleo", "Nobody"]
    test.text_input(key="bulk-owner-new").input("  cleo ")
    press(test, "Preview")
    assert "**2 provider accounts** will change their owner." in text_of(test)
    assert "1\\: theirs already" in text_of(test)
    assert owners(world) == before
    press(test, "Change owner of 2")
    assert owners(world)[:3] == ["cleo"] * 3
    press(test, "Undo")
    assert "will have their owners of before" in text_of(test)
    press(test, "Take back 2")
    assert owners(world) == before
