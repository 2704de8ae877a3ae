"""Buttons that decide: each sends the version that was seen, and a refusal stands where the button is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import streamlit as st

from w365.model import Actor, Role
from w365.service import Service
from w365.service.deciding import mapping
from w365.service.deciding.mapping import Decided
from w365.service.reading.records import Record
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import show_refusals

Work = Callable[[int], Decided]
"""Decides, given the version that was seen."""

Kind = Literal["primary", "secondary", "tertiary"]


@dataclass
class Decider:
    """The open record, who looks at it, and the decision that a button of this run took.

    With `on_work` the buttons hand over what is to be done before the page runs again, so that a decision costs one
    run; `shortcuts` gives keys to buttons by their key.
    """

    context: PageContext
    record: Record
    decided: Decided | None = None
    on_work: Callable[[Record, Work], None] | None = None
    shortcuts: Mapping[str, str] = field(default_factory=dict)

    @property
    def may(self) -> bool:
        return self.context.actor.role >= Role.ANALYST

    @property
    def whose(self) -> tuple[Service, Actor, int]:
        return self.context.service, self.context.actor, self.record.row.id

    def button(self, label: str, key: str, work: Work, *, kind: Kind = "secondary", disabled: bool = False) -> None:
        """Show a button for `work` to those who may decide."""
        if not self.may:
            return
        hand_over = None if self.on_work is None else partial(self.on_work, self.record, work)
        shown = partial(st.button, label, key=self.key(key), type=kind, disabled=disabled)
        if shown(on_click=hand_over, shortcut=self.shortcuts.get(key)) and hand_over is None:
            self.decide(work)

    def decide(self, work: Work) -> None:
        with show_refusals():
            self.decided = work(self.record.row.version)

    def accept(self, account: int) -> Work:
        return lambda seen: mapping.assign_account(*self.whose, account, seen=seen)

    def reject(self, account: int) -> Work:
        return lambda seen: mapping.reject_candidate(*self.whose, account, seen=seen)

    def key(self, name: str) -> str:
        """Give the key of a button: what was pressed about a row is not pressed about the same one decided."""
        return f"record-{self.record.row.id}-{self.record.row.version}-{name}"

    def field_key(self, name: str) -> str:
        """Give the key of a field: another row starts with empty ones, the same one keeps what was typed."""
        return f"record-{self.record.row.id}-{name}"
