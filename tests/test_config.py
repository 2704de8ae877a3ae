"""Settings: each that is wrong is named, none of their secrets is told, and the environment wins."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from w365.config import DEMO_SERVED, load_entrance, load_settings, own_secret_key
from w365.entrance import SignInMode
from w365.errors import ConfigurationError

SECRET = "canary-9b1d"
TENANT = "3f0c9d52-1d0e-4a5e-9a57-6a4a6f0d9b10"


def environment(home: Path, **changes: str) -> dict[str, str]:
    values = {
        "W365_HOME": str(home),
        "W365_PARTNER_CENTER_TENANT_ID": TENANT,
        "W365_PARTNER_CENTER_CLIENT_ID": "client",
        "W365_PARTNER_CENTER_CLIENT_SECRET": SECRET,
        "W365_DATAVERSE_URL": "https://org.crm4.dynamics.com/",
        "W365_DATAVERSE_TENANT_ID": "contoso.onmicrosoft.com",
        "W365_DATAVERSE_CLIENT_ID": "client",
        "W365_DATAVERSE_CLIENT_SECRET": SECRET,
        "W365_DATABASE_URL": f"postgresql://user:{SECRET}@db/w365",
    }
    return values | changes


def nowhere(home: Path) -> Path:
    return home / "no-secrets.toml"


def test_a_full_environment_is_read(home: Path) -> None:
    settings = load_settings(environment(home), nowhere(home))
    assert (settings.home, settings.is_demo) == (home, False)
    assert settings.database_url == f"postgresql://user:{SECRET}@db/w365"
    assert settings.partner_center
    assert settings.partner_center.url == "https://api.partnercenter.microsoft.com"
    assert settings.partner_center.calls_per_minute == 500
    assert settings.dataverse
    assert settings.dataverse.url == "https://org.crm4.dynamics.com"
    assert settings.dataverse.authority == "https://login.microsoftonline.com"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("W365_PARTNER_CENTER_TENANT_ID", "not a tenant"),
        ("W365_PARTNER_CENTER_TENANT_ID", ""),
        ("W365_PARTNER_CENTER_CLIENT_SECRET", " "),
        ("W365_PARTNER_CENTER_URL", "http://api.partnercenter.microsoft.com"),
        ("W365_PARTNER_CENTER_CALLS_PER_MINUTE", "fast"),
        ("W365_PARTNER_CENTER_CALLS_PER_MINUTE", "-1"),
        ("W365_DATAVERSE_URL", ""),
        ("W365_DATAVERSE_URL", "org.crm4.dynamics.com"),
        ("W365_DATAVERSE_URL", f"https://user:{SECRET}@org.crm4.dynamics.com"),
        ("W365_DATAVERSE_URL", f"https://org.crm4.dynamics.com/?key={SECRET}"),
        ("W365_DATAVERSE_URL", "https://[::1"),
        ("W365_DATAVERSE_URL", "https://org:port"),
        ("W365_DATAVERSE_CLIENT_ID", ""),
        ("W365_AUTHORITY", "ftp://login.microsoftonline.com"),
        ("W365_CA_BUNDLE", "/no/such/file.pem"),
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_told(home: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment(home, **{name: value}), nowhere(home))
    assert name in str(caught.value)
    assert SECRET not in repr(caught.value) + str(caught.value)


def test_no_secret_is_in_the_repr_of_settings(home: Path) -> None:
    text = repr(load_settings(environment(home, W365_SECRET_KEY=SECRET), nowhere(home)))
    assert SECRET not in text
    assert "org.crm4.dynamics.com" in text


def test_without_connections_the_demo_runs_in_a_folder_and_database_of_its_own(home: Path) -> None:
    values = {"W365_HOME": str(home), "W365_DATABASE_URL": "postgresql://real/database"}
    settings = load_settings(values, nowhere(home))
    assert settings.is_demo
    assert settings.home == home / "demo"
    assert settings.database_url == f"sqlite:///{home / 'demo' / 'w365.db'}"


def test_the_demos_own_processes_never_use_the_real_database(home: Path) -> None:
    settings = load_settings(environment(home, **{DEMO_SERVED: "1"}), nowhere(home))
    assert settings.is_demo
    assert settings.database_url.startswith("sqlite:///")


def test_one_connection_alone_is_no_demo(home: Path) -> None:
    values = {name: value for name, value in environment(home).items() if "DATAVERSE" not in name}
    settings = load_settings(values, nowhere(home))
    assert (settings.is_demo, settings.dataverse) == (False, None)


def test_the_environment_wins_over_the_secrets_file(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text(
        'W365_DATAVERSE_CLIENT_ID = "from file"\nW365_SECRET_KEY = "file key"\nother = 1\n[W365_x]\na = 1\n'
    )
    settings = load_settings(environment(home), file)
    assert settings.dataverse
    assert (settings.dataverse.client_id, settings.secret_key) == ("client", "file key")
    values = environment(home)
    del values["W365_DATAVERSE_CLIENT_ID"]
    found = load_settings(values, file).dataverse
    assert found
    assert found.client_id == "from file"


@pytest.mark.parametrize(
    ("content", "line"),
    [(f'a = 1\nW365_SECRET_KEY = "{SECRET}\n'.encode(), "(line 2)"), (b"\xff\xfe" + SECRET.encode(), "is not valid")],
)
def test_a_broken_secrets_file_is_named_with_its_line_only(
    home: Path, tmp_path: Path, content: bytes, line: str
) -> None:
    file = tmp_path / "secrets.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment(home), file)
    assert str(file) in str(caught.value)
    assert line in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_secret_key_is_made_once_and_is_its_owners_alone(home: Path) -> None:
    first = load_settings({"W365_HOME": str(home)}, nowhere(home))
    again = load_settings({"W365_HOME": str(home)}, nowhere(home))
    assert first.secret_key == again.secret_key
    assert len(first.secret_key) >= 32
    assert (first.home / "secret.key").stat().st_mode & 0o077 == 0


def test_a_key_that_is_just_being_written_is_waited_for(home: Path) -> None:
    path = home / "secret.key"
    home.mkdir()
    path.touch()
    writing = threading.Timer(0.1, path.write_text, ["the key"])
    writing.start()
    assert load_settings(environment(home), nowhere(home)).secret_key == "the key"
    writing.join()


def test_an_empty_key_is_refused(home: Path) -> None:
    home.mkdir()
    (home / "secret.key").touch()
    waited: list[float] = []
    with pytest.raises(ConfigurationError, match=r"secret\.key is empty"):
        own_secret_key(home, waited.append)
    assert sum(waited) == pytest.approx(1.0)  # for a process that may be writing it


def test_a_home_that_is_no_folder_is_said_so(home: Path) -> None:
    home.touch()
    with pytest.raises(ConfigurationError, match="W365_HOME"):
        load_settings(environment(home), home.with_name("none.toml"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_key_that_cannot_be_read_is_said_so(home: Path) -> None:
    home.mkdir()
    (home / "secret.key").touch(0o000)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(environment(home), nowhere(home))


# --- who may come in ---


def test_nothing_is_signed_in_to_and_no_proxy_trusted_unless_told(home: Path) -> None:
    settings = load_settings(environment(home), nowhere(home))
    assert (settings.sign_in, settings.public_url, settings.entrance.trusted_proxies) == (SignInMode.LOCAL, "", ())
    assert settings.entrance == load_entrance({}, nowhere(home))


def test_the_settings_of_a_proxy_are_read(home: Path) -> None:
    told = {
        "W365_SIGN_IN": "proxy",
        "W365_TRUSTED_PROXIES": "10.0.0.7, 10.1.0.0/16,::1",
        "W365_PUBLIC_URL": "https://W365.Example:443/w365/",
        "W365_USER_HEADER": "Remote-User",
    }
    entrance = load_settings(environment(home, **told), nowhere(home)).entrance
    assert entrance.sign_in is SignInMode.PROXY
    assert [str(network) for network in entrance.trusted_proxies] == ["10.0.0.7/32", "10.1.0.0/16", "::1/128"]
    assert (entrance.public_url, entrance.public_origin) == ("https://W365.Example:443/w365", "https://w365.example")
    assert entrance.identity_headers == ("remote-user", "x-forwarded-groups", "x-forwarded-preferred-username")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("http://[::1]:8501", "http://[::1]:8501"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert load_entrance({"W365_PUBLIC_URL": url}, Path("none.toml")).public_origin == origin


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("W365_SIGN_IN", "Local"),
        ("W365_SIGN_IN", "proxy"),  # without trusted proxies
        ("W365_TRUSTED_PROXIES", "proxy.example"),
        ("W365_TRUSTED_PROXIES", "10.0.0.7/16"),
        ("W365_USER_HEADER", "X User"),
        ("W365_GROUPS_HEADER", "X-Groups:"),
        ("W365_NAME_HEADER", "X_Näme"),
        ("W365_PUBLIC_URL", "w365.example"),
        ("W365_PUBLIC_URL", "https://"),
        ("W365_PUBLIC_URL", "https://me@w365.example"),
        ("W365_PUBLIC_URL", "https://w365.example/?a=b"),
        ("W365_PUBLIC_URL", "https://w365.example:99999"),
        ("W365_PUBLIC_URL", "https://w365..example"),
    ],
)
def test_a_wrong_setting_of_the_entrance_is_named(home: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"W365_(TRUSTED|USER|GROUPS|NAME|PUBLIC|SIGN)") as caught:
        load_entrance({name: value}, nowhere(home))
    assert name in str(caught.value) or value == "proxy"


def test_a_subject_copied_from_a_page_is_the_subject(tmp_path: Path) -> None:
    copied = environment(tmp_path, W365_ADMINS=" https:\u2060//id.example#ann , proxy#bo,")
    assert load_settings(copied, tmp_path / "none.toml").people.admins == {"https://id.example#ann", "proxy#bo"}


@pytest.mark.parametrize(("text", "calls"), [("", 600), ("0", 0), ("999999", 999_999)])
def test_how_often_a_program_may_call_is_a_whole_number(home: Path, text: str, calls: int) -> None:
    settings = load_settings(environment(home, W365_API_CALLS_PER_MINUTE=text), nowhere(home))
    assert settings.api_calls_per_minute == calls


@pytest.mark.parametrize("text", ["-1", "1.5", "many", "1000000", "²"])
def test_another_is_named(home: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="W365_API_CALLS_PER_MINUTE is no whole number"):
        load_settings(environment(home, W365_API_CALLS_PER_MINUTE=text), nowhere(home))
