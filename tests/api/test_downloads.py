"""A link to a file is for the browser that asked, works once and for a few minutes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace

import httpx
import openpyxl
import pytest
from api.conftest import ADMIN, VIEWER, Server

from w365.api.browsers import COOKIE
from w365.api.downloads import MOST_AT_ONCE, PLACES, SECONDS, TICKETS, Tickets
from w365.errors import AccessError, InputError, StoreError
from w365.model import Status
from w365.service import Service
from w365.service.exporting import EVERYTHING, FileRequest, Format, Subject
from w365.service.reading.records import count
from w365.store.reading.worklist import Filter

MINE = "a browser's name"
MAPPINGS = FileRequest((Subject.MAPPINGS,), Format.CSV)


@pytest.fixture
def client(service: Service, server: Server) -> Iterator[httpx.Client]:
    server.get_service = lambda: service
    with httpx.Client(base_url=server.url, cookies={COOKIE: MINE}, verify=False) as opened:
        yield opened


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_a_link_gives_the_file_once(client: httpx.Client, service: Service) -> None:
    link = TICKETS.issue(VIEWER, MAPPINGS, MINE)
    answer = client.get(link)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith('attachment; filename="w365-mappings-')
    assert len(rows(answer)) == count(service, VIEWER, Filter()) == 3
    again = client.get(link)
    assert again.status_code == 401
    assert again.text.startswith("This link was used already, or is too old. Nothing was sent.")


@pytest.mark.parametrize("browser", ["", "another browser", MINE + "x"])
def test_a_link_is_refused_to_another_browser_and_stays_the_askers(client: httpx.Client, browser: str) -> None:
    link = TICKETS.issue(VIEWER, MAPPINGS, MINE)
    client.cookies.clear()
    refused = client.get(link, headers={"Cookie": f"{COOKIE}={browser}"} if browser else {})
    assert (refused.status_code, "Kestrel" in refused.text) == (401, False)
    assert client.get(link, headers={"Cookie": f"{COOKIE}={MINE}"}).status_code == 200


def test_a_link_ends_after_some_minutes() -> None:
    at = [0.0]
    tickets = Tickets(lambda: at[0])
    name = tickets.issue(VIEWER, MAPPINGS, MINE).rpartition("/")[2]
    at[0] = SECONDS - 0.1
    assert tickets.redeem(name, MINE) == (VIEWER, MAPPINGS)
    name = tickets.issue(VIEWER, MAPPINGS, MINE).rpartition("/")[2]
    at[0] += SECONDS
    with pytest.raises(AccessError):
        tickets.redeem(name, MINE)


def test_a_guessed_link_is_refused(client: httpx.Client) -> None:
    assert client.get("/api/downloads/guessed").status_code == 401


def test_the_file_holds_what_the_filter_shows(client: httpx.Client, service: Service) -> None:
    for wanted in (Filter(statuses=(Status.CONFLICT,)), Filter(text="kestrel"), Filter(providers=(99,))):
        answer = client.get(TICKETS.issue(ADMIN, replace(MAPPINGS, filter=wanted), MINE))
        assert len(rows(answer)) == count(service, ADMIN, wanted)


def test_everything_is_one_workbook_with_a_sheet_each(client: httpx.Client) -> None:
    answer = client.get(TICKETS.issue(ADMIN, FileRequest(EVERYTHING, Format.XLSX), MINE))
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == [*(one.value.capitalize() for one in EVERYTHING), "Definitions"]
    assert all(sheet.freeze_panes == "A2" for sheet in book)
    assert all(sheet.auto_filter.ref for sheet in book if sheet.title != "Definitions")


def test_several_subjects_need_a_workbook() -> None:
    with pytest.raises(InputError, match="Choose Excel"):
        FileRequest(EVERYTHING, Format.CSV)


@contextmanager
def all_places_taken() -> Iterator[None]:
    """Hold every place there is; downloads before, which end a moment after they are read, give theirs back first."""
    with ExitStack() as held:
        for _ in range(MOST_AT_ONCE):
            held.enter_context(_soon(PLACES.taken))
        yield


@contextmanager
def _soon(take: Callable[[], AbstractContextManager[None]], seconds: float = 5) -> Iterator[None]:
    until = time.monotonic() + seconds
    while True:
        with ExitStack() as held:
            try:
                held.enter_context(take())
            except StoreError:
                assert time.monotonic() < until, "a download that is over keeps its place"
                time.sleep(0.01)
                continue
            yield
            return


def test_so_many_files_are_made_at_a_time_and_a_refused_link_can_still_be_used(client: httpx.Client) -> None:
    link = TICKETS.issue(VIEWER, MAPPINGS, MINE)
    with all_places_taken():
        refused = client.get(link)
    assert (refused.status_code, "the link can still be used" in refused.text) == (503, True)
    assert client.get(link).status_code == 200
    with all_places_taken():
        pass


def test_what_goes_wrong_at_once_is_said_and_later_the_file_breaks_off_for_the_browser(
    client: httpx.Client, service: Service, server: Server
) -> None:
    wait = [0.0]
    noted: set[threading.Thread] = set()

    def clock() -> dt.datetime:
        """Fails where the statistics, which come last, are written: the workbook is noted and on its way then."""
        thread = threading.current_thread()
        if thread in noted:
            time.sleep(wait[0])
            raise StoreError("The database is gone.")
        if thread.name == "download":
            noted.add(thread)
        return dt.datetime.now(dt.UTC)

    server.get_service = lambda: replace(service, clock=clock)
    wanted = FileRequest((Subject.MAPPINGS, Subject.STATISTICS), Format.XLSX)
    said = client.get(TICKETS.issue(ADMIN, wanted, MINE))
    assert (said.status_code, said.text) == (503, "The database is gone.")
    wait[0] = 1.2  # longer than an answer is kept back for what goes wrong
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(TICKETS.issue(ADMIN, wanted, MINE))
    with all_places_taken():
        pass


def test_looking_at_a_link_does_not_use_it_up(client: httpx.Client) -> None:
    link = TICKETS.issue(VIEWER, MAPPINGS, MINE)
    assert client.head(link).status_code == 405
    assert client.get(link).status_code == 200
