"""The description that is served: it names every route, its examples are answers, and the reference says the same."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from api.conftest import Server
from api.programs.conftest import named, seen

from w365 import __version__
from w365.api.programs.description import PREFIX, describe
from w365.api.programs.examples import ANSWERS
from w365.api.programs.operations import OPERATIONS, Operation
from w365.api.programs.problems import ProblemKind
from w365.api.routes import routes

API = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.fixture
def served(server: Server) -> Any:
    return httpx.get(f"{server.url}{PREFIX}/openapi.json", trust_env=False, verify=False).json()


def check(served: Any, name: str, value: object) -> None:
    """Hold a value against one of the described shapes, times and dates included."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": served["components"]}
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(value)


def table(title: str) -> list[list[str]]:
    lines = API.split(f"## {title}\n")[1].split("\n## ")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]


def test_anybody_who_reaches_the_app_may_read_it_with_its_version(served: Any) -> None:
    assert (served["openapi"], served["info"]["version"]) == ("3.1.0", __version__)
    jsonschema.Draft202012Validator.check_schema({"$defs": served["components"]["schemas"]})


def test_every_route_is_described_and_nothing_else(served: Any) -> None:
    described = {(method.upper(), path) for path, methods in served["paths"].items() for method in methods}
    own = [route for route in routes(lambda: None) if route.path.startswith(f"{PREFIX}/")]  # type: ignore[arg-type,return-value]
    routed = {(method, route.path) for route in own for method in route.methods or () if method != "HEAD"}
    rest = {(method, path) for method, path in routed if path.endswith(("openapi.json", "{rest:path}"))}
    assert described == routed - rest


def test_below_a_base_path_it_says_so() -> None:
    assert describe("/w365")["servers"] == [{"url": "/w365"}]
    assert any(route.path == f"/w365{PREFIX}/mappings" for route in routes(lambda: None, "/w365"))  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_each_example_is_an_answer_of_the_described_shape(served: Any, operation: Operation) -> None:
    described = served["paths"][PREFIX + operation.path][operation.method.lower()]
    content = described["responses"][str(operation.status)]["content"]["application/json"]
    check(served, operation.answer.__name__, content["example"])
    assert content["schema"]["$ref"].endswith(f"/{operation.answer.__name__}")
    assert described["summary"].endswith(".")
    for parameter in described["parameters"]:
        if "example" in parameter:
            jsonschema.validate(parameter["example"], parameter["schema"])
    if "requestBody" in described:
        body = described["requestBody"]["content"]["application/json"]
        jsonschema.validate(body["example"], body["schema"])


def test_the_answers_have_the_described_shapes(served: Any, client: httpx.Client) -> None:
    heron = named(client, "Heron AG")
    place = f"/provider-accounts/{heron['id']}"
    client.put(f"{place}/mapping", json={"account": "a1"}, headers=seen(heron))
    run = client.post("/matches").json()
    ids = {"id": heron["id"], "crm_id": "a1"}
    for operation in OPERATIONS:
        if operation.method == "GET":
            path = operation.path.format(**(ids | ({"id": run["id"]} if "/runs" in operation.path else {})))
            answer = client.get(path, params={"text": "heron"} if path == "/accounts" else None)
            check(served, operation.answer.__name__, answer.json())
    check(served, "Run", run)
    check(served, "ProviderAccount", named(client, "Heron AG"))
    check(served, "Problem", client.delete(f"{place}/mapping", headers=seen(heron)).json())


def test_a_wrong_answer_would_be_seen(served: Any) -> None:
    good = json.loads(json.dumps(dataclasses.asdict(ANSWERS[OPERATIONS[0].answer]), default=str))
    for wrong in ({**good, "name": 1}, {**good, "more": ""}, {"name": good["name"]}):
        with pytest.raises(jsonschema.ValidationError):
            check(served, OPERATIONS[0].answer.__name__, wrong)


def test_the_reference_names_exactly_the_routes_with_role_and_purpose() -> None:
    assert table("Routes") == [
        [f"`{each.method} {each.path}`", each.role.name.lower(), each.about.partition("\n\n")[0]] for each in OPERATIONS
    ]


def test_the_reference_names_exactly_the_problems() -> None:
    assert table("Problems") == [[f"`{kind.type}`", str(kind.status), kind.title] for kind in ProblemKind]
    assert len({kind.type for kind in ProblemKind}) == len(ProblemKind)
