"""Whoever signs in comes back to the page that was asked for, and hears of a sign-in that failed."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from api.asgi import Answer, answer_of

from w365.api.way_back import COOKIE, Failure, WayBack
from w365.entrance import Entrance

SITE = Entrance(public_url="https://accounts.example/w365")
ASKED = "/w365/provider_accounts?row=7&text=a%20b"
HOME = [("location", "/w365/")]
SIGNED_IN = [*HOME, ("set-cookie", "_streamlit_user=signed; Path=/w365")]


def ask(path: str, asked: str = "", referer: str = "", answers: list[tuple[str, str]] = HOME) -> Answer:
    noted: list[Failure] = []
    cookies = [f"{COOKIE}={quote(asked, safe='')}"]
    headers = [("referer", referer)]
    answer = answer_of(
        lambda app: WayBack(app, lambda: SITE, noted.append, "/w365"), path, cookies, headers=headers, answers=answers
    )
    assert noted == [failure for failure in Failure if f"sign-in={failure}" in answer.location]
    return answer


def test_the_page_is_remembered_for_this_site_and_no_script() -> None:
    (cookie,) = ask("/w365/auth/login?provider=x", referer=f"https://accounts.example{ASKED}").cookies
    kept = "; Path=/w365; HttpOnly; SameSite=Lax; Max-Age=3600"
    assert cookie == f"{COOKIE}={quote(ASKED, safe='')}{kept}"


@pytest.mark.parametrize(
    "referer",
    [
        "",
        "https://accounts.example",
        "https://accounts.example/",
        "https://accounts.example/w365x/",
        "https://accounts.example.thief.example/w365/",
        "http://accounts.example/w365/",
        "https://accounts.example/w365/oauth2callback?code=x",
        "https://accounts.example/w365/auth/logout",
        f"https://accounts.example/w365/{'x' * 1600}",
    ],
)
def test_what_is_no_page_of_the_site_is_not_remembered(referer: str) -> None:
    (cookie,) = ask("/w365/auth/login", referer=referer).cookies
    assert cookie.startswith(f"{COOKIE}=; ")
    assert cookie.endswith("Max-Age=0")


def test_a_sign_in_ends_on_the_page_that_was_asked_for() -> None:
    answer = ask("/w365/oauth2callback?code=x&state=y", ASKED, answers=SIGNED_IN)
    assert answer.location == ASKED
    assert answer.cookies[-1].startswith(f"{COOKIE}=; ")


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "//thief.example/w365/",
        "https://thief.example/w365/",
        "/\\thief.example",
        "/w365/../../x",
        "/w365/\r\nx: y",
        "/w365/\tx",
        "/w365//thief.example",
        "/elsewhere",
        "/w365/auth/logout",
        "javascript:alert(1)",
        "/w365/é",
    ],
)
def test_a_cookie_that_somebody_made_up_leads_nowhere_else(asked: str) -> None:
    assert ask("/w365/oauth2callback?code=x&state=y", asked, answers=SIGNED_IN).location == "/w365/"


@pytest.mark.parametrize(
    ("query", "failure"),
    [("error=access_denied&state=y", Failure.REFUSED), ("code=x&state=y", Failure.UNUSABLE), ("", None)],
)
def test_a_failure_is_said_to_the_page_and_noted(query: str, failure: Failure | None) -> None:
    cleared = [*HOME, ("set-cookie", '_streamlit_user=""; Max-Age=0')]
    said = f"sign-in={failure}" if failure else ""
    assert ask(f"/w365/oauth2callback?{query}", ASKED, answers=cleared).location == (
        f"{ASKED}&{said}" if said else ASKED
    )
    assert ask(f"/w365/oauth2callback?{query}", answers=cleared).location == (f"/w365/?{said}" if said else "/w365/")


def test_other_requests_are_left_alone() -> None:
    assert ask("/w365/", ASKED, answers=SIGNED_IN).headers == SIGNED_IN
