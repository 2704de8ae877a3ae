"""What the demo's Graph tells of a customer's domains, and what it is not asked for in vain."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.servers import COHO, small_world
from w365.demo.entra.graph import AUDIENCE, GraphServer
from w365.demo.tokens import Person, TokenIssuer
from w365.demo.wire import Request


def ask(query: str) -> tuple[int, Any]:
    service = GraphServer(small_world(), TokenIssuer())
    token = service.tokens.issue(AUDIENCE, "client", COHO, Person("ada", has_mfa=True))
    reply = service(Request("GET", "/v1.0/domains", query, {"authorization": f"Bearer {token}"}))
    return reply.status, json.loads(reply.body)


def test_only_what_is_selected_is_told() -> None:
    status, content = ask("$select=id,isVerified")
    assert (status, content["value"][0]) == (200, {"id": "xn--coho-gppner-0bb.de", "isVerified": True})
    assert len(ask("")[1]["value"][0]) > 5


@pytest.mark.parametrize("query", ["$top=5", "$filter=isVerified eq true", "$select=id,nosuch", "$select=id&x=1"])
def test_what_graph_does_not_know_is_refused(query: str) -> None:
    assert ask(query)[0] == 400
