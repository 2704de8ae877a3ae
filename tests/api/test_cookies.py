"""Cookies last as long as a session and, over TLS, are this site's alone."""

from __future__ import annotations

import datetime as dt

import pytest
from api.asgi import Answer, answer_of
from starlette.types import ASGIApp

from w365.api.cookies import Cookies
from w365.entrance import Entrance

SITE = Entrance(public_url="https://accounts.example/w365")
HERE = [("host", "accounts.example")]
STREAMLIT = "_streamlit_user=signed; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax"


def ask(*given: str, brought: str = "", host: str = "127.0.0.1:8501", scheme: str = "http") -> Answer:
    def around(app: ASGIApp) -> ASGIApp:
        return Cookies(app, lambda: SITE, lambda: dt.timedelta(hours=12))

    answers = [("set-cookie", cookie) for cookie in given]
    return answer_of(around, "/", [brought], headers=[("host", host)], answers=answers, scheme=scheme)


def test_who_signed_in_is_kept_no_longer_than_a_session_lasts() -> None:
    again = STREAMLIT.replace("_user=", "_user_tokens_1=")
    assert ask(STREAMLIT, again).cookies == [
        cookie.replace("Max-Age=2592000", "Max-Age=43200") for cookie in (STREAMLIT, again)
    ]
    gone = '_streamlit_user=""; Max-Age=0; Path=/; SameSite=lax'
    assert ask(gone).cookies == [gone]


@pytest.mark.parametrize(("host", "scheme"), [("accounts.example", "http"), ("other.example", "https")])
def test_over_tls_every_cookie_is_secure_and_ours_are_prefixed(host: str, scheme: str) -> None:
    below = "_streamlit_session=x; path=/w365; httponly"
    cookies = ask("w365_browser=x; Path=/", below, "_streamlit_xsrf=x; Path=/", host=host, scheme=scheme).cookies
    assert cookies == [
        "__Host-w365_browser=x; Path=/; Secure",
        f"__Secure-{below}; Secure",
        "_streamlit_xsrf=x; Path=/; Secure",
    ]


def test_what_comes_back_over_tls_counts_with_its_prefix_alone() -> None:
    brought = (
        "_streamlit_xsrf=a; __Host-w365_browser=b; w365_browser=thief; __Secure-_streamlit_user=c; _streamlit_user=d"
    )
    assert (
        ask(brought=brought, host="accounts.example").brought == "_streamlit_xsrf=a; w365_browser=b; _streamlit_user=c"
    )


def test_without_tls_cookies_go_as_they_are() -> None:
    cookie = "w365_browser=x; Path=/; HttpOnly"
    assert ask(cookie).cookies == [cookie]
    assert ask(brought="a=b; w365_browser=x").brought == "a=b; w365_browser=x"
