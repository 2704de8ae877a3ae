"""What a websocket tells and does for who is not signed in, is no more, or may less than before."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from team_app import MARKERS, Person, Stream, Team, running_team, told

from w365.api.browsers import COOKIE
from w365.entrance import SignInMode
from w365.model import Actor, AuditKind, Role
from w365.service import Service
from w365.service.access import local_user
from w365.service.people.roles import disable_person, end_sessions, list_audit_log, list_people, set_role
from w365.ui.deciding.review.session import TOO_SOON
from w365.ui.frame.pages import PAGES, REVIEW

PLACES = [page.place for page in PAGES]
TELLING = {"review", "provider_accounts", "quality"}
"""Pages of which a part that runs again by itself tells names."""
Change = Callable[[Service, Actor, int], object]
OFTEN = {"visit", "session", "process"}
"""Tables that a look at a page, or the worker beside it, writes: that somebody was here."""


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with running_team(tmp_path_factory.mktemp("team") / "home", SignInMode.OIDC) as running:
        yield running


def fragments(messages: list[ForwardMsg]) -> list[str]:
    return sorted({message.delta.fragment_id for message in messages if message.HasField("delta")} - {""})


def widgets(messages: list[ForwardMsg]) -> list[str]:
    """The ids of all buttons and other widgets, in the order of the page."""
    content = b"".join(message.SerializeToString() for message in messages)
    return list(dict.fromkeys(name.decode() for name in re.findall(rb"\$\$ID-[\w-]+", content)))


def buttons(messages: list[ForwardMsg]) -> list[str]:
    elements = [message.delta.new_element for message in messages if message.HasField("delta")]
    ids = [element.button.id for element in elements if element.HasField("button")]
    return [name for name in ids if not name.endswith("sign-out")]


def texts(messages: list[ForwardMsg]) -> str:
    return b"".join(message.SerializeToString() for message in messages).decode("utf-8", "replace")


def content_of(team: Team) -> list[str]:
    """Every row of the database but those that say that somebody or a worker was here."""
    path = Path(team.service.settings.home) / "w365.db"
    with closing(sqlite3.connect(path)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [
            f"{name} {row}"
            for name in names
            if name not in OFTEN
            for row in database.execute(f'SELECT * FROM "{name}"')
        ]


def demote(service: Service, actor: Actor, person_id: int) -> None:
    set_role(service, actor, person_id, Role.VIEWER)


def number_of(team: Team, person: Person) -> int:
    assert person.actor
    return next(
        each.person.id for each in list_people(team.service, local_user()) if each.person.name == person.actor.name
    )


def press(stream: Stream, *names: str) -> list[ForwardMsg]:
    return stream.run(**dict.fromkeys(names, True))


@pytest.mark.parametrize("page", PLACES)
def test_a_page_shows_nobody_anything_but_the_way_in(team: Team, page: str) -> None:
    with team.stream(team.nobody()) as stream:
        messages = stream.open(page)
    assert told(messages) == []
    assert "You are not signed in" in texts(messages)
    assert len(widgets(messages)) == 1


def test_nobody_presses_what_was_drawn_for_another(team: Team) -> None:
    with team.stream(team.sign_in("ada", "admin")) as stream:
        names = {place: widgets(stream.open(place)) for place in PLACES}
    assert sum(map(len, names.values())) > 100
    before = content_of(team)
    with team.stream(team.nobody()) as stream:
        for place, drawn in names.items():
            stream.open(place)
            assert told(press(stream, *drawn)) == []
    assert content_of(team) == before


def test_what_streamlit_itself_takes_from_a_page_tells_nobody_anything_and_writes_nothing(team: Team) -> None:
    """Its messages to empty caches, to name the repository, to hand over files and to write into the app's folder."""
    kinds = [field.name for field in BackMsg.DESCRIPTOR.fields if not field.name.startswith(("rerun", "debug"))]
    before = content_of(team)
    with team.stream(team.nobody()) as stream:
        stream.open(REVIEW.place)
        types = {field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields}
        for kind in sorted(types.intersection(kinds)):
            stream.tell(message_of(kind, stream.session))
        messages = [*stream.hear("Skills install is not available"), *stream.run()]
    assert told(messages) == []
    assert content_of(team) == before


def message_of(kind: str, session: str) -> BackMsg:
    message = BackMsg()
    if kind == "backend_operation_request":
        message.backend_operation_request.session_id = session
        message.backend_operation_request.install_skills.SetInParent()
    elif kind == "file_urls_request":
        message.file_urls_request.session_id = session
        message.file_urls_request.file_names.append("a.csv")
    else:
        setattr(message, kind, True)
    return message


def test_a_press_of_the_person_it_was_drawn_for_does_something(team: Team) -> None:
    """Else the test before this one, and those after it, could not fail."""
    with team.stream(team.sign_in("olga", "analyst")) as stream:
        names = widgets(stream.open(REVIEW.place))
        before = content_of(team)
        press(stream, *(name for name in names if name.endswith("sign-out")))
    assert content_of(team) != before


@pytest.mark.parametrize("page", PLACES)
def test_an_open_tab_of_a_disabled_person_tells_nothing_more(team: Team, page: str) -> None:
    team.sign_in("boss", "admin")
    person = team.sign_in(f"dan {page}", "admin")
    with team.stream(person) as stream:
        messages = stream.open(page)
        parts, drawn = fragments(messages), buttons(messages)
        assert page not in TELLING or told([message for part in parts for message in stream.run(part)])
        disable_person(team.service, local_user(), number_of(team, person))
        before = content_of(team)
        redrawn: list[ForwardMsg] = []
        for part in parts:
            again = stream.run(part)
            assert told(again) == [], part
            assert "Your access was taken away" in texts(again)
            redrawn += [message for message in again if message.HasField("navigation")]
        assert redrawn, "the age of the data is on every page, looks every few seconds and draws the page anew"
        assert told(stream.run()) == []
        assert told([message for name in drawn for message in press(stream, name)]) == []
    assert content_of(team) == before


def run_out(team: Team, person: Person) -> None:
    """Let two hours go by in which a session is not used."""
    assert person.actor
    earlier = "UPDATE session SET used_at = datetime(used_at, '-2 hours') WHERE id = ?"
    with closing(sqlite3.connect(Path(team.service.settings.home) / "w365.db")) as database, database:
        database.execute(earlier, [person.actor.session])


def is_left(messages: list[ForwardMsg]) -> bool:
    """Whether nothing was taken from the page: Streamlit takes away what a whole run did not draw."""
    return ForwardMsg.FINISHED_SUCCESSFULLY not in {
        message.script_finished for message in messages if message.HasField("script_finished")
    }


@pytest.mark.parametrize("page", ["review", "provider_accounts", "configuration"])
def test_a_page_whose_session_ran_out_stays_as_it_is_and_does_nothing(team: Team, page: str) -> None:
    person = team.sign_in(f"fay {page}", "admin")
    with team.stream(person) as stream:
        messages = stream.open(page)
        parts, drawn = fragments(messages), buttons(messages)
        run_out(team, person)
        before = content_of(team)
        asked = [stream.run(part) for part in parts]
        assert any("nothing was done here for a while" in texts(again) for again in asked)
        for again in [*asked, stream.run(), *(press(stream, name) for name in drawn)]:
            assert (told(again), is_left(again)) == ([], True)
        assert content_of(team) == before


def test_what_is_sent_while_a_page_is_emptied_is_there_after_signing_in_again(team: Team) -> None:
    """A part of a page waits until the page is drawn; Streamlit's `stop` drops it, and what was typed with it."""
    person = team.sign_in("hal", "admin")
    with team.stream(person) as stream:
        messages = stream.open("configuration")
        area = next(name for name in widgets(messages) if "-area-" in name)
        end_sessions(team.service, local_user(), number_of(team, person))
        stream.tell(stream.asking())
        stream.hear_until("new_session")
        stream.tell(stream.asking(fragments(messages)[0], **{area: "typed.example"}))
        stream.hear_until("new_session")
        assert {message.delta.fragment_id for message in stream.hear_end()}.isdisjoint(fragments(messages)), "no place"
        team.sign_in("hal", "admin", person.cookies[COOKIE], "another")
        assert "typed.example" in texts(stream.run())


@pytest.mark.parametrize("change", [disable_person, end_sessions, demote])
def test_a_page_whose_session_ran_out_is_emptied_where_somebody_takes_the_access_away(
    team: Team, change: Change
) -> None:
    person = team.sign_in(f"gus {change.__name__}", "admin")
    with team.stream(person) as stream:
        messages = stream.open(REVIEW.place)
        run_out(team, person)
        assert all(is_left(stream.run(part)) for part in fragments(messages))
        change(team.service, local_user(), number_of(team, person))
        again = [stream.run(part) for part in fragments(messages)]
        assert not any(is_left(each) for each in again)
        assert told([message for each in again for message in each]) == []


def test_the_audit_log_says_from_where(team: Team) -> None:
    """Also for what a press on a page does, which no request carries; this machine is a trusted proxy here."""
    person = team.sign_in("ida", "admin")
    person = replace(
        person, headers={**person.headers, "X-W365-Address": "192.0.2.1", "X-Forwarded-For": "203.0.113.9"}
    )
    with team.stream(person) as stream:
        press(stream, *(name for name in widgets(stream.open(REVIEW.place)) if name.endswith("sign-out")))
    left = next(row for row in list_audit_log(team.service, local_user(), limit=50) if row.kind is AuditKind.SIGN_OUT)
    assert (left.actor, left.address) == ("ida", "203.0.113.9")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST])
def test_a_press_drawn_for_an_analyst_decides_for_an_analyst_only(team: Team, role: Role) -> None:
    person, before = team.sign_in(f"eva {role}", "analyst"), count_decisions(team)
    with team.stream(person) as stream:
        drawn = buttons(stream.open(REVIEW.place))
        shown = time.monotonic()
        while time.monotonic() - shown < TOO_SOON:  # before that nobody can have read the row
            stream.run()
        set_role(team.service, local_user(), number_of(team, person), role)
        for name in drawn:
            press(stream, name)
    assert (count_decisions(team) > before) == (role is Role.ANALYST)


def count_decisions(team: Team) -> int:
    return sum(row.startswith("decision ") for row in content_of(team))


def test_behind_a_proxy_a_page_goes_on_for_the_person_who_opened_it_only(tmp_path: Path) -> None:
    """Streamlit takes a page up again by its id; without a person of its own it would for whoever says the id."""
    with running_team(tmp_path / "home", SignInMode.PROXY) as team:
        ann, bob = team.sign_in("ann", "admin"), team.sign_in("bob", "viewer")
        with team.stream(ann) as first:
            assert told(first.open(REVIEW.place)) == list(MARKERS)
        for person, goes_on in ((bob, False), (team.nobody(), False), (ann, True)):
            with team.stream(person, resumed=first.session) as second:
                second.open(REVIEW.place)
                assert (second.session == first.session) == goes_on
