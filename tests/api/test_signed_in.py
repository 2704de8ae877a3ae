"""The route that the browser returns to: at the root and below a base path, for a form that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from w365.model import Actor
from w365.service import Service
from w365.ui.connecting.sign_in import is_taken_by_microsoft, redirect_address

Connect = Callable[[Actor | None], httpx.Client]


@pytest.mark.parametrize("path", ["/api/signed-in", "/base/api/signed-in", "/a/b/api/signed-in"])
def test_an_answer_nobody_asked_for_is_refused_below_any_base_path(connect: Connect, path: str) -> None:
    client = connect(None)
    answer = client.post(path, data={"state": "<script>", "code": "c" * 10})
    assert answer.status_code == 400
    assert "was not begun here" in answer.text
    assert "<script>" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert client.get(path).status_code == 405


def test_a_huge_answer_is_not_taken(connect: Connect) -> None:
    assert connect(None).post("/api/signed-in", content=b"state=" + b"x" * 1_000_000).status_code == 400


def test_what_nobody_foresaw_is_a_reference_only(server: Any) -> None:
    def broken() -> Service:
        raise ZeroDivisionError("a secret detail")

    server.get_service = broken
    answer = httpx.post(f"{server.url}/api/signed-in", data={"state": "x"}, trust_env=False)
    assert answer.status_code == 500
    assert "Tell an admin the reference" in answer.text
    assert "secret detail" not in answer.text


@pytest.mark.parametrize(
    ("configured", "page", "expected"),
    [
        ("", "http://localhost:8501/providers", "http://localhost:8501/api/signed-in"),
        ("", "https://host.example/base/path/providers", "https://host.example/base/path/api/signed-in"),
        ("", "https://host.example/base/providers/", "https://host.example/base/api/signed-in"),
        ("https://public.example/w365", "http://10.0.0.1:8501/providers", "https://public.example/w365/api/signed-in"),
    ],
)
def test_the_way_back_leads_to_the_address_that_people_use(configured: str, page: str, expected: str) -> None:
    assert redirect_address(configured, page) == expected


def test_plain_http_is_taken_for_localhost_only() -> None:
    taken = {one: is_taken_by_microsoft(f"{one}/api/signed-in") for one in ("http://localhost:1", "https://a.example")}
    assert all(taken.values())
    assert not is_taken_by_microsoft("http://127.0.0.1:8501/api/signed-in")
