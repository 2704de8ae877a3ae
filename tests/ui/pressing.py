"""Uses what a page shows, as a browser does: what stands in a fragment runs that alone. A dialog is a fragment.

AppTest itself runs the whole page whatever is pressed, and an open dialog would be gone by then.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test, local_script_runner
from streamlit.testing.v1.element_tree import Widget


def press(test: AppTest, button: Any) -> AppTest:
    return run_with(test, button.click())


def run_with(test: AppTest, widget: Widget) -> AppTest:
    """Run what a change of this widget runs; its new value was set before."""
    metadata = test._session_state._state._new_widget_state.widget_metadata.get(widget.id)
    pages = test._registered_pages

    class KnownPages(PagesManager):
        """Knows the pages of the run before, as a session does."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._set_pages(pages)

    with pytest.MonkeyPatch.context() as patch:
        if metadata and metadata.fragment_id:
            rerun = partial(local_script_runner.RerunData, fragment_id=metadata.fragment_id)
            patch.setattr(local_script_runner, "RerunData", rerun)
            patch.setattr(app_test, "PagesManager", KnownPages)
        return test.run()
