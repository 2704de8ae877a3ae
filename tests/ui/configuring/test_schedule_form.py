"""Daily syncs on the pages: set by an admin on Configuration, said on Providers and on the Overview."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import trustme
from fault_server import Answer, bench
from stage import ADMIN, OnStage, World
from streamlit.testing.v1 import AppTest

from w365.addresses import AddressRange
from w365.channels import Channels
from w365.service.syncing.schedules import Daily, get_schedule, save_schedules
from w365.ui.frame import app_runtime

NEXT = "Next sync"


def captions(test: AppTest) -> str:
    return " ".join(str(one.value) for one in test.caption)


def toggle(test: AppTest, name: str) -> object:
    return next(one for one in test.toggle if one.label == f"Sync {name} daily")


def test_an_admin_switches_a_daily_sync_on_in_a_zone_and_every_page_says_when_it_comes(world: World) -> None:
    world.sync()
    test = world.open("providers")
    assert captions(test).count("No daily sync is set\\.") == 2
    test = world.open("configuration")
    toggle(test, "Partner Center").set_value(True)  # type: ignore[attr-defined]
    test.time_input[0].set_value(dt.time(5, 30))
    next(one for one in test.selectbox if one.label == "Time zone").set_value("Asia/Kathmandu")
    next(one for one in test.button if one.label == "Save daily syncs").click()
    test.run()
    assert not test.exception
    assert [one.value for one in test.success] == ["2 changes saved."]
    assert "Next 20" in captions(test) or "Next 23:45" in captions(test)
    saved = get_schedule(world.service, ADMIN, "1")
    assert saved.daily == Daily(is_on=True, at=dt.time(5, 30))
    assert f"{saved.due_at:%H:%M}" == "23:45"
    changes = test.dataframe[-1].value
    assert list(changes["Setting"][:2]) == ["Daily sync of Partner Center", "Time zone of daily syncs"]
    on_cards = captions(world.open("providers"))
    assert on_cards.count(NEXT) == 1
    assert "daily at 05\\:30 Asia\\/Kathmandu" in on_cards
    assert captions(world.open("overview")).count(NEXT) == 1


def test_what_is_saved_is_what_the_form_shows(world: World) -> None:
    save_schedules(world.service, ADMIN, {"crm": Daily(is_on=True, at=dt.time(22))})
    test = world.open("configuration")
    assert toggle(test, "CRM").value is True  # type: ignore[attr-defined]
    assert [one.value for one in test.time_input] == [dt.time(6), dt.time(22)]


def test_an_admin_sends_a_test_and_is_told_of_each_channel_how_it_went(world: World, tmp_path: Path) -> None:
    assert "Nobody is told how they went" in captions(world.open("configuration"))
    with bench(tmp_path, trustme.CA()) as place:
        server = place.serve(lambda _: Answer(b"", 403))
        channels = Channels(webhook_url=f"https://127.0.0.1:{server.port}/secret-path", allowed=AddressRange.LOOPBACK)
        check_a_test_that_fails(world, channels, place.ca_bundle)
        assert server.paths() == ["/secret-path"]


def check_a_test_that_fails(world: World, channels: Channels, ca_bundle: str) -> None:
    settings = dataclasses.replace(world.service.settings, channels=channels, ca_bundle=ca_bundle)
    service = dataclasses.replace(world.service, settings=settings)
    app_runtime.use(OnStage(service))  # type: ignore[arg-type]
    test = world.open("configuration")
    next(one for one in test.button if one.label == "Send a test").click()
    test.run(timeout=30)
    assert "a webhook at 127\\.0\\.0\\.1" in " ".join(str(one.value) for one in test.markdown)
    (error,) = test.error
    assert error.value.startswith("**The test was not sent by webhook.** The webhook at 127\\.0\\.0\\.1\\:")
    assert "secret" not in str(test)
