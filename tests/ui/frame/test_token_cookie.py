"""What Streamlit makes of an answer of the identity provider, and what of it reaches the browser."""

from __future__ import annotations

import json
import string
from functools import partial
from random import Random

import pytest
from streamlit import auth_util
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value, decode_signed_value

from w365.ui.server.token_cookie import NAME, keep_id_token

SECRET = "the secret of this test"
ATTRIBUTES = "HttpOnly; Max-Age=2592000; Path=/w365; SameSite=lax"
OTHERS = [
    (b"location", b"/"),
    (b"set-cookie", f'{NAME}=""; Max-Age=0; Path=/'.encode()),
    (b"set-cookie", b"_streamlit_user=x"),
]


def answer(tokens: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers that Streamlit answers with."""
    headers = list(OTHERS)

    def put(name: str, value: str) -> None:
        signed = create_signed_value(SECRET, name, value).decode("ascii")
        headers.append((b"set-cookie", f"{name}={signed}; {ATTRIBUTES}".encode()))

    sign = partial(create_signed_value, SECRET)
    auth_util.set_cookie_with_chunks(put, sign, NAME, tokens, cookie_attr_size=len(ATTRIBUTES) + 2)
    return headers


def cookies(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Those that last, with their values opened."""
    lines = [value.decode() for name, value in headers if name == b"set-cookie" and ATTRIBUTES in value.decode()]
    pairs = [line.split(";")[0].split("=", 1) for line in lines]
    return {name: (decode_signed_value(SECRET, name, value) or b"").decode() for name, value in pairs}


@pytest.mark.parametrize("length", [10, 9000])
def test_neither_access_nor_refresh_token_reaches_the_browser(length: int) -> None:
    secret, letters = Random(length), string.ascii_letters  # as no two are alike, nothing shrinks when it is packed
    tokens = {
        name: "".join(secret.choices(letters, k=length)) for name in ("id_token", "access_token", "refresh_token")
    }
    given = answer(tokens)
    assert tokens["access_token"][:5] in "".join(cookies(given).values())
    kept = list(keep_id_token(given, SECRET))
    assert kept[: len(OTHERS)] == OTHERS
    opened = cookies(kept)
    whole = auth_util.get_cookie_with_chunks({name: text.encode() for name, text in opened.items()}.get, NAME)
    assert json.loads(whole or b"") == {"id_token": tokens["id_token"]}
    assert (len(opened) == 1) == (length == 10)


def test_what_cannot_be_opened_is_not_handed_on() -> None:
    forged = [*OTHERS, (b"set-cookie", f"{NAME}=made-up; {ATTRIBUTES}".encode())]
    assert list(keep_id_token(forged, SECRET)) == OTHERS
