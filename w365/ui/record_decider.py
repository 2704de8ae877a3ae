"""Buttons that decide: each sends the version that was seen, and a refusal stands where the button is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from w365.errors import W365Error
from w365.model import Actor, Role
from w365.service import Service, mapping
from w365.service.mapping import Decided
from w365.service.records import Record
from w365.ui.desk import Desk
from w365.ui.shell import show_error

Work = Callable[[int], Decided]
"""Decides, given the version that was seen."""

Kind = Literal["primary", "secondary", "tertiary"]


@dataclass
class Decider:
    """The open record, who looks at it, and the decision that a button of this run took."""

    desk: Desk
    record: Record
    decided: Decided | None = None

    @property
    def may(self) -> bool:
        return self.desk.actor.role >= Role.ANALYST

    @property
    def whose(self) -> tuple[Service, Actor, int]:
        return self.desk.service, self.desk.actor, self.record.row.id

    def button(self, label: str, key: str, work: Work, *, kind: Kind = "secondary", disabled: bool = False) -> None:
        """Show a button for `work` to those who may decide."""
        if self.may and st.button(label, key=self.key(key), type=kind, disabled=disabled):
            self.decide(work)

    def decide(self, work: Work) -> None:
        try:
            self.decided = work(self.record.row.version)
        except W365Error as error:
            show_error(error)

    def accept(self, account: int) -> Work:
        return lambda seen: mapping.assign_account(*self.whose, account, seen=seen)

    def key(self, name: str) -> str:
        """A widget's key: another row, or the same one decided, starts with empty fields."""
        return f"record-{self.record.row.id}-{self.record.row.version}-{name}"
