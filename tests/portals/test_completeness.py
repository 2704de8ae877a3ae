"""A list is complete, or is said not to be: never done, and nobody gone. Syncs over real sockets into a database."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from fault_server import Answer, Bench, FaultServer, Request
from http_bench import guid
from portals import test_pax8 as pax8_steps
from portals.centre import centre, listing, open_portal, record
from portals.test_pax8 import company, pax8, subscription
from service.fakes import make_service, rows_of, sync

from w365.model import RunState
from w365.portals import Portal
from w365.service import Service
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.runs import RunView

PA = t.ProviderAccount
Lists = Callable[[Request], Answer]
GOES_ON = "it says that it goes on, but not where."


def gone(store: Store) -> list[tuple[Any, ...]]:
    return rows_of(store, PA.specific_id, where=PA.gone_at.is_not(None))


def names(store: Store) -> int:
    return len(rows_of(store, PA.specific_id))


@dataclasses.dataclass
class Source:
    """A provider whose list is what ``lists`` says, synced into ``store``."""

    store: Store
    service: Service
    server: FaultServer

    def sync(self) -> RunView:
        return sync(self.service)


def opened(place: Bench, store: Store, home: Path, script: Any, open_it: Any) -> Source:
    server = place.serve(script)

    def open_portal_of(_: str, check: Callable[[], None]) -> AbstractContextManager[Portal]:
        return open_it(place, server, check)

    return Source(store, dataclasses.replace(make_service(store, home), open_portal=open_portal_of), server)


def cut(count: int, **more: Any) -> Answer:
    return Answer({"totalCount": count, "items": [record(n) for n in range(count)], "links": {}, **more})


def only_first(request: Request, first: Answer, following: Answer) -> Answer:
    return following if "seekOperation=Next" in request.target else first


SHORT = listing([record(0), record(1)], "/customers?size=500&seekOperation=Next", "two")
CUTS: dict[str, tuple[Lists, str]] = {
    "a token without a link, which is refused": (
        lambda request: only_first(request, cut(3, continuationToken="x"), Answer({"code": 1}, 400)),
        GOES_ON,
    ),
    "a token without a link, which leads to a web page": (
        lambda request: only_first(request, cut(3, continuationToken="x"), Answer(b"<html>")),
        GOES_ON,
    ),
    "a token without a link, which is forbidden": (
        lambda request: only_first(request, cut(3, continuationToken="x"), Answer(b"", 403)),
        GOES_ON,
    ),
    "a token without a link, the same page for ever": (lambda _: cut(3, continuationToken="x", totalCount=9), GOES_ON),
    "a token that cannot be sent": (lambda _: cut(3, continuationToken={"a": 1}), GOES_ON),
    "a total beyond what came": (lambda _: cut(3, totalCount=12), "it gave 3 of 12."),
    "a short page, and nothing after it": (
        lambda request: only_first(request, SHORT, Answer({"totalCount": 0, "items": []})),
        "a page held fewer than were asked for, and the next one nothing.",
    ),
}


@pytest.mark.parametrize("shape", CUTS)
def test_a_list_that_is_not_whole_is_never_done_and_nobody_is_gone(
    place: Bench, store: Store, home: Path, shape: str
) -> None:
    lists, lack = CUTS[shape]
    source = opened(place, store, home, centre(lambda _: cut(5)), open_portal)
    assert source.sync().state is RunState.DONE
    source.server.script = centre(lists)
    for _ in range(2):
        run = source.sync()
        assert (run.state, run.cursor) == (RunState.FAILED, None)
        assert run.error == (
            f"Partner Center did not list all of its customers: {lack} Those it listed were stored, and nobody was "
            "marked as gone. Start the sync again; it reads the list from the beginning."
        )
        assert gone(store) == []
    source.server.script = centre(lambda _: cut(3))
    assert source.sync().result["gone"] == 2


def test_a_token_without_a_link_leads_on_as_microsofts_own_client_goes_on(
    place: Bench, store: Store, home: Path
) -> None:
    def lists(request: Request) -> Answer:
        assert request.target.count("seekOperation") <= 1
        pages = {"": 0, "one": 1, "two": 2}
        number = pages[request.headers.get("ms-continuationtoken", "")]
        items = [record(n) for n in range(number * 2, number * 2 + 2)]
        token = {0: "one", 1: "two"}.get(number)
        return Answer({"totalCount": 6, "items": items} | ({"continuationToken": token} if token else {}))

    source = opened(place, store, home, centre(lists), open_portal)
    assert (source.sync().state, names(store)) == (RunState.DONE, 6)


class Shrinking:
    """Lists customers by offset, four a page; one leaves after each of the first pages was read."""

    def __init__(self, leaving: int) -> None:
        self.records = [record(n) for n in range(12)]
        self.leaving = leaving
        self.is_ill = False

    def __call__(self, request: Request) -> Answer:
        found = re.search(r"offset=(\d+)", request.target)
        offset = int(found[1]) if found else 0
        if offset and self.is_ill:
            return Answer({"code": 1}, 403)
        following = f"/customers?size=4&offset={offset + 4}" if offset + 4 < len(self.records) else None
        answer = listing(self.records[offset : offset + 4], following, total=len(self.records))
        if self.leaving:
            self.leaving -= 1
            del self.records[0]
        return answer


@pytest.mark.parametrize("is_resumed", [False, True])
def test_a_list_by_offset_that_shrinks_while_it_is_read_marks_nobody_gone(
    place: Bench, store: Store, home: Path, *, is_resumed: bool
) -> None:
    lists = Shrinking(0)
    source = opened(place, store, home, centre(lists), open_portal)
    assert source.sync().result["new"] == 12
    lists.leaving, lists.is_ill = 1, is_resumed
    run = source.sync()
    if is_resumed:
        assert run.cursor is not None
        lists.is_ill = False
        run = source.sync()
    assert run.state is RunState.FAILED
    assert "did not list all of its customers: it gave 11 of 12." in run.error
    assert gone(store) == []
    run = source.sync()
    assert (run.state, gone(store)) == (RunState.DONE, [(guid(0),)])


class Market:
    """Pax8 with lists that change after pages were read; ``steps`` says what happens after which call of a list."""

    def __init__(self, count: int) -> None:
        self.companies = [company(n) for n in range(count)]
        self.bought = [subscription(n, n) for n in range(count)]
        self.steps: dict[tuple[str, str], Callable[[], None]] = {}
        self.single: Answer | None = None

    def __call__(self, request: Request) -> Answer:
        if request.path.startswith("/v1/companies/"):
            return self.single or self._answer_company(request)
        records = self.companies if request.path == "/v1/companies" else self.bought
        company_id = request.target.partition("companyId=")[2].partition("&")[0]
        listed = [each for each in records if not company_id or each["companyId"] == company_id]
        answer = pax8_steps.listing(request, listed, cut=2)
        step = self.steps.pop((request.path, request.target.rpartition("page=")[2]), None)
        if step and not company_id:
            step()
        return answer

    def _answer_company(self, request: Request) -> Answer:
        found = [each for each in self.companies if request.path.endswith(each["id"])]
        return Answer(found[0]) if found else pax8_steps.envelope(request, 404, "Not found")

    def swap(self, records: list[dict[str, Any]], fresh: dict[str, Any]) -> Callable[[], None]:
        def change() -> None:
            del records[0]
            records.append(fresh)

        return change


@pytest.fixture
def market() -> Market:
    return Market(6)


@pytest.fixture
def source(place: Bench, store: Store, home: Path, market: Market) -> Source:
    def script(request: Request) -> Answer:
        is_company = request.path.startswith("/v1/companies/")
        return market(request) if is_company else pax8(market, market)(request)  # type: ignore[return-value]

    made = opened(place, store, home, script, pax8_steps.open_portal)
    assert made.sync().result["new"] == 6
    return made


def test_a_company_that_slips_over_the_edge_while_one_comes_and_one_goes_is_not_gone(
    source: Source, market: Market
) -> None:
    """The total stays: the third company moves to where nobody looks again, and the first one is gone indeed."""
    market.steps["/v1/companies", "0"] = market.swap(market.companies, company(9))
    run = source.sync()
    assert (run.state, run.error) == (RunState.DONE, "")
    assert gone(source.store) == []  # it was met before it left
    run = source.sync()
    assert gone(source.store) == [(guid(0),)]
    assert [path for path in source.server.paths() if path.startswith("/v1/companies/")] == [
        f"/v1/companies/{guid(2)}",
        f"/v1/companies/{guid(0)}",
    ]


@pytest.mark.parametrize("answer", [Answer(b"", 500), Answer({"id": guid(7), "name": "x"}), Answer(b"<html>")])
def test_one_that_is_listed_no_more_and_of_whom_nothing_is_told_is_not_gone(
    source: Source, market: Market, answer: Answer
) -> None:
    del market.companies[0]
    market.single = answer
    run = source.sync()
    assert (run.state, run.result["rejected"], gone(source.store)) == (RunState.DONE, 1, [])
    market.single = None
    assert source.sync().result["gone"] == 1


def bought_of(store: Store) -> set[str]:
    return {row[0] for row in rows_of(store, t.ProviderSubscription.subscription_id)}


@pytest.mark.parametrize("page", ["0", "1", "2"])
def test_subscriptions_are_read_so_that_none_slips_over_an_edge_the_first_time_either(
    place: Bench, market: Market, page: str
) -> None:
    """The list is in the order of its making: what is new stands at its end."""
    market.steps["/v1/subscriptions", page] = market.swap(market.bought, subscription(9, 5))
    pages, _ = pax8_steps.read_all(place, pax8(market, market))
    bought = {each.subscription_id for page in pages for who in page.customers for each in who.subscriptions or ()}
    assert {guid(1000 + n) for n in range(1, 6)} <= bought


def test_a_subscription_that_slips_over_the_edge_leaves_its_company_with_its_seats(
    source: Source, market: Market
) -> None:
    """Where the list is in no order after all, its company is asked by itself."""

    def swap() -> None:
        market.bought.insert(0, subscription(9, 5))
        del market.bought[-1]

    market.steps["/v1/subscriptions", "2"] = swap
    assert source.sync().state is RunState.DONE
    assert {guid(1000 + n) for n in range(5)} <= bought_of(source.store)


def test_a_subscription_that_is_no_longer_there_is_dropped(source: Source, market: Market) -> None:
    del market.bought[2]
    assert source.sync().result["changed"] == 1
    assert guid(1002) not in bought_of(source.store)


def test_a_list_that_shrinks_in_both_walks_marks_nobody_gone(source: Source, market: Market) -> None:
    def leave() -> None:
        del market.companies[0]

    def leave_twice() -> None:
        leave()
        market.steps["/v1/companies", "1"] = lambda: market.steps.update({("/v1/companies", "0"): leave})

    market.steps["/v1/companies", "0"] = leave_twice
    run = source.sync()
    assert run.state is RunState.FAILED
    assert "did not list all of its customers: it gave 4 of 5." in run.error
    assert gone(source.store) == []
