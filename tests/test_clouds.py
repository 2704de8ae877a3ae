"""Microsoft's clouds: one setting moves addresses and whom tokens are for, and nothing contradicts it unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_config import environment, nowhere

from w365.config import Settings, load_settings
from w365.connection import CLOUDS, Cloud, Connection
from w365.crm.dataverse import connect_dataverse
from w365.errors import ConfigurationError
from w365.portals.partner_center.connector import user_scope
from w365.service.connecting.fields import fields_of

GLOBAL = "https://api.partnercenter.microsoft.com"
CHINA = "https://partner.partnercenterapi.microsoftonline.cn"


def read(home: Path, **changes: str) -> Settings:
    return load_settings(environment(home, **changes), nowhere(home))


def partner_center(settings: Settings) -> Connection:
    assert settings.partner_center is not None
    return settings.partner_center


@pytest.mark.parametrize(
    ("cloud", "authority", "service", "graph"),
    [
        ("", "https://login.microsoftonline.com", GLOBAL, "https://graph.microsoft.com"),
        ("global", "https://login.microsoftonline.com", GLOBAL, "https://graph.microsoft.com"),
        ("us_government", "https://login.microsoftonline.us", GLOBAL, "https://graph.microsoft.us"),
        ("us_defense", "https://login.microsoftonline.us", GLOBAL, "https://dod-graph.microsoft.us"),
        ("china", "https://login.partner.microsoftonline.cn", CHINA, "https://microsoftgraph.chinacloudapi.cn"),
    ],
)
def test_one_setting_moves_addresses_and_whom_tokens_are_for(
    home: Path, cloud: str, authority: str, service: str, graph: str
) -> None:
    settings = read(home, W365_CLOUD=cloud)
    connection = partner_center(settings)
    assert (connection.authority, connection.url, connection.graph_url) == (authority, service, graph)
    assert (connection.partner_center_audience, connection.graph_audience) == (service, graph)
    assert user_scope(connection) == f"{service}/user_impersonation"
    assert settings.dataverse is not None
    assert settings.dataverse.authority == authority
    assert fields_of("PARTNER_CENTER", settings.cloud)[0].default == service


def test_the_authority_alone_brings_its_cloud_along(home: Path) -> None:
    settings = read(home, W365_AUTHORITY="https://login.microsoftonline.us/")
    assert (settings.cloud, settings.graph_url) == (Cloud.US_GOVERNMENT, "https://graph.microsoft.us")
    settings = read(home, W365_AUTHORITY="https://login.chinacloudapi.cn")
    assert (settings.cloud, partner_center(settings).url) == (Cloud.CHINA, CHINA)
    assert settings.authority == "https://login.chinacloudapi.cn"


def test_an_address_of_ones_own_keeps_the_audience_of_the_cloud(home: Path) -> None:
    connection = partner_center(read(home, W365_CLOUD="china", W365_PARTNER_CENTER_URL="https://relay.example"))
    assert (connection.url, connection.partner_center_audience) == ("https://relay.example", CHINA)
    connection = partner_center(read(home, W365_GRAPH_URL="https://relay.example"))
    assert connection.graph_audience == "https://graph.microsoft.com"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"W365_CLOUD": "mars"}, "W365_CLOUD is none of global, us_government, us_defense, china."),
        (
            {"W365_CLOUD": "china", "W365_AUTHORITY": "https://login.microsoftonline.us"},
            "W365_AUTHORITY is the sign-in service of another cloud than W365_CLOUD.",
        ),
        (
            {"W365_PARTNER_CENTER_GDAP_CUSTOMERS": "maybe"},
            "W365_PARTNER_CENTER_GDAP_CUSTOMERS is neither on nor off.",
        ),
    ],
)
def test_a_cloud_that_is_none_or_contradicts_is_named(home: Path, changes: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(home, **changes)
    assert caught.value.what == named


@pytest.mark.parametrize(
    "url", ["https://org.crm.microsoftdynamics.us", "https://org.crm.appsplatform.us", "https://org.crm.dynamics.cn"]
)
def test_a_token_of_dataverse_is_for_the_environments_own_address(home: Path, url: str) -> None:
    settings = read(home, W365_CLOUD="us_government", W365_DATAVERSE_URL=f"{url}/")
    assert settings.dataverse is not None
    crm = connect_dataverse(settings.dataverse)
    assert crm._client._tokens._ask.__self__._scope == f"{url}/.default"  # type: ignore[attr-defined]
    crm.close()


def test_no_two_clouds_share_graph(home: Path) -> None:
    assert len({addresses.graph for addresses in CLOUDS.values()}) == len(CLOUDS)
