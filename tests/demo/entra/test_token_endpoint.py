from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msal
import pytest

from tests.servers import client, running
from w365.demo.servers import Servers

pytestmark = pytest.mark.usefixtures("_own_trust")


@pytest.fixture
def _own_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    # requests lets these override the bundle a caller gives
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("token")) as servers:
        yield servers


def application(servers: Servers, **changed: Any) -> Any:
    given = servers.environment() | changed
    return msal.ConfidentialClientApplication(
        given["W365_DATAVERSE_CLIENT_ID"],
        client_credential=given["W365_DATAVERSE_CLIENT_SECRET"],
        authority=f"{given['W365_AUTHORITY']}/{given['W365_DATAVERSE_TENANT_ID']}",
        instance_discovery=False,
        verify=given["W365_CA_BUNDLE"],
    )


def test_msal_gets_a_token_that_dataverse_takes(servers: Servers) -> None:
    answer = application(servers).acquire_token_for_client([f"{servers.urls['dataverse']}/.default"])
    with client(servers, "dataverse") as http:
        http.headers["authorization"] = f"Bearer {answer['access_token']}"
        assert http.get("/api/data/v9.2/WhoAmI").status_code == 200


def test_msal_refreshes_and_gets_a_rotated_refresh_token(servers: Servers) -> None:
    app = application(servers)
    first = servers.tokens.issue_refresh_token(servers.environment()["W365_DATAVERSE_CLIENT_ID"])
    scope = [f"{servers.urls['dataverse']}/user_impersonation"]
    answer = app.acquire_token_by_refresh_token(first, scope)
    assert answer["access_token"]
    assert answer["refresh_token"] not in ("", first)
    again = application(servers).acquire_token_by_refresh_token(first, scope)
    assert again["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"W365_DATAVERSE_CLIENT_SECRET": "wrong"}, 7000215),
        ({"W365_DATAVERSE_CLIENT_ID": "5d3e0a00-0000-4000-8000-000000000000"}, 700016),
    ],
)
def test_a_refusal_names_its_reason_as_entra_does(servers: Servers, changed: Any, code: int) -> None:
    answer = application(servers, **changed).acquire_token_for_client([f"{servers.urls['dataverse']}/.default"])
    assert answer["error_codes"] == [code]
    assert answer["error_description"].startswith(f"AADSTS{code}:")
    assert "wrong" not in answer["error_description"]


def test_an_unknown_tenant_is_not_found(servers: Servers) -> None:
    with client(servers, "dataverse") as http:
        answer = http.get(f"{servers.urls['authority']}/contoso.com/v2.0/.well-known/openid-configuration")
    assert answer.status_code == 400
    assert answer.json()["error_codes"] == [90002]


def test_an_unknown_resource_gets_no_token(servers: Servers) -> None:
    answer = application(servers).acquire_token_for_client(["https://elsewhere.example/.default"])
    assert answer["error_codes"] == [500011]


def test_instance_discovery_leads_to_the_tenants_configuration(servers: Servers) -> None:
    url = servers.urls["authority"]
    query = {"api-version": "1.1", "authorization_endpoint": f"{url}/t1/oauth2/v2.0/authorize"}
    with client(servers, "dataverse") as http:
        answer = http.get(f"{url}/common/discovery/instance", params=query)
    assert answer.json()["tenant_discovery_endpoint"] == f"{url}/t1/v2.0/.well-known/openid-configuration"


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_endpoint_without_a_version_takes_a_resource_and_writes_numbers_as_text(
    servers: Servers, slash: str
) -> None:
    settings = servers.environment()
    form = {
        "grant_type": "client_credentials",
        "client_id": settings["W365_DATAVERSE_CLIENT_ID"],
        "client_secret": settings["W365_DATAVERSE_CLIENT_SECRET"],
        "resource": servers.urls["dataverse"] + slash,
    }
    with client(servers, "dataverse") as http:
        token_url = f"{servers.urls['authority']}/{settings['W365_DATAVERSE_TENANT_ID']}/oauth2/token"
        answer = http.post(token_url, data=form).raise_for_status().json()
        http.headers["authorization"] = f"Bearer {answer['access_token']}"
        assert http.get("/api/data/v9.2/WhoAmI").status_code == 200
        assert int(answer["expires_on"]) - int(answer["not_before"]) == int(answer["expires_in"])
        assert answer["resource"] == form["resource"]
        scoped = {**form, "scope": form["resource"] + "/.default"}
        del scoped["resource"]
        assert http.post(token_url, data=scoped).json()["error_codes"] == [70011]
        assert http.post(token_url.replace("/token", "/v2.0/token"), data=form).json()["error_codes"] == [70011]
