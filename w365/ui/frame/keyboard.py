"""Keys beyond those of Streamlit's buttons: "?", Escape, and the focus moved into a field."""

from __future__ import annotations

from pathlib import Path

from streamlit.components import v1 as components

COMPONENT = components.declare_component("keyboard", path=str(Path(__file__).parents[1] / "scripts" / "keyboard"))


def listen_for_keys(*, row: int | None, focus: str = "", nonce: int = 0) -> None:
    """Listen, and once for every new `nonce` move the focus into the field with the label `focus`.

    Without a label the focus leaves whatever field has it. "?" presses the button with the key `review-help`; Escape
    leaves a field and presses `review-cancel`. Another `row` is shown from its top.
    """
    COMPONENT(row=row, label=focus, nonce=nonce, key="keyboard", default=None)
