"""Connections that the page stores: their secrets stay encrypted, the environment wins, the demo takes none."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import sqlalchemy as sa
from connection_steps import ADMIN, CANARY, KEY, ONE, PARTS, bytes_of, missing, opened, parts_for

from tests.servers import running
from w365.config import load_settings
from w365.connection import REACHES, parts_of
from w365.demo.servers import DATAVERSE_CLIENT_ID, PARTNER_CENTER_CLIENT_ID
from w365.errors import ConfigurationError, InputError
from w365.jobs import execute_run
from w365.log import RedactingFormatter, secrets_of
from w365.model import ProviderKind, RunState
from w365.service import Service
from w365.service.bootstrap import open_service
from w365.service.configuring.settings import list_changes
from w365.service.connecting.stored_connections import (
    add_provider,
    get_connection,
    remove_connection,
    rotate_secrets,
    save_connection,
)
from w365.service.own_data import can_return_to_demo, leave_demo, return_to_demo
from w365.service.syncing.providers import get_crm, list_providers, verify_crm, verify_provider
from w365.service.syncing.runs import request_crm_sync, request_sync
from w365.store import tables as t
from w365.store.runs import CRM


def test_connections_stored_by_the_page_are_verified_and_synced_and_their_secret_is_nowhere_to_be_found(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    with running(tmp_path / "demo") as servers:
        trust = {"W365_AUTHORITY": servers.urls["authority"], "W365_CA_BUNDLE": str(servers.ca_bundle)}
        service = opened(home, **trust)
        pace = {"CALLS_PER_MINUTE": "0"}
        save_connection(service, ADMIN, ONE, parts_for(servers, "partner_center", PARTNER_CENTER_CLIENT_ID) | pace)
        save_connection(service, ADMIN, CRM, parts_for(servers, "dataverse", DATAVERSE_CLIENT_ID))
        second = parts_for(servers, "partner_center", PARTNER_CENTER_CLIENT_ID)
        add_provider(service, ADMIN, ProviderKind.PARTNER_CENTER, "Partner Center south", second)
        assert verify_provider(service, ADMIN, "Partner Center south")[1] == "Customers can be listed."
        assert verify_crm(service, ADMIN)[-1] == "Contacts can be read."
        names = ("Partner Center", "Partner Center south")
        requested = [request_crm_sync(service, ADMIN), *(request_sync(service, ADMIN, name) for name in names)]
        assert {execute_run(service, one).state for one in requested} == {RunState.DONE}
        told = f"{get_connection(service, ADMIN, ONE)} {list_changes(service, ADMIN)} {service}"
        service.store.close()
    assert servers.client_secret.encode() not in bytes_of(home)
    assert servers.client_secret not in told


def test_what_changed_is_on_record_with_who_and_a_secret_only_as_changed(tmp_path: Path) -> None:
    service = opened(tmp_path)
    save_connection(service, ADMIN, ONE, PARTS)
    assert save_connection(service, ADMIN, ONE, PARTS | {"CLIENT_SECRET": "", "CALLS_PER_MINUTE": "60"}) == 1
    changes = [(one.actor, one.name.split(": ")[-1], one.old_value, one.value) for one in list_changes(service, ADMIN)]
    assert changes[0] == ("ada", "Calls per minute", "", "60")
    assert ("ada", "Client secret", "none", "changed") in changes
    assert CANARY not in str(changes)
    view = get_connection(service, ADMIN, ONE)
    assert (view.has_secret, view.changed_by, view.parts["TENANT_ID"]) == (True, "ada", "partner.example")
    assert CANARY not in repr(view)
    service.store.close()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"URL": "http://pc.example"}, "Address must be a plain https:// address."),
        ({"TENANT_ID": "no tenant"}, "Tenant is neither a GUID nor a domain name."),
        ({"CLIENT_SECRET": ""}, "The connection needs Client secret as well."),
        ({"SIGN_IN": "magic"}, "Sign-in is none of app, app_user."),
        ({"CALLS_PER_MINUTE": "fast"}, "Calls per minute must be a whole number"),
    ],
)
def test_a_wrong_part_is_named_and_nothing_stored(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    service = opened(tmp_path)
    with pytest.raises(InputError) as caught:
        save_connection(service, ADMIN, ONE, PARTS | changes)
    assert caught.value.what.startswith(said)
    assert CANARY not in str(caught.value)
    assert not get_connection(service, ADMIN, ONE).parts
    service.store.close()


def test_a_stored_secret_in_use_is_kept_out_of_the_log(tmp_path: Path) -> None:
    service = opened(tmp_path)
    save_connection(service, ADMIN, ONE, PARTS | {"CLIENT_SECRET": "canary-of-the-log"})
    with service.open_portal("Partner Center", lambda: None):
        formatter = RedactingFormatter(secrets_of(service.settings))
    record = logging.LogRecord("w365", logging.INFO, "", 0, "they sent canary-of-the-log back", (), None)
    assert formatter.format(record).endswith("they sent *** back")
    service.store.close()


@pytest.mark.parametrize("part", ["URL", "TENANT_ID", "CLIENT_ID"])
def test_a_stored_secret_is_not_sent_to_another_place(tmp_path: Path, part: str) -> None:
    """Whoever may change the address must not get the secret: neither on the page nor in the database."""
    elsewhere = {"URL": "https://thief.example", "TENANT_ID": "thief.example", "CLIENT_ID": "thief"}[part]
    service = opened(tmp_path)
    save_connection(service, ADMIN, ONE, PARTS)
    with pytest.raises(InputError, match="The client secret is needed again"):
        save_connection(service, ADMIN, ONE, PARTS | {"CLIENT_SECRET": "", part: elsewhere})
    with service.store.write() as database:
        values = {name: text for name, text in PARTS.items() if name != "CLIENT_SECRET"} | {part: elsewhere}
        database.execute(sa.update(t.StoredConnection).values(parts=values))
    assert "cannot be read" in missing(service)["Partner Center"]
    service.store.close()


def test_a_lost_key_is_a_clear_sentence_and_the_old_one_brings_everything_back(tmp_path: Path) -> None:
    service = opened(tmp_path)
    save_connection(service, ADMIN, ONE, PARTS)
    save_connection(service, ADMIN, CRM, PARTS)
    service.store.close()
    other = "another key that is long enough too"
    lost = opened(tmp_path, W365_SECRET_KEY=other)
    assert missing(lost)["Partner Center"] == (
        "The stored secret of Partner Center cannot be read: it was encrypted with another W365_SECRET_KEY, or was "
        "changed. Everything else is kept. Set the key it was encrypted with as W365_SECRET_KEY, or as "
        "W365_SECRET_KEY_OLD beside the new one, or enter the secret again on the Providers page."
    )
    assert "The stored secret of the CRM cannot be read" in get_crm(lost, ADMIN).missing
    with pytest.raises(ConfigurationError, match="The stored secret of Partner Center"):
        request_sync(lost, ADMIN, "Partner Center")
    assert rotate_secrets(lost, ADMIN) == (0, ["CRM", "Partner Center"])
    lost.store.close()
    for both in ({"W365_SECRET_KEY": other, "W365_SECRET_KEY_OLD": KEY}, {"W365_SECRET_KEY": f"{other}, {KEY}"}):
        back = opened(tmp_path, **both)
        assert missing(back)["Partner Center"] == ""
        back.store.close()


def test_rotating_encrypts_with_the_new_key_so_that_the_old_one_can_go(tmp_path: Path) -> None:
    service = opened(tmp_path)
    save_connection(service, ADMIN, ONE, PARTS)
    service.store.close()
    other = "another key that is long enough too"
    rotating = opened(tmp_path, W365_SECRET_KEY=f"{other},{KEY}")
    assert rotate_secrets(rotating, ADMIN) == (1, [])
    assert rotate_secrets(rotating, ADMIN) == (0, [])
    rotating.store.close()
    alone = opened(tmp_path, W365_SECRET_KEY=other)
    assert missing(alone)["Partner Center"] == ""
    alone.store.close()


def test_the_key_made_in_the_data_folder_goes_on_reading_when_another_is_set(tmp_path: Path) -> None:
    service = opened(tmp_path, W365_SECRET_KEY="")
    save_connection(service, ADMIN, ONE, PARTS)
    service.store.close()
    keyed = opened(tmp_path)
    assert missing(keyed)["Partner Center"] == ""
    assert rotate_secrets(keyed, ADMIN) == (1, [])
    keyed.store.close()


def test_an_address_that_is_not_called_is_refused_by_its_field_when_it_is_saved(tmp_path: Path) -> None:
    service = opened(tmp_path, W365_ALLOW_PRIVATE_ADDRESSES="off")
    save_connection(service, ADMIN, ONE, PARTS)
    kept = "The connection was not changed."
    sentences = {
        "https://169.254.169.254": "Address leads to 169.254.169.254, the metadata service of a cloud. "
        f"{kept} Give the address of the service itself; this one is never called.",
        "https://10.0.0.5": f"Address leads to 10.0.0.5, a private address. {kept} Give a public address, "
        "or set W365_ALLOW_PRIVATE_ADDRESSES=on where this machine shall call its own network.",
        "https://u@pc.example": f"Address must be a plain https:// address. {kept} Nothing was sent. Correct it.",
    }
    for target in (ONE, CRM):
        for url, sentence in sentences.items():
            with pytest.raises(InputError) as refusal:
                save_connection(service, ADMIN, target, PARTS | {"URL": url})
            assert str(refusal.value) == sentence
    assert get_connection(service, ADMIN, ONE).parts["URL"] == PARTS["URL"]
    service.store.close()
    near = opened(tmp_path, W365_ALLOW_PRIVATE_ADDRESSES="on")
    save_connection(near, ADMIN, ONE, PARTS | {"URL": "https://10.0.0.5"})
    near.store.close()
    again = opened(tmp_path, W365_ALLOW_PRIVATE_ADDRESSES="off")
    with pytest.raises(ConfigurationError, match=r"Address leads to 10\.0\.0\.5, a private address"):
        request_sync(again, ADMIN, "Partner Center")
    again.store.close()


def test_a_short_key_encrypts_nothing(tmp_path: Path) -> None:
    service = opened(tmp_path, W365_SECRET_KEY="short")
    with pytest.raises(ConfigurationError, match="W365_SECRET_KEY is too short to encrypt with"):
        save_connection(service, ADMIN, ONE, PARTS)
    assert not get_connection(service, ADMIN, ONE).has_secret
    service.store.close()


def test_the_environment_wins_and_what_it_sets_cannot_be_changed_here(tmp_path: Path) -> None:
    service = opened(tmp_path)
    save_connection(service, ADMIN, ONE, PARTS)
    service.store.close()
    environment = {
        f"W365_PARTNER_CENTER_{part}": text
        for part, text in (PARTS | {"URL": "https://env.example", "CLIENT_SECRET": "of the environment"}).items()
    }
    set_outside = opened(tmp_path, **environment)
    view = get_connection(set_outside, ADMIN, ONE)
    assert (view.is_environments, view.parts["URL"]) == (True, "https://env.example")
    for change in (
        lambda: save_connection(set_outside, ADMIN, ONE, PARTS),
        lambda: remove_connection(set_outside, ADMIN, ONE),
    ):
        with pytest.raises(InputError, match="is set by the environment, which wins"):
            change()
    assert [one.name for one in list_providers(set_outside, ADMIN)] == ["Partner Center"]
    set_outside.store.close()
    again = opened(tmp_path)
    assert get_connection(again, ADMIN, ONE).parts["URL"] == "https://pc.example"
    assert missing(again)["Partner Center"] == ""
    again.store.close()


def test_the_environments_connection_never_takes_over_the_rows_of_another_application(tmp_path: Path) -> None:
    service = opened(tmp_path)
    save_connection(service, ADMIN, ONE, PARTS)
    service.store.close()
    environment = {f"W365_PARTNER_CENTER_{part}": text for part, text in (PARTS | {"CLIENT_ID": "client-2"}).items()}
    for _ in range(2):
        both = opened(tmp_path, **environment)
        assert missing(both) == {"Partner Center": "", "Partner Center (2)": ""}
        assert get_connection(both, ADMIN, "2").is_environments
        assert not get_connection(both, ADMIN, ONE).is_environments
        both.store.close()


def test_removing_keeps_what_was_synced_and_takes_an_unused_provider_away(tmp_path: Path) -> None:
    with running(tmp_path / "demo") as servers:
        trust = {"W365_AUTHORITY": servers.urls["authority"], "W365_CA_BUNDLE": str(servers.ca_bundle)}
        service = opened(tmp_path / "home", **trust)
        parts = parts_for(servers, "partner_center", PARTNER_CENTER_CLIENT_ID)
        names = ("Used", "Unused")
        used, unused = (add_provider(service, ADMIN, ProviderKind.PARTNER_CENTER, name, parts) for name in names)
        execute_run(service, request_sync(service, ADMIN, "Used"))
    assert remove_connection(service, ADMIN, str(unused))
    assert not remove_connection(service, ADMIN, str(used))
    left = {one.name: one.accounts for one in list_providers(service, ADMIN)}
    assert left == {"Partner Center": 0, "Used": 5}
    assert missing(service)["Used"].startswith("Not connected.")
    with service.store.read() as database:
        assert database.scalar(sa.select(sa.func.count()).select_from(t.StoredConnection)) == 0
    service.store.close()


def test_the_demo_takes_no_connection_and_is_left_and_found_again(tmp_path: Path) -> None:
    def started() -> Service:
        return open_service(load_settings({"W365_HOME": str(tmp_path)}, tmp_path / "none.toml"))

    demo = started()
    assert demo.settings.is_demo
    with pytest.raises(InputError, match="This is the demo"):
        save_connection(demo, ADMIN, ONE, PARTS)
    with pytest.raises(InputError, match="This is the demo"):
        add_provider(demo, ADMIN, ProviderKind.PAX8, "Mine", PARTS)
    leave_demo(demo, ADMIN)
    own = started()
    assert (own.settings.is_demo, own.settings.home) == (False, tmp_path)
    assert own.settings.database_url != demo.settings.database_url
    assert can_return_to_demo(own, ADMIN)
    return_to_demo(own, ADMIN)
    assert started().settings.is_demo
    leave_demo(demo, ADMIN)
    save_connection(own, ADMIN, ONE, PARTS)
    assert not can_return_to_demo(own, ADMIN)
    with pytest.raises(InputError, match="There is data of your own here"):
        return_to_demo(own, ADMIN)
    for service in (demo, own):
        service.store.close()


def test_a_wrong_choice_about_the_demo_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="W365_DEMO is neither on nor off"):
        load_settings({"W365_HOME": str(tmp_path), "W365_DEMO": "maybe"}, tmp_path / "none.toml")


def test_every_setting_of_a_service_has_an_input_with_words() -> None:
    from w365.service.connecting.fields import fields_of

    for setting in REACHES:
        found = fields_of(setting)
        assert [one.part for one in found] == list(parts_of(setting))
        assert all(one.label and one.help for one in found)
        assert [one.part for one in found if one.is_secret] == ["CLIENT_SECRET"]
