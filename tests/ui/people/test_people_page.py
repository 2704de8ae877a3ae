"""The People page: who got in with which role, and what an admin does about it."""

from __future__ import annotations

import pytest
from pressing import press
from service.people.people_steps import sign_in
from stage import World, text_of
from streamlit.testing.v1 import AppTest
from team import Team

from w365.errors import AccessError, SignedOut
from w365.model import AuditKind, Role
from w365.service.access import command_line_user
from w365.service.configuring.settings import list_changes, set_setting
from w365.service.people.roles import PersonView, disable_person, find_person, list_audit_log, set_role
from w365.service.people.service_tokens import enter_program, list_tokens, make_token
from w365.service.people.sessions import list_own_sessions

ROOT = command_line_user()


@pytest.fixture
def team(world: World, monkeypatch: pytest.MonkeyPatch) -> Team:
    """An admin and two analysts, all signed in."""
    team = Team(world, monkeypatch)
    for role, name in ((Role.ADMIN, "Ann"), (Role.ANALYST, "Ben"), (Role.ANALYST, "Cleo")):
        team.actor(role, name)
    return team


def choose(team: Team, name: str) -> AppTest:
    """Open the page as Ann and choose somebody in the table."""
    test = team.open("people", Role.ADMIN, name="Ann")
    table = test.dataframe[0]
    assert table.key is not None
    place = list(table.value["Name"]).index(name)
    test.session_state[table.key] = {"selection": {"rows": [place], "columns": [], "cells": []}}
    return test.run()


def push(test: AppTest, label: str) -> None:
    press(test, next(button for button in test.button if button.label == label))


def person(team: Team, name: str) -> PersonView:
    return find_person(team.service, ROOT, name)


def test_the_table_says_who_has_which_role_from_where(team: Team) -> None:
    set_role(team.service, ROOT, person(team, "Ben").person.id, Role.VIEWER)
    disable_person(team.service, ROOT, person(team, "Cleo").person.id)
    table = team.open("people", Role.ADMIN, name="Ann").dataframe[0].value
    shown = table[["Name", "Role", "Role from", "Open sessions"]].to_numpy().tolist()
    assert shown == [
        ["Ann", "admin", "the sign-in", 1],
        ["Ben", "viewer", "given by an admin", 1],
        ["Cleo", "disabled", "nobody", 0],
    ]


def test_a_role_is_given_at_once_and_told(team: Team) -> None:
    test = choose(team, "Ben")
    test.selectbox(key=f"role-{person(team, 'Ben').person.id}-").select("admin").run()
    push(test, "Give this role")
    assert person(team, "Ben").role is Role.ADMIN
    assert "Ben now has the role admin" in text_of(test)


@pytest.mark.parametrize(
    ("label", "confirmed"),
    [("Give this role", "Give this role"), ("Disable…", "Disable"), ("Sign out everywhere…", "Sign out")],
)
def test_what_takes_something_away_is_confirmed_first(team: Team, label: str, confirmed: str) -> None:
    test, before = choose(team, "Ben"), person(team, "Ben")
    test.selectbox(key=f"role-{before.person.id}-").select("viewer").run()
    push(test, label)
    assert person(team, "Ben") == before
    assert test.button(key="confirm-person").label == confirmed
    press(test, test.button(key="confirm-person"))
    assert person(team, "Ben") != before


def test_who_was_disabled_is_let_in_again(team: Team) -> None:
    disable_person(team.service, ROOT, person(team, "Ben").person.id)
    test = choose(team, "Ben")
    push(test, "Let in again")
    assert "Ben can sign in again" in text_of(test)
    assert person(team, "Ben").role is Role.ANALYST


def test_the_last_admin_is_refused_with_the_service_s_sentence(team: Team) -> None:
    set_role(team.service, ROOT, person(team, "Ann").person.id, Role.ADMIN)
    test = choose(team, "Ann")
    push(test, "Disable…")
    push(test, "Disable")
    assert "There would be no admin left" in text_of(test)
    assert person(team, "Ann").role is Role.ADMIN


def test_whom_the_settings_name_cannot_be_changed_here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    team = Team(world, monkeypatch, admins=frozenset({"https://id.example.com#Ann"}))
    team.actor(Role.ADMIN, "Ann")
    test = choose(team, "Ann")
    assert "The settings name this person in W365_ADMINS" in text_of(test)
    assert {button.label for button in test.button if button.disabled} == {"Give this role", "Disable…"}


def test_the_audit_log_is_narrowed_by_kind_and_person(team: Team) -> None:
    disable_person(team.service, ROOT, person(team, "Ben").person.id)
    test = team.open("people", Role.ADMIN, name="Ann")
    assert len(test.dataframe[1].value) == len(list_audit_log(team.service, ROOT, limit=200)) == 5
    test.selectbox(key="audit-kind").select(AuditKind.SIGN_IN).run()
    assert list(test.dataframe[1].value["Who"]) == ["Cleo", "Ben", "Ann"]
    test.selectbox(key="audit-person").select("Cleo").run()
    assert list(test.dataframe[1].value["Who"]) == ["Cleo"]


def make_token_on_page(test: AppTest, name: str) -> AppTest:
    press(test, test.button(key="make-token"))
    test.text_input(key="token-name").input(name)
    test.selectbox(key="token-role").select(Role.ANALYST)
    push(test, "Make the token")
    return test


def test_a_program_s_token_is_shown_once_to_who_made_it(team: Team) -> None:
    test = make_token_on_page(team.open("people", Role.ADMIN, name="Ann"), "billing")
    (secret,) = (code.value for code in test.code if code.value.startswith("w365_"))
    (token,) = list_tokens(team.service, ROOT)
    assert (token.name, token.role, token.made_by, token.ending) == ("billing", Role.ANALYST, "Ann", secret[-4:])
    assert enter_program(team.service, secret).name == "service:billing"
    assert secret not in str(test.session_state._state.filtered_state)
    test.run()
    assert secret not in text_of(test) + "".join(code.value for code in test.code)
    assert list(test.dataframe[1].value["Service account"]) == ["billing"]


def test_a_name_that_cannot_be_used_is_said_in_the_dialog(team: Team) -> None:
    test = make_token_on_page(team.open("people", Role.ADMIN, name="Ann"), "Billing Co")
    assert "begins with one of the first two" in text_of(test)
    assert list_tokens(team.service, ROOT) == []


def test_a_token_is_revoked_after_it_was_confirmed_and_then_says_so(team: Team) -> None:
    made = make_token(team.service, ROOT, "billing", Role.VIEWER, 30)
    test = team.open("people", Role.ADMIN, name="Ann")
    table = test.dataframe[1]
    assert table.key is not None
    assert table.value["State"][0].startswith("open until")
    test.session_state[table.key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    push(test.run(), "Revoke…")
    assert enter_program(team.service, made.secret)
    press(test, test.button(key="confirm-person"))
    with pytest.raises(AccessError):
        enter_program(team.service, made.secret)
    assert "Token 1 of billing is revoked" in text_of(test)
    assert test.dataframe[1].value["State"][0].startswith("revoked")
    assert "This token ended" in text_of(test)


def test_where_nobody_signs_in_the_page_says_what_changes_that(world: World) -> None:
    test = world.open("people")
    assert "W365_SIGN_IN" in text_of(test)
    assert len(test.dataframe) == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST])
def test_nobody_else_sees_it_and_everybody_can_sign_out_of_it(team: Team, role: Role) -> None:
    test = team.open("people", role)
    assert "This needs the role admin" in text_of(test)
    assert not test.dataframe
    assert [button.label for button in test.button] == ["Sign out"]


def test_everybody_ends_their_own_sessions_behind_their_name(team: Team) -> None:
    there = sign_in(team.service, sub="Vera", name="Vera", browser="another browser", roles=["viewer"], nonce="m")
    test = team.open("review", Role.VIEWER, name="Vera")
    test.session_state["account"] = True
    push(test.run(), "Sign out there")
    assert [session.is_here for session in list_own_sessions(team.service, team.actor(Role.VIEWER, "Vera"))] == [True]
    with pytest.raises(SignedOut):
        list_own_sessions(team.service, there)


def test_a_viewer_reads_that_a_setting_changed_and_not_from_what_to_what(team: Team) -> None:
    set_setting(team.service, ROOT, "crm_account_address", "https://fabrikam.example/{id}")
    rows = {
        role: next(table.value for table in team.open("configuration", role).dataframe if "Who" in table.value)
        for role in (Role.VIEWER, Role.ANALYST)
    }
    assert list(rows[Role.VIEWER]) == ["Time", "Who", "Setting"]
    assert "https://fabrikam.example/{id}" in rows[Role.ANALYST].to_numpy()
    assert {change.value for change in list_changes(team.service, team.actor(Role.VIEWER))} == {""}
