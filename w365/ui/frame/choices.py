"""What stands above a list and leaves a part of it: choices drawn without their labels, and a search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st


def show_choice_of(
    label: str, key: str, words: Mapping[Any, str], width: int, on_change: Callable[[], None] | None = None
) -> None:
    """Offer one of many; the first of the words says what it is about."""
    st.selectbox(
        label,
        list(words),
        format_func=words.__getitem__,
        key=key,
        label_visibility="collapsed",
        on_change=on_change,
        width=width,
    )


def show_parts(label: str, key: str, words: Mapping[str, str], on_change: Callable[[], None]) -> None:
    """Offer the parts of the list side by side; one of them is always chosen."""
    st.segmented_control(
        label,
        list(words),
        format_func=words.__getitem__,
        key=key,
        required=True,
        label_visibility="collapsed",
        on_change=on_change,
    )


def show_search(key: str, placeholder: str, width: int, on_change: Callable[[], None]) -> None:
    """Offer a search that narrows the list as one types."""
    st.text_input(
        "Search",
        key=key,
        type="search",
        live="200ms",
        placeholder=placeholder,
        label_visibility="collapsed",
        on_change=on_change,
        width=width,
    )
