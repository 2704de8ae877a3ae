"""People who look at pages where people sign in: by Streamlit's own sign-in and a browser's cookie."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from service.people.people_steps import claims, sign_in, team
from stage import OnStage, World
from streamlit.runtime import context
from streamlit.testing.v1 import AppTest

from w365.api.browsers import COOKIE
from w365.api.tokens import browser_of
from w365.model import Actor, Role
from w365.ui.frame import app_runtime

COOKIE_VALUE = "A" * 43


class Team:
    """Opens pages as somebody who signed in with a role, in a browser of their own."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.world, self.service = world, team(world.service, **settings)
        app_runtime.use(OnStage(self.service))  # type: ignore[arg-type]
        # AppTest has a person who is signed in, but no browser with cookies; these are Streamlit's own.
        client = SimpleNamespace(headers=[], cookies={COOKIE: COOKIE_VALUE})
        patch.setattr(context, "_get_client_context", lambda: client)

    def open(self, page: str, role: Role, name: str = "") -> AppTest:
        """Run a page as somebody whose sign-in names this role."""
        self.world.user = {"is_logged_in": True, **self._claims(role, name)}
        return self.world.open(page)

    def actor(self, role: Role, name: str = "") -> Actor:
        return sign_in(self.service, browser=browser_of(COOKIE_VALUE), **self._claims(role, name))

    def _claims(self, role: Role, name: str) -> dict[str, Any]:
        word = role.name.lower()
        return claims(self.service, sub=name or word, name=name or f"The {word}", roles=[word])
