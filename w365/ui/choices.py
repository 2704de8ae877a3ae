"""A choice of one among some, drawn without its label: the first of them says what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st


def show_choice_of(
    label: str, key: str, words: Mapping[Any, str], width: int, on_change: Callable[[], None] | None = None
) -> None:
    st.selectbox(
        label,
        list(words),
        format_func=words.__getitem__,
        key=key,
        label_visibility="collapsed",
        on_change=on_change,
        width=width,
    )
