"""Presses what a page shows. AppTest runs the whole page whatever is pressed, and a dialog would be gone by then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest, local_script_runner
from streamlit.testing.v1.element_tree import Widget


def fragments(test: AppTest) -> set[str]:
    """The fragments that the latest run has drawn; a dialog is one."""
    return set(test._fragment_storage._fragments)


@contextmanager
def within(dialog: str) -> Iterator[None]:
    """Run the fragment of a dialog alone, as a browser asks for; "" runs the page."""
    with pytest.MonkeyPatch.context() as patch:
        if dialog:
            rerun = partial(local_script_runner.RerunData, fragment_id=dialog)
            patch.setattr(local_script_runner, "RerunData", rerun)
        yield


def press(test: AppTest, button: Widget, dialog: str = "") -> str:
    """Press a button of the page or of an open dialog, and return the dialog that this opened, "" for none."""
    before = fragments(test)
    with within(dialog):
        button.click().run()  # type: ignore[attr-defined]
    opened = fragments(test) - before
    return opened.pop() if opened and _has_dialog(test) else ""


def _has_dialog(test: AppTest) -> bool:
    return any(block.type == "dialog" for block in test._tree[2].children.values())
