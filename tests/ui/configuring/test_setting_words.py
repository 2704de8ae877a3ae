"""Settings are named for people, not as they are stored."""

from __future__ import annotations

import pytest

from w365.store.configuring.settings import SPECS
from w365.ui.configuring.words import say_setting

ON_THE_PAGES = [name for name in SPECS if not name.startswith("guard_")]
"""Guards are set by the command line, under the name that is stored."""


@pytest.mark.parametrize("name", ON_THE_PAGES)
def test_every_setting_of_the_pages_has_a_name_for_people(name: str) -> None:
    assert say_setting(name) not in (name, "")
