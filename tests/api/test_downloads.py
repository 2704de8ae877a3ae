"""A link to a file is for the browser that asked, works once and for a few minutes."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import hypothesis
import hypothesis.strategies as st
import openpyxl
import pytest
from api.conftest import ADMIN, SECRET, VIEWER, Server
from event_loop import run_apart
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from w365.api.browsers import COOKIE
from w365.api.download_links import SECONDS, make_link, redeem
from w365.api.downloads import MOST_AT_ONCE, Download, Places, send
from w365.api.growing_file import GrowingFile
from w365.errors import AccessError, InputError, StoreError
from w365.model import Actor, Status
from w365.service import Service
from w365.service.exporting import EVERYTHING, FileRequest, Format, Subject
from w365.service.exporting.written_requests import read_request, write_request
from w365.service.reading.records import count
from w365.store.reading.worklist import Filter

MOMENTS = st.datetimes(timezones=st.just(dt.UTC))
MINE = "a browser's name"
MAPPINGS = FileRequest((Subject.MAPPINGS,), Format.CSV)


@pytest.fixture
def client(service: Service, server: Server) -> Iterator[httpx.Client]:
    server.get_service = lambda: service
    with httpx.Client(base_url=server.url, cookies={COOKIE: MINE}, verify=False) as opened:
        yield opened


def link_to(service: Service, actor: Actor, request: FileRequest, cookie: str = MINE) -> str:
    return make_link(service, actor, request, cookie)


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_a_link_gives_the_file_once(client: httpx.Client, service: Service) -> None:
    link = link_to(service, VIEWER, MAPPINGS)
    answer = client.get(link)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith('attachment; filename="w365-mappings-')
    assert len(rows(answer)) == count(service, VIEWER, Filter()) == 3
    again = client.get(link)
    assert again.status_code == 401
    assert again.text.startswith("This link was used already, or is too old. Nothing was sent.")


@pytest.mark.parametrize("browser", ["", "another browser", MINE + "x"])
def test_a_link_is_refused_to_another_browser_and_stays_the_askers(
    client: httpx.Client, service: Service, browser: str
) -> None:
    link = link_to(service, VIEWER, MAPPINGS)
    client.cookies.clear()
    refused = client.get(link, headers={"Cookie": f"{COOKIE}={browser}"} if browser else {})
    assert (refused.status_code, "Kestrel" in refused.text) == (401, False)
    assert client.get(link, headers={"Cookie": f"{COOKIE}={MINE}"}).status_code == 200


def test_a_link_ends_after_some_minutes(service: Service) -> None:
    at = [service.clock()]
    then = replace(service, clock=lambda: at[0])
    first, second = (make_link(then, VIEWER, MAPPINGS, MINE).rpartition("/")[2] for _ in range(2))
    at[0] += dt.timedelta(seconds=SECONDS - 0.1)
    assert redeem(then, first, MINE) == (VIEWER, MAPPINGS)
    at[0] += dt.timedelta(seconds=0.2)
    with pytest.raises(AccessError, match="used already, or is too old"):
        redeem(then, second, MINE)


def test_a_link_is_answered_by_whichever_replica_is_asked_once(service: Service) -> None:
    other = replace(service, settings=replace(service.settings, home=Path("elsewhere")))
    name = make_link(service, VIEWER, MAPPINGS, MINE).rpartition("/")[2]
    assert redeem(other, name, MINE) == (VIEWER, MAPPINGS)
    with pytest.raises(AccessError, match="used already"):
        redeem(service, name, MINE)
    newer = replace(service, settings=replace(service.settings, secret_key="newer", old_secret_keys=(SECRET,)))
    name = make_link(service, VIEWER, MAPPINGS, MINE).rpartition("/")[2]
    with pytest.raises(AccessError, match="none of this app"):
        redeem(replace(service, settings=replace(service.settings, secret_key="foreign")), name, MINE)
    assert redeem(newer, name, MINE) == (VIEWER, MAPPINGS)


def test_nothing_of_what_is_searched_can_be_read_in_a_link(service: Service) -> None:
    link = make_link(service, VIEWER, replace(MAPPINGS, filter=Filter(text="kestrel")), MINE)
    name = link.rpartition("/")[2]
    assert b"kestrel" not in base64.urlsafe_b64decode(name)
    assert "kestrel" not in name


@hypothesis.settings(max_examples=60)
@hypothesis.given(st.builds(FileRequest, subjects=st.just((Subject.MAPPINGS,)), since=st.none() | MOMENTS))
def test_what_is_asked_for_is_read_as_it_was_written(request: FileRequest) -> None:
    assert read_request(json.loads(json.dumps(write_request(request), default=str))) == request


def test_a_guessed_link_is_refused(client: httpx.Client) -> None:
    assert client.get("/api/downloads/guessed").status_code == 401


def test_the_file_holds_what_the_filter_shows(client: httpx.Client, service: Service) -> None:
    for wanted in (Filter(statuses=(Status.CONFLICT,)), Filter(text="kestrel"), Filter(providers=(99,))):
        answer = client.get(link_to(service, ADMIN, replace(MAPPINGS, filter=wanted)))
        assert len(rows(answer)) == count(service, ADMIN, wanted)


def test_everything_is_one_workbook_with_a_sheet_each(client: httpx.Client, service: Service) -> None:
    answer = client.get(link_to(service, ADMIN, FileRequest(EVERYTHING, Format.XLSX)))
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == [*(one.value.capitalize() for one in EVERYTHING), "Definitions"]
    assert all(sheet.freeze_panes == "A2" for sheet in book)
    assert all(sheet.auto_filter.ref for sheet in book if sheet.title != "Definitions")


def test_several_subjects_need_a_workbook() -> None:
    with pytest.raises(InputError, match="Choose Excel"):
        FileRequest(EVERYTHING, Format.CSV)


class Watched(Places):
    """One place, and it is known who asked for it."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked = threading.Semaphore(0)

    def taken(self) -> AbstractAsyncContextManager[None]:
        self.asked.release()
        return super().taken()


def test_who_finds_no_place_waits_for_one(service: Service) -> None:
    places, free = Watched(), threading.Event()
    under_way: list[int] = []

    def clock() -> dt.datetime:
        """Keep whoever writes a file, while the other waits."""
        if threading.current_thread().name == "download":
            under_way.append(sum(thread.name == "download" for thread in threading.enumerate()))
            assert free.wait(10)
        return service.clock()

    slow = replace(service, clock=clock)

    async def answer(request: Request) -> Download:
        return await send(slow, request, places)

    with Server(Starlette(routes=[Route("/api/downloads/{name}", answer)])) as server, ThreadPoolExecutor() as pool:
        links = [server.url + link_to(service, VIEWER, MAPPINGS) for _ in range(2)]
        headers = {"Cookie": f"{COOKIE}={MINE}"}
        answers = [pool.submit(httpx.get, link, headers=headers, trust_env=False) for link in links]
        for _ in links:
            assert places.asked.acquire(timeout=10)
        free.set()
        assert [answer.result(10).status_code for answer in answers] == [200, 200]
    assert set(under_way) == {1}


def test_who_waited_for_long_enough_is_told_and_the_next_has_the_place() -> None:
    async def ask() -> None:
        places = Places(1, wait_seconds=0.01)
        async with places.taken():
            with pytest.raises(StoreError, match="the link can still be used"):
                async with places.taken():
                    pass
        async with places.taken():
            pass

    run_apart(ask())


def test_a_file_that_nobody_reads_is_given_up(service: Service) -> None:
    over = threading.Event()

    async def answer(_request: Request) -> Download:
        file, held = GrowingFile(), AsyncExitStack()
        held.callback(over.set)
        held.callback(file.discard)
        file.fill(lambda to: to.write(bytes(64 << 20)))
        return Download(file, held, "text/plain", {}, read_seconds=0.2)

    with (
        Server(Starlette(routes=[Route("/", answer)])) as server,
        socket.create_connection(("127.0.0.1", server.port)) as reader,
    ):
        reader.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert over.wait(20)
        reader.settimeout(10)
        assert sum(iter(lambda: len(reader.recv(1 << 20)), 0)) < 64 << 20


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
    said = client.get(link_to(service, ADMIN, wanted))
    assert (said.status_code, said.text) == (503, "The database is gone.")
    wait[0] = 1.2  # longer than an answer is kept back for what goes wrong
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(link_to(service, ADMIN, wanted))
    for _ in range(MOST_AT_ONCE + 1):  # each gave its place back
        assert client.get(link_to(service, VIEWER, MAPPINGS)).status_code == 200


def test_looking_at_a_link_does_not_use_it_up(client: httpx.Client, service: Service) -> None:
    link = link_to(service, VIEWER, MAPPINGS)
    assert client.head(link).status_code == 405
    assert client.get(link).status_code == 200
