"""Clients that nobody here wrote, as they come from their registries, against the demo's servers."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from npm import installed_from_npm
from pypi import installed_from_pypi

from tests.servers import BELLOWS_TWIN, client, running
from w365.demo.partner_center.server import AUDIENCE
from w365.demo.servers import DATAVERSE_CLIENT_ID, TENANT_ID, Servers

CLIENTS = Path(__file__).parent / "clients"
ADA = "44444444-4444-4444-8444-000000000001"
IN_ORDER = ["Old Traders", "Adatum Limited", "Bellows College", "Bellows College Library", "Coho O'Winery"]

pytestmark = pytest.mark.proof


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with running(tmp_path / "demo") as servers:
        yield servers


def run(servers: Servers, *command: str | Path) -> str:
    bundle = str(servers.ca_bundle)
    trust = dict.fromkeys(("NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), bundle)
    plain = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=60, check=False, env=plain | trust
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def told(servers: Servers, **more: Any) -> str:
    """What a client is told, as JSON."""
    own = {"url": servers.urls["dataverse"], "authority": servers.urls["authority"], "tenant": TENANT_ID}
    audiences = [servers.urls["dataverse"], AUDIENCE]
    return json.dumps(
        {**own, "client": DATAVERSE_CLIENT_ID, "secret": servers.client_secret, "audiences": audiences, **more}
    )


def check_sign_in(servers: Servers, answer: str) -> None:
    got = json.loads(answer)
    for token, audience in zip(got["tokens"], [servers.urls["dataverse"], AUDIENCE], strict=True):
        claims = servers.tokens.read_bearer(f"Bearer {token}")
        assert claims is not None
        assert claims.audience == audience
    assert "AADSTS7000215" in got["refusal"]


def test_azure_identity_gets_tokens_and_understands_the_refusal(servers: Servers) -> None:
    python = installed_from_pypi("dynamics-client==0.8.4", "azure-identity==1.27.0")
    check_sign_in(servers, run(servers, python, CLIENTS / "azure_identity.py", told(servers)))


def test_msal_for_node_gets_tokens_and_understands_the_refusal(servers: Servers) -> None:
    home = installed_from_npm("@azure/msal-node", "7.2.3")
    check_sign_in(servers, run(servers, "node", CLIENTS / "msal_node.cjs", home, told(servers)))


def test_dynamics_client_reads_writes_and_is_refused_what_is_not_there(servers: Servers) -> None:
    python = installed_from_pypi("dynamics-client==0.8.4", "azure-identity==1.27.0")
    script = CLIENTS / "dynamics_client.py"
    assert json.loads(run(servers, python, script, told(servers, child=BELLOWS_TWIN, contact=ADA))) == {
        "by_resource": 5,
        "paged": IN_ORDER,
        "count": 5,
        "in": ["Adatum Limited", "Coho O'Winery"],
        "or": ["Adatum Limited", "Old Traders"],
        "expanded": ["Bellows College", []],
        "pre_expanded": ["Bellows College"],
        "created": "O'Neil & Söhne",
        "changed": "555",
        "linked": ["Ada Marsh"],
        "refusals": ["NotFound", "ParseError", "ParseError", "ParseError"],
    }


def test_dynamics_web_api_makes_every_call_that_needs_no_files(servers: Servers) -> None:
    home = installed_from_npm("dynamics-web-api", "2.5.0")
    with client(servers, "dataverse") as http:
        token = http.headers["authorization"].removeprefix("Bearer ")
    script = CLIENTS / "dynamics_web_api.cjs"
    got = json.loads(run(servers, "node", script, home, told(servers, token=token, child=BELLOWS_TWIN, contact=ADA)))
    assert set(got.pop("refused").values()) <= {400, 404, 405}
    assert isinstance(got.pop("bare"), str)
    single = got.pop("single")
    assert (single["websiteurl"], single["telephone1"]) == ("new.example", "3")
    assert got == {
        "paged": IN_ORDER[:4],
        "all": IN_ORDER,
        "tracked": True,
        "count": [5, 4, 5],
        "expanded": ["Bellows College", []],
        "parent": "Bellows College",
        "unchanged": "nothing sent",
        "in": ["Adatum Limited", "Coho O'Winery"],
        "who": True,
        "stale": False,
        "upserted": "3",
        "there": None,
        "emptied": None,
        "associated": ["Ada Marsh"],
        "disassociated": 0,
        "parented": BELLOWS_TWIN,
        "orphaned": None,
        "deleted": [False, True, 404],
        "batch": ["string", 6, ["Batched"]],
        "failed": [400],
        "undone": 0,
        "tables": ["new_provideraccount"],
        "columns": 15,
        "column": 160,
        "relationships": 4,
        "choices": [],
        "csdl": True,
    }


def test_airbytes_connector_checks_discovers_and_reads_all_and_then_what_changed(
    servers: Servers, tmp_path: Path
) -> None:
    python = installed_from_pypi("airbyte-source-microsoft-dataverse==1.0.2")
    source = (python, CLIENTS / "airbyte_source.py", servers.urls["authority"])
    own = {"client_id": DATAVERSE_CLIENT_ID, "client_secret_value": servers.client_secret, "tenant_id": TENANT_ID}
    config = write(tmp_path / "config.json", own | {"url": servers.urls["dataverse"], "odata_maxpagesize": 2})
    (checked,) = messages(run(servers, *source, "check", "--config", config), "CONNECTION_STATUS")
    assert checked["connectionStatus"]["status"] == "SUCCEEDED"
    (discovered,) = messages(run(servers, *source, "discover", "--config", config), "CATALOG")
    streams = {each["name"]: each for each in discovered["catalog"]["streams"]}
    assert set(streams) == {"account", "contact", "new_provideraccount"}
    assert streams["contact"]["json_schema"]["properties"]["modifiedon"]["format"] == "date-time"
    catalog = write(
        tmp_path / "catalog.json", {"streams": [configured(streams[name], mode) for name, mode in MODES.items()]}
    )
    reading = (*source, "read", "--config", config, "--catalog", catalog)
    first = run(servers, *reading)
    assert sorted(row["name"] for row in rows_of(first, "account")) == sorted(IN_ORDER)
    assert len(rows_of(first, "contact")) == 5
    with client(servers, "dataverse") as http:
        http.delete(f"/api/data/v9.2/contacts({ADA})").raise_for_status()
    state = write(tmp_path / "state.json", [each["state"] for each in messages(first, "STATE")])
    (gone,) = rows_of(run(servers, *reading, "--state", state), "contact")
    assert (gone["contactid"], bool(gone["_ab_cdc_deleted_at"])) == (ADA, True)


MODES = {"account": "full_refresh", "contact": "incremental"}


def configured(stream: dict[str, Any], mode: str) -> dict[str, Any]:
    return {
        "stream": stream,
        "sync_mode": mode,
        "destination_sync_mode": "append",
        "cursor_field": ["modifiedon"],
        "primary_key": stream["source_defined_primary_key"],
    }


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def messages(output: str, kind: str) -> list[dict[str, Any]]:
    return [each for line in output.splitlines() if (each := json.loads(line))["type"] == kind]


def rows_of(output: str, stream: str) -> list[dict[str, Any]]:
    records = [each["record"] for each in messages(output, "RECORD")]
    return [record["data"] for record in records if record["stream"] == stream]
