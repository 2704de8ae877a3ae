"""Values beyond JSON's sense and records beyond measure: the record is rejected or read, the sync goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fault_server import Answer, Bench, Request
from http_bench import guid
from portals.centre import centre, fail, listing, named, only, read_all, record
from portals.test_partner_center_synced import service_of
from service.fakes import rows_of, sync

from w365.http.retry import Patience
from w365.model import RunState
from w365.source_records import Rejected
from w365.store import tables as t
from w365.store.db.engine import Store

MANY = 20_000
MEGABYTES = 10 * 2**20
PATIENT = Patience(connect=10.0, read=30.0, total=60.0)


def raw(body: Any, **values: str) -> Answer:
    """A body in which words in capitals stand for JSON that nobody's library writes."""
    text = json.dumps(body)
    for name, value in values.items():
        text = text.replace(f'"{name}"', value)
    return Answer(text.encode())


def listed(item: dict[str, Any], **values: str) -> Answer:
    return raw({"totalCount": 6, "items": [item, *(record(n) for n in range(2, 7))]}, **values)


@pytest.mark.parametrize("value", ["1e400", "-1e400", "9" * 5000, "[1e400]"])
def test_a_number_out_of_range_where_text_belongs_rejects_its_record_only(place: Bench, value: str) -> None:
    pages, _ = read_all(place, centre(lambda _: listed(named(1, companyName="ODD"), ODD=value)))
    assert pages[0].rejected == (Rejected(guid(1), "companyName is not text."),)
    assert len(pages[0].customers) == 5


def test_a_number_out_of_range_in_a_field_that_nobody_reads_is_no_matter(place: Bench) -> None:
    pages, _ = read_all(place, centre(lambda _: listed(record(1, mood="ODD"), ODD="1e400")))
    assert (len(pages[0].customers), pages[0].rejected) == (6, ())


@pytest.mark.parametrize("value", ["1e400", "9" * 5000, "null", "[]"])
def test_one_subscription_with_an_amount_beyond_sense_leaves_the_others(place: Bench, value: str) -> None:
    bought = {"items": [{"id": f"S{n}", "quantity": "ODD" if n == 1 else n, "status": "active"} for n in range(4)]}

    def detail(request: Request) -> Answer | None:
        return raw(bought, ODD=value) if request.path.endswith("subscriptions") else None

    pages, _ = read_all(place, centre(lambda _: listing([record(1)]), detail))
    assert [each.subscription_id for each in only(pages).subscriptions or ()] == ["S0", "S2", "S3"]
    assert [each.record_id for each in pages[0].rejected] == [f"{guid(1)}, subscription S1"]


@pytest.mark.parametrize(
    ("twice", "is_read"),
    [
        ('"companyName": "A", "companyName": "B"', False),
        ('"companyName": "A", "companyName": "A"', True),
        ('"mood": 1, "mood": 2', True),
    ],
)
def test_a_key_given_twice_counts_where_both_say_the_same_and_is_nobodys_guess_else(
    place: Bench, twice: str, *, is_read: bool
) -> None:
    item = record(1)
    item["companyProfile"]["ODD"] = "VALUE"
    text = json.dumps(item).replace('"ODD": "VALUE"', twice)
    if "companyName" in twice:
        text = text.replace('"companyName": "Customer 1", ', "")
    rest = json.dumps([record(n) for n in range(2, 7)])[1:]
    body = f'{{"totalCount": 6, "items": [{text}, {rest}}}'
    pages, _ = read_all(place, centre(lambda _: Answer(body.encode())))
    assert len(pages[0].customers) == 5 + is_read
    assert pages[0].rejected == (() if is_read else (Rejected(guid(1), "companyName is not text."),))


def test_a_refusal_whose_code_is_out_of_range_is_still_told(place: Bench) -> None:
    answer = raw({"code": "ODD", "description": "Not today."}, ODD="1e400")
    answer.status = 410
    assert "(410: “Not today.”" in fail(place, centre(lambda _: answer)).what


@pytest.mark.parametrize("place_of", ["companyName", "relationshipToPartner", "mood"])
def test_a_record_of_ten_megabytes_is_read_or_rejected(place: Bench, store: Store, home: Path, place_of: str) -> None:
    item = named(1, companyName="x" * MEGABYTES) if place_of == "companyName" else record(1)
    if place_of != "companyName":
        item[place_of] = "y " * (MEGABYTES // 2) if place_of != "mood" else {f"k{n}": "z" * 90 for n in range(100_000)}
    server = place.serve(centre(lambda _: listing([item, record(2)])))
    run = sync(service_of(place, server, store, home, PATIENT))
    assert (run.state, run.result["new"]) == (RunState.DONE, 2)
    assert max(len(row[0]) for row in rows_of(store, t.ProviderAccount.name)) <= 500


def test_a_customer_of_twenty_thousand_domains_costs_what_changed(place: Bench, store: Store, home: Path) -> None:
    """Rows written: all at first, next to none when nothing changed, the domain and its words when one did."""
    names = [f"d{n}.customer-{n % 97}.example" for n in range(MANY)]

    def detail(request: Request) -> Answer | None:
        return Answer(names) if request.path.endswith("customDomains") else None

    service = service_of(place, place.serve(centre(lambda _: listing([record(1)]), detail)), store, home, PATIENT)
    written = [0]

    def count(_a: Any, _b: Any, statement: str, values: Any, _c: Any, is_many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's
        if statement.lstrip()[:6] in ("INSERT", "DELETE", "UPDATE"):
            written[0] += len(values) if is_many else 1

    sa.event.listen(store.engine, "before_cursor_execute", count)
    costs, outcomes = [], []
    for step in range(3):
        written[0] = 0
        if step == 2:
            names[5] = "other.example"
        run = sync(service)
        assert run.state is RunState.DONE
        costs.append(written[0])
        outcomes.append([word for word in ("new", "unchanged", "changed") if run.result[word]])
    assert outcomes == [["new"], ["unchanged"], ["changed"]]
    assert costs[0] > MANY
    assert costs[1] < 50
    assert costs[2] < 100
    assert len(rows_of(store, t.ProviderAccountDomain.domain)) == MANY + 1  # and the default one
