"""Every browser gets a name before its first websocket, once, that no script and no other site can use."""

from __future__ import annotations

import pytest
from api.asgi import answer_of

from w365.api.browser_cookie import BrowserCookie
from w365.api.browsers import COOKIE, name_browser

KEYS = ("new key", "old key")
OURS, OLD = name_browser(KEYS), name_browser(KEYS[1:])
FIRST = "/_stcore/health"


def cookies_set(path: str, *cookies: str, base: str = "/") -> list[str]:
    return answer_of(lambda app: BrowserCookie(app, lambda: KEYS, base), path, cookies).cookies


def test_what_a_page_asks_first_names_the_browser_for_this_site_and_no_script() -> None:
    (first,), (second,) = cookies_set(FIRST), cookies_set(FIRST)
    assert first.startswith(f"{COOKIE}=")
    assert len(first.split(";")[0]) > 30
    assert first != second
    assert first.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Strict"]


def test_below_a_base_path_another_app_of_the_host_does_not_see_it() -> None:
    (cookie,) = cookies_set(f"/w365{FIRST}", base="/w365")
    assert "; Path=/w365;" in cookie


@pytest.mark.parametrize("path", ["/", "/provider_accounts", "/oauth2callback", "/_stcore/host-config"])
def test_a_page_sets_none_as_a_link_from_elsewhere_brings_none(path: str) -> None:
    assert cookies_set(path) == []


@pytest.mark.parametrize("cookies", [[f"a=b; {COOKIE}={OURS}"], ["a=b", f"{COOKIE}={OLD}"]])
def test_a_browser_with_a_name_keeps_it(cookies: list[str]) -> None:
    assert cookies_set(FIRST, *cookies) == []


def test_a_name_that_the_app_did_not_give_is_replaced() -> None:
    for name in ("mine", "", name_browser(["another key"]), f"{OURS}x", OURS.partition(".")[0], "é"):
        (given,) = cookies_set(FIRST, f"{COOKIE}={name}")
        assert given.startswith(f"{COOKIE}=")
