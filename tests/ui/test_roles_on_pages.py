"""Each page as a viewer, an analyst and an admin, and everything used that it offers: nobody is offered a refusal."""

from __future__ import annotations

import dataclasses
import functools
import logging
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from fresh_stores import make_once
from pressing import press, run_with
from stage import World, text_of
from streamlit.testing.v1 import AppTest
from team import Team

from w365.model import AuditKind, Role
from w365.service.access import command_line_user
from w365.service.auditing.samples import draw_sample
from w365.service.configuring.settings import set_settings
from w365.service.deciding.mapping import exclude_row
from w365.service.insight.activity import count_decisions
from w365.service.people.roles import list_audit_log
from w365.service.syncing.providers import ManualAccount, add_manual_accounts, add_manual_provider
from w365.service.syncing.runs import list_runs
from w365.store.insight.activity import ActivityFilter
from w365.ui.frame.pages import PAGES

ROOT = command_line_user()
PLACES: tuple[tuple[str, Mapping[str, str]], ...] = (
    *((page.place, {}) for page in PAGES),
    *(("provider_accounts", {"record": record}) for record in ("1", "12", "25", "31")),
    *((place, {"account": "a1"}) for place in ("account", "onboarding")),
    ("import", {"what": "mappings"}),
)
"""Pages, and what an address opens besides: the records of a conflict, a mapped, an open and a manual row."""

BEHIND: Mapping[tuple[str, Role], set[str]] = {
    ("people", Role.ADMIN): {"Give this role", "Disable", "Sign out", "Let in again"},
    ("providers", Role.ADMIN): {"Mark as gone", "Match now"},
    ("configuration", Role.ADMIN): {"Save"},
    ("activity", Role.ANALYST): {"Undo this decision…"},
    ("review", Role.ANALYST): {"Accept first"},
}
"""What is pressed among others, some of it in dialogs: proof that the walk comes so far."""

_DEEPEST, _MOST = 4, 200

Name = tuple[str, str, str]


@pytest.fixture
def team(world: World, monkeypatch: pytest.MonkeyPatch) -> Team:
    """A small installation where everything has happened once that a page can offer something about."""
    world.crm.twins = ["c0.de"]
    world.sync()
    team = Team(world, monkeypatch)
    make_once(world.service.store, "a small installation", functools.partial(fill, team))
    return team


def fill(team: Team) -> None:
    service, names = team.service, ("mapping_table", "mapping_id_column", "mapping_account_column")
    set_settings(service, ROOT, {name: f"new_{name}" for name in names} | {"write_back": "true"})
    harbour = add_manual_provider(service, ROOT, "Harbour")
    add_manual_accounts(service, ROOT, harbour, [ManualAccount("h1", "Harbour master", ("harbour.de",))])
    draw_sample(service, ROOT, 5, seed=1)
    for name, role in (("", Role.VIEWER), ("Abe", Role.ADMIN), ("Zoe", Role.ANALYST)):
        team.actor(role, name)
    for row, role in ((26, Role.ANALYST), (27, Role.ADMIN)):
        exclude_row(service, team.actor(role), row, seen=0, reason="a test")
    team.lose_customers(15)


class Unforeseen(logging.Handler):
    """Keeps what the page frame tells the log of what nobody foresaw."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(repr(record.exc_info and record.exc_info[1]))


@pytest.fixture
def unforeseen() -> Iterator[list[str]]:
    handler, logger = Unforeseen(), logging.getLogger("w365")
    logger.addHandler(handler)
    yield handler.told
    logger.removeHandler(handler)


@dataclasses.dataclass
class Line:
    """The first or the last line of a table in which lines are chosen."""

    test: AppTest
    key: str
    place: int
    type = "line"
    label, form_id, disabled = "", "", False

    def choose(self) -> None:
        self.test.session_state[self.key] = {"selection": {"rows": [self.place], "columns": [], "cells": []}}


_CHANGES: Mapping[str, Callable[[Any], Any]] = {
    "button": lambda button: button.click(),
    "toggle": lambda toggle: toggle.set_value(not toggle.value),
    "checkbox": lambda box: box.set_value(not box.value),
    "selectbox": lambda box: box.select_index(len(box.options) - 1),
    "radio": lambda radio: radio.set_value(radio.options[-1]),
    "text_input": lambda text: text.set_value("7"),
    "text_area": lambda text: text.set_value("one.de"),
}


def use(test: AppTest, widget: Any) -> None:
    """Choose something else in a widget, or a line; or press a button, with all of its form filled in."""
    if isinstance(widget, Line):
        widget.choose()
        test.run()
        return
    for each in widgets(test) if widget.type == "button" and widget.form_id else ():
        if each.type != "button" and each.form_id == widget.form_id:
            _CHANGES[each.type](each)
    _CHANGES[widget.type](widget)
    run_with(test, widget)


def widgets(test: AppTest) -> list[Any]:
    """What can be used now, but for the way out; below an open dialog nothing can."""
    dialogs = test.get("dialog")
    listed = [widget for kind in _CHANGES for widget in (dialogs[0] if dialogs else test).get(kind)]
    tables = [table for table in test.dataframe if table.key and len(table.value)]
    lines = [Line(test, table.key, place) for table in tables for place in {0, len(table.value) - 1}]
    return [widget for widget in listed if not widget.disabled and widget.key != "sign-out"] + (not dialogs) * lines


def name(widget: Any) -> Name:
    """What a widget is called, whichever row or version it stands for."""
    place = str(widget.place > 0) if isinstance(widget, Line) else ""
    return widget.type, widget.label, re.sub(r"[-\d]+", "", widget.key or widget.form_id or "") + place


class Walk:
    """Uses everything a page offers, each on a page that was opened for it, and what shows up then."""

    def __init__(self, open_page: Callable[[], AppTest]) -> None:
        self._open, self.used = open_page, set[Name]()

    def explore(self) -> None:
        """Go on from what was used to what that shows, the nearest first."""
        paths: deque[tuple[Name, ...]] = deque([()])
        while paths:
            path = paths.popleft()
            test = self._go(path)
            assert not test.exception, path
            for widget in [name(widget) for widget in widgets(test)]:
                if widget not in self.used and len(path) < _DEEPEST:
                    self.used.add(widget)
                    paths.append((*path, widget))

    def _go(self, path: tuple[Name, ...]) -> AppTest:
        test = self._open()
        for step in path:
            if widget := next((widget for widget in widgets(test) if name(widget) == step), None):
                use(test, widget)
        return test


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name.lower())
@pytest.mark.parametrize(("place", "address"), PLACES, ids=str)
def test_nobody_is_offered_what_is_refused(
    team: Team, unforeseen: list[str], place: str, address: Mapping[str, str], role: Role
) -> None:
    before = counts(team)
    walk = Walk(functools.partial(team.open, place, role, address))
    walk.explore()
    refusals = [row.about for row in list_audit_log(team.service, ROOT, AuditKind.REFUSAL, limit=50)]
    assert (refusals, unforeseen) == ([], [])
    assert {label for _, label, _ in walk.used} >= BEHIND.get((place, role), set())
    assert len(walk.used) < _MOST
    if role is Role.VIEWER:
        assert counts(team) == before


def counts(team: Team) -> tuple[int, int, int]:
    """How many decisions, runs and changed settings there are."""
    decisions = count_decisions(team.service, ROOT, ActivityFilter())
    settings = list_audit_log(team.service, ROOT, AuditKind.SETTING, limit=1000)
    return decisions, len(list_runs(team.service, ROOT, limit=1000)), len(settings)


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name.lower())
def test_every_page_says_who_is_signed_in_and_offers_the_way_out(team: Team, role: Role) -> None:
    for page in PAGES:
        test = team.open(page.place, role, name=page.title)
        assert f"Signed in as **{page.title}** · {role.name.lower()}" in text_of(test)
        press(test, test.button(key="sign-out"))
        assert "You are signed out" in text_of(team.open(page.place, role, name=page.title))
