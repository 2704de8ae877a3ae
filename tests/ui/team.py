"""People who look at pages where people sign in: by Streamlit's own sign-in and a browser's cookie."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from service.people.people_steps import claims, sign_in, team
from stage import OnStage, World
from streamlit.runtime import context
from streamlit.testing.v1 import AppTest

from w365.api.browsers import COOKIE
from w365.api.tokens import browser_of
from w365.jobs import execute_run
from w365.model import Actor, Role
from w365.service.access import command_line_user
from w365.service.syncing.providers import PARTNER_CENTER
from w365.service.syncing.runs import request_sync
from w365.ui.frame import app_runtime

_COOKIE_OF_ALL = "a cookie"


class Team:
    """Opens pages as somebody whose sign-in names a role; who is not named otherwise is called like the role."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch, **settings: Any) -> None:
        self._world, self.service = world, team(world.service, **settings)
        self._answers: dict[str, dict[str, Any]] = {}
        app_runtime.use(OnStage(self.service))  # type: ignore[arg-type]
        # AppTest has a person who is signed in, but no browser that sends cookies.
        client = SimpleNamespace(headers=[], cookies={COOKIE: _COOKIE_OF_ALL})
        patch.setattr(context, "_get_client_context", lambda: client)

    def open(self, page: str, role: Role, address: Mapping[str, str] | None = None, name: str = "") -> AppTest:
        """Run a page, with these parameters in its address."""
        return self._world.open(page, address, {"is_logged_in": True, **self._claims(role, name)})

    def actor(self, role: Role, name: str = "") -> Actor:
        """Sign somebody in."""
        return sign_in(self.service, browser=browser_of(_COOKIE_OF_ALL), **self._claims(role, name))

    def lose_customers(self, number: int) -> None:
        """Let a sync find that so many customers are missing."""
        listed = self._world.portal.customers
        self._world.portal.customers = listed[number:]
        execute_run(self.service, request_sync(self.service, command_line_user(), PARTNER_CENTER))
        self._world.portal.customers = listed

    def name(self, role: Role) -> str:
        return f"The {role.name.lower()}"

    def _claims(self, role: Role, name: str) -> dict[str, Any]:
        """What the identity provider answered when this person signed in, however often a page is loaded since."""
        called = name or self.name(role)
        if called not in self._answers:
            self._answers[called] = claims(self.service, sub=called, name=called, roles=[role.name.lower()])
        return self._answers[called]
