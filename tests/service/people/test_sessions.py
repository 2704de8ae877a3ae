"""Who is signed in, from the first sign-in to the end of the session, in every tab at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from service.fakes import FakeClock, make_service
from service.people.people_steps import BROWSER, by_proxy, identity, sign_in, team

from w365.entrance import SignInMode
from w365.errors import NotAllowed, NotFound, SignedOut
from w365.model import Actor, Role
from w365.service import Service
from w365.service.configuring.settings import get_settings, set_setting
from w365.service.people.roles import disable_person, enable_person, list_audit_log, list_people, set_role
from w365.service.people.sessions import (
    end_own_session,
    enter,
    list_own_sessions,
    note_failed_sign_in,
    role_in_browser,
    sign_out,
    stay,
)
from w365.service.reading.visits import read_visit
from w365.service.syncing.providers import add_manual_provider
from w365.store.db.engine import Store

ROOT = Actor("cli:root@here", Role.ADMIN)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service(store: Store, tmp_path: Path, clock: FakeClock) -> Service:
    return team(make_service(store, tmp_path, clock=clock))


def events(service: Service) -> list[tuple[str, str]]:
    return [(row.actor, row.kind.value) for row in reversed(list_audit_log(service, ROOT, limit=50))]


def person_id(service: Service, name: str) -> int:
    return next(view.person.id for view in list_people(service, ROOT) if view.person.name == name)


def is_signed_in(service: Service, actor: Actor) -> bool:
    try:
        get_settings(service, actor)
    except SignedOut:
        return False
    return True


def test_a_sign_in_begins_a_session_with_the_role_of_the_claims(service: Service) -> None:
    ann = sign_in(service)
    assert (ann.name, ann.role, is_signed_in(service, ann)) == ("Ann Lee", Role.ANALYST, True)
    assert events(service) == [("Ann Lee", "sign-in")]


def test_all_tabs_of_a_browser_share_it_and_another_browser_has_its_own(service: Service) -> None:
    ann = sign_in(service)
    assert sign_in(service) == ann
    other = sign_in(service, browser="another browser", nonce="m")
    assert other.session != ann.session
    assert other.name == ann.name


def test_an_answer_of_the_provider_begins_one_session_only(service: Service) -> None:
    sign_in(service)
    with pytest.raises(SignedOut):
        sign_in(service, browser="a thief's browser")


def test_signing_out_ends_all_tabs_and_a_new_sign_in_opens_them_again(service: Service, clock: FakeClock) -> None:
    ann = sign_in(service)
    sign_out(service, ann)
    assert not is_signed_in(service, ann)
    with pytest.raises(SignedOut, match="You are signed out"):
        sign_in(service)
    clock.forward(seconds=30)
    again = sign_in(service, nonce="m")
    assert again.session != ann.session
    assert sign_in(service) == again, "a tab that was open when the session ended goes on with the new one"
    assert events(service) == [("Ann Lee", "sign-in"), ("Ann Lee", "sign-out"), ("Ann Lee", "sign-in")]


def test_an_idle_session_ends_after_an_hour_and_use_keeps_it(service: Service, clock: FakeClock) -> None:
    said = identity(service)
    ann = enter(service, said, BROWSER)
    for _ in range(4):
        clock.forward(minutes=50)
        assert stay(service, ann) == ann
    clock.forward(minutes=60)
    with pytest.raises(SignedOut, match="nothing was done"):
        stay(service, ann)
    with pytest.raises(SignedOut, match="nothing was done"):
        enter(service, said, BROWSER)


def test_looking_whether_there_is_news_does_not_keep_it(service: Service, clock: FakeClock) -> None:
    ann = sign_in(service)
    for _ in range(59):
        clock.forward(minutes=1)
        assert is_signed_in(service, ann)
    clock.forward(minutes=1)
    assert not is_signed_in(service, ann)


def test_no_session_is_longer_than_a_working_day(service: Service, clock: FakeClock) -> None:
    ann = sign_in(service)
    for _ in range(14):
        clock.forward(minutes=50)
        stay(service, ann)
    clock.forward(minutes=20)
    with pytest.raises(SignedOut, match="long ago"):
        stay(service, ann)


def test_a_sign_in_of_yesterday_begins_none(service: Service, clock: FakeClock) -> None:
    old = identity(service)
    clock.forward(hours=12)
    with pytest.raises(SignedOut, match="long ago"):
        enter(service, old, BROWSER)


def test_a_role_that_an_admin_gives_counts_at_the_next_call_of_every_tab(service: Service) -> None:
    ann = sign_in(service, roles=["admin"])
    sign_in(service, "2", browser="b", roles=["admin"], name="Bo")
    set_setting(service, ann, "auto_match", "true")
    set_role(service, ROOT, person_id(service, "Ann Lee"), Role.VIEWER)
    with pytest.raises(NotAllowed, match="you are signed in as viewer"):
        set_setting(service, ann, "auto_match", "false")
    assert get_settings(service, ann)["auto_match"] == "true"
    assert sign_in(service, roles=["admin"]).role is Role.VIEWER
    assert events(service)[-2:] == [("cli:root@here", "person"), ("Ann Lee", "refusal")]
    set_role(service, ROOT, person_id(service, "Ann Lee"), None)
    set_setting(service, ann, "auto_match", "false")


def test_a_disabled_person_is_out_at_the_next_call_and_cannot_come_back(service: Service, clock: FakeClock) -> None:
    ann = sign_in(service)
    sign_in(service, "2", browser="b", roles=["admin"], name="Bo")
    disable_person(service, ROOT, person_id(service, "Ann Lee"))
    with pytest.raises(SignedOut, match="taken away"):
        get_settings(service, ann)
    clock.forward(minutes=5)
    with pytest.raises(NotAllowed, match="taken away"):
        sign_in(service, nonce="m")
    enable_person(service, ROOT, person_id(service, "Ann Lee"))
    assert not is_signed_in(service, ann)
    assert is_signed_in(service, sign_in(service, nonce="k"))


def test_who_has_no_role_is_known_and_let_in_by_a_role(service: Service, clock: FakeClock) -> None:
    with pytest.raises(NotAllowed, match=r"Ann Lee is signed in, but has no role here.*https://id.example.com#1"):
        sign_in(service, roles=[])
    assert [(view.person.name, view.role) for view in list_people(service, ROOT)] == [("Ann Lee", None)]
    assert events(service) == [("Ann Lee", "refusal")]
    set_role(service, ROOT, person_id(service, "Ann Lee"), Role.ADMIN)
    assert sign_in(service, roles=[]).role is Role.ADMIN


def test_somebody_with_too_many_groups_is_told_so(service: Service) -> None:
    with pytest.raises(NotAllowed, match="too many"):
        sign_in(service, roles=[], hasgroups=True)


def test_by_setting_everybody_who_signs_in_may_look(service: Service) -> None:
    open_house = team(service, lets_unknown_view=True)
    assert sign_in(open_house, roles=[]).role is Role.VIEWER


def test_the_first_admin_is_named_in_the_settings_and_cannot_be_shut_out(service: Service) -> None:
    named = team(service, admins=frozenset({"https://id.example.com#1"}))
    assert sign_in(named, roles=[]).role is Role.ADMIN
    with pytest.raises(Exception, match="W365_ADMINS"):
        disable_person(named, ROOT, person_id(named, "Ann Lee"))


def test_the_last_admin_stays(service: Service) -> None:
    ann = sign_in(service, roles=["admin"])
    for change in (
        lambda: set_role(service, ann, person_id(service, "Ann Lee"), Role.VIEWER),
        lambda: disable_person(service, ann, person_id(service, "Ann Lee")),
    ):
        with pytest.raises(Exception, match="no admin left"):
            change()
    assert is_signed_in(service, ann)
    assert events(service) == [("Ann Lee", "sign-in")]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST])
def test_nobody_but_an_admin_gives_roles(service: Service, role: Role) -> None:
    ann = sign_in(service, roles=[role.name.lower()])
    with pytest.raises(NotAllowed):
        set_role(service, ann, person_id(service, "Ann Lee"), Role.ADMIN)


def test_two_of_one_name_are_two(service: Service) -> None:
    names = [sign_in(service, sub, browser=sub, nonce=sub, preferred_username=f"{sub}@x").name for sub in "123"]
    assert names == ["Ann Lee", "Ann Lee (2@x)", "Ann Lee (3@x)"]


@pytest.mark.parametrize("name", ["schedule", "Calendar", "cli:root@here", "write-back"])
def test_nobody_is_called_as_the_program_calls_itself(service: Service, name: str) -> None:
    assert sign_in(service, name=name).name != name


def test_a_name_that_decided_before_people_signed_in_is_not_taken_over(service: Service) -> None:
    add_manual_provider(service, Actor("Ann Lee", Role.ADMIN), "Harbour")
    set_setting(service, Actor("Ann Lee", Role.ADMIN), "auto_match", "true")
    assert sign_in(service).name == "Ann Lee (ann@example.com)"


def test_a_person_keeps_the_name_of_the_first_sign_in(service: Service) -> None:
    sign_in(service)
    assert sign_in(service, name="Ann Lee-Roe", nonce="m", browser="b").name == "Ann Lee"


def test_a_visit_is_the_persons_in_every_browser(service: Service, clock: FakeClock) -> None:
    assert read_visit(service, sign_in(service)) is None
    clock.forward(minutes=45)
    assert read_visit(service, sign_in(service, browser="b", nonce="m")) is not None


def test_a_browser_has_the_highest_role_of_those_who_are_signed_in_there(service: Service, clock: FakeClock) -> None:
    assert role_in_browser(service, BROWSER) is None
    ann, bob = sign_in(service), sign_in(service, sub="2", name="Bob", roles=["viewer"])
    assert (role_in_browser(service, BROWSER), role_in_browser(service, "")) == (Role.ANALYST, None)
    sign_out(service, ann)
    assert role_in_browser(service, BROWSER) == Role.VIEWER
    clock.forward(hours=1)
    assert not is_signed_in(service, bob)
    assert role_in_browser(service, BROWSER) is None


def test_without_a_sign_in_every_browser_is_an_admins(service: Service) -> None:
    assert role_in_browser(team(service, SignInMode.LOCAL), "") == Role.ADMIN


def test_two_tabs_that_sign_in_at_once_share_one_session(service: Service) -> None:
    said, gate = identity(service), threading.Barrier(4)
    actors: list[Actor] = []

    def come_in() -> None:
        gate.wait()
        actors.append(enter(service, said, BROWSER))

    threads = [threading.Thread(target=come_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({actor.session for actor in actors}) == 1
    assert len(actors) == 4


def test_a_proxy_vouches_for_a_page_that_is_loaded_anew_but_not_for_one_that_was_open(
    service: Service, clock: FakeClock
) -> None:
    behind = team(service, SignInMode.PROXY, provider=None)
    opened = clock()
    ann = enter(behind, by_proxy(opened), BROWSER)
    assert enter(behind, by_proxy(opened), BROWSER) == ann
    clock.forward(minutes=1)
    sign_out(behind, ann)
    with pytest.raises(SignedOut):
        enter(behind, by_proxy(opened), BROWSER)
    clock.forward(minutes=1)
    assert enter(behind, by_proxy(clock()), BROWSER).session != ann.session


def test_behind_a_proxy_an_open_page_ends_when_it_was_idle(service: Service, clock: FakeClock) -> None:
    behind = team(service, SignInMode.PROXY, provider=None)
    opened = clock()
    enter(behind, by_proxy(opened), BROWSER)
    clock.forward(minutes=61)
    with pytest.raises(SignedOut, match="nothing was done"):
        enter(behind, by_proxy(opened), BROWSER)
    assert enter(behind, by_proxy(clock()), BROWSER)


def test_where_people_sign_in_a_token_without_a_session_is_nobodys(service: Service) -> None:
    with pytest.raises(SignedOut):
        stay(service, Actor("ann", Role.ADMIN))


def test_a_failed_sign_in_is_in_the_audit_log_but_does_not_fill_it(service: Service, clock: FakeClock) -> None:
    for _ in range(3):
        note_failed_sign_in(service, "refused")
    note_failed_sign_in(service, "too old")
    clock.forward(minutes=2)
    note_failed_sign_in(service, "too old")
    assert events(service) == [("nobody", "refusal")] * 3
    assert list_audit_log(service, ROOT, limit=1)[0].about == "A sign-in failed: too old"


def test_a_person_lists_their_sessions_and_ends_another_of_theirs_alone(service: Service, clock: FakeClock) -> None:
    here, there = sign_in(service), sign_in(service, browser="another browser", nonce="m")
    zoe = sign_in(service, sub="2", browser="a third browser", name="Zoe")
    listed = list_own_sessions(service, here)
    assert [(each.id, each.is_here) for each in listed] == [(here.session, True), (there.session, False)]
    with pytest.raises(NotFound):
        end_own_session(service, here, zoe.session or 0)
    end_own_session(service, here, there.session or 0)
    assert [is_signed_in(service, actor) for actor in (here, there, zoe)] == [True, False, True]
    assert events(service)[-1] == ("Ann Lee", "sign-out")
    with pytest.raises(NotFound):
        end_own_session(service, here, there.session or 0)
    assert list_own_sessions(service, ROOT) == []
