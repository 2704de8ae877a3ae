from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa
from stage import ADMIN, HOSTILE, OnStage, World, text_of
from streamlit.testing.v1 import AppTest

from w365.errors import ConfigurationError
from w365.jobs import execute_run
from w365.model import RunKind, RunState
from w365.service.configuring.settings import get_settings, list_changes, set_setting
from w365.service.deciding.bulk_run import confirm_plan
from w365.service.deciding.collaboration import set_owner
from w365.service.deciding.undo import Undoable, preview_undo
from w365.service.insight.statistics import read_statistics
from w365.service.syncing.providers import PARTNER_CENTER, get_crm, list_providers
from w365.service.syncing.runs import list_runs, request_match, request_sync
from w365.store.runs import Progress, claim_run
from w365.store.tables import Visit
from w365.ui.frame import app_runtime, pages
from w365.ui.frame.wording import plain

PAGES = (
    *("overview", "review", "account", "conflicts", "subscriptions", "statistics", "audit", "quality", "activity"),
    *("providers", "import", "configuration", "onboarding", "people"),
)


ABOUT_PROVIDER_ACCOUNTS = ("review", "provider_accounts", "conflicts", "statistics", "audit", "quality")


def test_every_page_is_opened_here_but_the_grid_s() -> None:
    assert sorted([*PAGES, "provider_accounts"]) == sorted(page.place for page in pages.PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_before_anything_was_synced(world: World, page: str) -> None:
    test = world.open(page)
    assert not test.exception
    assert not test.error
    says_next_step = "There are no provider accounts yet." in text_of(test)
    assert says_next_step == (page in ABOUT_PROVIDER_ACCOUNTS)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_data_and_shows_names_as_text(world: World, page: str) -> None:
    world.sync()
    test = world.open(page)
    assert not test.exception
    assert not test.error
    assert HOSTILE not in text_of(test)


@pytest.mark.parametrize("page", PAGES)
def test_what_keeps_the_app_from_starting_is_one_sentence_on_every_page(page: str, world: World) -> None:
    app_runtime.use(OnStage(None, ConfigurationError("W365_DATAVERSE_URL is wrong.", do="Correct it.")))  # type: ignore[arg-type]
    test = world.open(page)
    assert not test.exception
    assert [error.value for error in test.error] == ["**W365\\_DATAVERSE\\_URL is wrong\\.** Correct it\\."]
    assert not test.metric


def test_the_overview_says_the_three_first_steps_until_they_are_done(world: World) -> None:
    assert "Three steps to the first mappings" in text_of(world.open("overview"))
    world.sync()
    assert "Three steps to the first mappings" not in text_of(world.open("overview"))


def test_the_numbers_of_the_overview_are_those_of_the_statistics(world: World) -> None:
    world.sync()
    totals = read_statistics(world.service, ADMIN).totals
    assert (totals.mapped, totals.unmapped) == (20, 10)
    shown = {one.label: one.value for one in world.open("overview").metric}
    assert shown == {"Need a decision": "10", "Match rate": "66.7 %", "Conflicts": "0", "Blocked seats": "0"}


def test_the_overview_leads_to_the_page_of_what_there_is_to_do(world: World) -> None:
    world.crm.twins = ["c0.de"]
    world.sync()
    links = {
        one.proto.label: (one.proto.page, one.proto.query_string) for one in world.open("overview").get("page_link")
    }
    assert links[":primary[Open conflicts]"] == ("conflicts", "")
    assert links[":primary[Open unmapped]"] == ("provider_accounts", "status=unmapped")


def test_a_click_after_somebody_elses_shows_who_started_the_run_and_starts_none(world: World) -> None:
    test = world.open("providers")
    request_sync(world.service, ADMIN, PARTNER_CENTER)  # by somebody else, after the page was drawn
    next(one for one in test.button if one.label == "Sync provider accounts").click().run()
    assert "started by ana" in text_of(test)
    assert len([run for run in list_runs(world.service, ADMIN) if run.kind is RunKind.SYNC]) == 1


def test_a_click_on_sync_leaves_a_run_for_the_worker_and_shows_it(world: World) -> None:
    test = world.open("providers")
    next(one for one in test.button if one.label == "Sync provider accounts").click().run()
    run = list_providers(world.service, ADMIN)[0].last
    assert run is not None
    assert run.state is RunState.QUEUED
    assert any(one.label == "Cancel" for one in test.button)


def test_a_waiting_run_can_be_cancelled(world: World) -> None:
    request_sync(world.service, ADMIN, PARTNER_CENTER)
    test = world.open("providers")
    next(one for one in test.button if one.label == "Cancel").click().run()
    run = list_providers(world.service, ADMIN)[0].last
    assert run is not None
    assert run.state is RunState.CANCELLED


def test_a_run_that_is_being_stopped_says_so_at_once_and_by_whom(world: World) -> None:
    run_id = request_sync(world.service, ADMIN, PARTNER_CENTER)
    with world.service.store.write() as connection:
        claim_run(connection, run_id, world.service.clock())
    test = world.open("providers")
    next(one for one in test.button if one.label == "Cancel").click().run()
    assert plain("; it ends at its next look.") in text_of(test)
    stopped = list_providers(world.service, ADMIN)[0].last
    assert stopped is not None
    assert plain(f", by {stopped.cancel_by};") in text_of(test)
    assert not any(one.label == "Cancel" for one in test.button)


def test_why_a_sync_stands_still_is_said_beside_its_progress(world: World) -> None:
    run_id = request_sync(world.service, ADMIN, PARTNER_CENTER)
    with world.service.store.write() as connection:
        claim_run(connection, run_id, world.service.clock())
    wait = "Waiting 57 seconds: Partner Center asked for a pause of 57 seconds."
    Progress(world.service.store, run_id, world.service.clock).say(wait)
    assert any(plain(wait) in one.value for one in world.open("providers").caption)


def test_customers_that_vanish_are_confirmed_by_a_person_only(world: World) -> None:
    world.sync()
    del world.portal.customers[:15]
    execute_run(world.service, request_sync(world.service, ADMIN, PARTNER_CENTER))
    test = world.open("providers")
    assert "15 of 30 customers are missing" in text_of(test)
    assert list_providers(world.service, ADMIN)[0].gone == 0
    next(one for one in test.button if one.label == "Confirm that 15 customers left…").click().run()
    assert "**15 customers** will be marked as gone" in text_of(test)
    assert list_providers(world.service, ADMIN)[0].gone == 0


def test_a_run_that_failed_for_another_reason_offers_no_confirmation(world: World) -> None:
    world.sync()
    world.portal.pages = _broken  # type: ignore[method-assign]
    execute_run(world.service, request_sync(world.service, ADMIN, PARTNER_CENTER))
    test = world.open("providers")
    assert "The run failed for a reason nobody foresaw" in text_of(test)
    assert not [one for one in test.button if one.label.startswith("Confirm that")]


def _broken(_cursor: str | None = None) -> object:
    raise ZeroDivisionError


def test_switching_auto_match_off_is_confirmed_first(world: World) -> None:
    world.sync()
    test = world.open("configuration")
    test.toggle[0].set_value(False).run()
    assert get_settings(world.service, ADMIN)["auto_match"] == "true"
    assert "nothing is mapped by itself" in text_of(test)
    next(one for one in test.button if one.label == "Switch off").click().run()
    assert get_settings(world.service, ADMIN)["auto_match"] == "false"
    assert "Auto-Match is off" in text_of(test)


def test_what_others_may_read_stands_on_the_configuration_page(world: World) -> None:
    assert not world.open("configuration").warning
    world.service.settings.home.chmod(0o1777)
    [told] = world.open("configuration").warning
    assert "Others on this machine may be able to read" in told.value
    assert "for many uses" in told.value


def test_no_button_of_the_configuration_goes_while_a_run_is_under_way(world: World) -> None:
    """What is below would move up under the pointer, and down again at the run's end."""
    set_setting(world.service, ADMIN, "auto_match", "false")
    world.sync()
    at_rest = world.open("configuration")
    request_match(world.service, ADMIN)
    busy = world.open("configuration")
    assert "A run is under way" in text_of(busy)
    assert [button.label for button in busy.button] == [button.label for button in at_rest.button]
    preview = next(button for button in busy.button if button.label == "Preview")
    assert preview.disabled


def test_leaving_auto_match_as_it_is_changes_nothing(world: World) -> None:
    test = world.open("configuration")
    test.toggle[0].set_value(False).run()
    next(one for one in test.button if one.label == "Leave it as it is").click().run()
    assert get_settings(world.service, ADMIN)["auto_match"] == "true"
    assert test.toggle[0].value is True


def test_a_rule_is_saved_only_after_its_effect_was_shown(world: World) -> None:
    set_setting(world.service, ADMIN, "auto_match", "false")
    world.sync()
    test = world.open("configuration")
    next(one for one in test.toggle if one.label.startswith("2.")).set_value(False)
    next(one for one in test.button if one.label == "Check the effect").click().run()
    assert "**0 provider accounts** (as set now: 20)" in text_of(test)
    assert get_settings(world.service, ADMIN)["rule_contact_domain"] == "true"
    changes = len(list_changes(world.service, ADMIN))
    next(one for one in test.button if one.label == "Save").click().run()
    assert get_settings(world.service, ADMIN)["rule_contact_domain"] == "false"
    assert len(list_changes(world.service, ADMIN)) == changes + 1


def test_a_discarded_change_leaves_no_trace(world: World) -> None:
    world.sync()
    test = world.open("configuration")
    next(one for one in test.toggle if one.label.startswith("2.")).set_value(False)
    next(one for one in test.button if one.label == "Check the effect").click().run()
    changes = list_changes(world.service, ADMIN)
    next(one for one in test.button if one.label == "Discard").click().run()
    assert "Save this change?" not in text_of(test)
    assert list_changes(world.service, ADMIN) == changes


def test_a_wrong_domain_is_refused_with_its_name_and_the_list_is_kept(world: World) -> None:
    test = world.open("configuration")
    test.text_area[1].set_value("not a domain!")
    next(one for one in test.button if one.label == "Check the effect" and "excluded" in one.form_id).click().run()
    assert "Not a domain name" in text_of(test)


def test_stale_data_is_loud_on_every_page(world: World) -> None:
    world.sync()
    late = world.service.clock().replace(year=2099)
    old = dataclasses.replace(world.service, clock=lambda: late)
    app_runtime.use(OnStage(old))  # type: ignore[arg-type]
    assert "is more than a day old" in text_of(world.open("activity"))


def test_a_failed_sync_is_loud_on_every_page_and_the_old_numbers_stay(world: World) -> None:
    world.sync()
    world.portal.pages = _broken  # type: ignore[method-assign]
    execute_run(world.service, request_sync(world.service, ADMIN, PARTNER_CENTER))
    test = world.open("overview")
    assert "Partner Center could not be synced" in text_of(test)
    assert next(one.value for one in test.metric if one.label == "Need a decision") == "10"


def test_an_unforeseen_error_becomes_a_box_with_a_reference(world: World) -> None:
    world.sync()
    broken = dataclasses.replace(world.service, store=None)  # type: ignore[arg-type]
    app_runtime.use(OnStage(broken))  # type: ignore[arg-type]
    test = world.open("activity")
    assert not test.exception
    assert "nobody foresaw (reference" in text_of(test)
    assert "NoneType" not in text_of(test)


def test_the_crm_card_and_the_match_card_show_results(world: World) -> None:
    world.sync()
    execute_run(world.service, request_match(world.service, ADMIN))
    text = text_of(world.open("providers"))
    assert get_crm(world.service, ADMIN).accounts == 20
    assert "accounts 20 new" in text
    assert "mapped by this run" in text


def test_the_overview_says_what_came_since_the_last_visit(world: World) -> None:
    world.open("overview")
    with world.service.store.write() as connection:
        long_ago = world.service.clock() - dt.timedelta(days=1)
        connection.execute(sa.update(Visit).values(last_at=long_ago))
    world.sync()
    test = world.open("overview")
    assert "**30** new since your last visit" in text_of(test)
    with world.service.store.write() as connection:
        connection.execute(sa.update(Visit).values(last_at=world.service.clock(), before_at=world.service.clock()))
    assert "since your last visit" not in text_of(world.open("overview"))


def test_activity_lists_who_gave_which_row_to_whom(world: World) -> None:
    world.sync()
    assert "No row was given to anybody yet" in text_of(world.open("activity"))
    set_owner(world.service, ADMIN, 1, "ben")
    table = world.open("activity").dataframe[-1].value
    assert list(table["Provider account"]) == [HOSTILE]
    assert list(table["Old → new"]) == ["nobody → ben"]


def test_rows_whose_automatic_mapping_was_taken_back_have_a_facet_of_their_own(world: World) -> None:
    world.sync()
    assert not [one for one in facets_of(world.open("provider_accounts")) if one.startswith("Held")]
    run = next(one.id for one in list_runs(world.service, ADMIN) if one.result.get("mapped"))
    plan = preview_undo(world.service, ADMIN, Undoable(run_id=run)).plan
    execute_run(world.service, confirm_plan(world.service, ADMIN, plan.id))
    assert "Held back 20" in facets_of(world.open("provider_accounts"))


def facets_of(test: AppTest) -> list[str]:
    """The labels of the first row's choices."""
    (group,) = (one for one in test.get("button_group") if one.label == "Status")
    return list(group.options)
