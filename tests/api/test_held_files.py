from __future__ import annotations

import pytest

from w365.api.held_files import least_role
from w365.model import Role


@pytest.mark.parametrize("base", ["", "/w365", "/a/b"])
def test_what_a_page_holds_needs_a_role_below_any_base_path(base: str) -> None:
    assert least_role(f"{base}/media/4f.csv") == Role.VIEWER
    assert least_role(f"{base}/_stcore/upload_file/session/file") == Role.ANALYST


@pytest.mark.parametrize("path", ["/", "/static/media/Source.woff2", "/w365/static/media/a.js", "/_stcore/health"])
def test_what_is_the_same_for_everybody_needs_none(path: str) -> None:
    assert least_role(path) is None
