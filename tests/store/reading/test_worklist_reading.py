"""The grid's rows: every order is whole, without gap or double, and what a person types finds what it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fresh_stores import FreshStores
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from service.fakes import (
    ADMIN,
    ANALYST,
    VIEWER,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    contact,
    crm_sync,
    customer,
    id_of,
    make_service,
    pages_of,
    rows_of,
    subscription,
    sync,
)

from w365.model import ListPart, Reason, Status
from w365.service import Service
from w365.service.deciding import mapping
from w365.service.insight import activity
from w365.service.reading import account_lookup, records
from w365.service.syncing import providers
from w365.store import tables as t
from w365.store.insight.activity import ActivityFilter
from w365.store.reading.row_counts import count_rows, count_statuses
from w365.store.reading.worklist import Filter, Row, Sort, list_ids

NAMES = {
    "p1": ("Coho O'Winery GmbH", "coho-winery.de"),
    "p2": ("Müller-Lüdenscheidt AG", "müller.de"),
    "p3": ("100 % Bio_Kost", "bio.com"),
    "p4": ('The "Best" Ltd', "best.co.uk"),
    "p5": ("Éclair École", "eclair.fr"),
    "p6": ("شركة النور", "noor.ae"),
    "p7": ("coho", "x.onmicrosoft.com"),
    "p8": ("Zebra " + "z" * 120, "z" * 60 + "." + "y" * 60 + ".com"),
}


@pytest.fixture(scope="module")
def service(_stores: FreshStores, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Eight customers in every state, and a manual provider with three; nobody here changes them."""
    store = _stores()
    _stores.taken.remove(store)  # kept for the module
    crm = FakeCrm()
    crm.put(
        account("a1", name="Contoso Holding", number="K-17"),
        account("a2", name="Contoso", website="best.co.uk"),
        account("a3", name="O'Reilly & Söhne", number="K-1", website="best.co.uk", city="Köln"),
        account("a4", name="Old Contoso Ltd", is_active=False),
        contact("c1", "a1", "coho-winery.de"),
    )
    listed = [
        customer(one, domain, name=name, subscriptions=(subscription(1, place % 3),))
        for place, (one, (name, domain)) in enumerate(NAMES.items())
    ]
    portal = FakePortal(pages_of(listed))
    made = make_service(store, tmp_path_factory.mktemp("home"), portal=portal, crm=crm)
    crm_sync(made)
    sync(made)
    manual = providers.add_manual_provider(made, ADMIN, "By hand")
    rows = [providers.ManualAccount(f"m{place}", "Contoso Twin", ("twin.com",)) for place in range(3)]
    providers.add_manual_accounts(made, ADMIN, manual, rows)
    mapping.assign_account(made, ANALYST, id_of(store, "p1"), account_id_of(store, "a1"), seen=0)
    mapping.exclude_row(made, ANALYST, id_of(store, "p3"), seen=0, reason="test tenant")
    mapping.park_row(made, ANALYST, id_of(store, "p5"), seen=0, reason="later")
    portal.served = pages_of(listed[:6] + listed[7:])
    sync(made)
    return made


def found(service: Service, text: str) -> set[str]:
    return {row.specific_id for row in records.list_rows(service, VIEWER, Filter(text=text))}


# --- order ---


def key_of(service: Service, sort: Sort) -> Callable[[int], Any]:
    work = t.Worklist
    columns = {
        Sort.NAME: work.name_key,
        Sort.DOMAIN: work.domain_key,
        Sort.ACCOUNT: work.account_key,
        Sort.PROVIDER: work.provider_id,
        Sort.SPECIFIC_ID: work.specific_id,
        Sort.REASON: work.reason,
        Sort.STATUS: work.status,
        Sort.SEATS: work.seats,
        Sort.DECIDED: work.version,
    }
    keys = dict(rows_of(service.store, work.provider_account_id, columns[sort]))
    return lambda row_id: (keys[row_id], row_id)


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("descending", [False, True])
@given(size=st.integers(1, 5), wanted=st.sampled_from((Filter(), Filter(text="co"), Filter(part=ListPart.GONE))))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_pages_of_every_order_have_no_gap_and_no_double(
    service: Service, sort: Sort, *, descending: bool, size: int, wanted: Filter
) -> None:
    with service.store.read() as connection:
        total = count_rows(connection, wanted)
        pages = [
            list_ids(connection, wanted, sort, descending=descending, start=start, limit=size)
            for start in range(0, total + size, size)
        ]
        everything = list_ids(connection, wanted, sort, descending=descending)
    paged = [one for page in pages for one in page]
    assert paged == everything == sorted(everything, key=key_of(service, sort), reverse=descending)
    assert len(paged) == total


# --- filters ---


def test_filters_narrow_and_join(service: Service) -> None:
    def ids(**parts: Any) -> set[str]:
        return {row.specific_id for row in records.list_rows(service, VIEWER, Filter(**parts))}

    assert ids(statuses=(Status.MAPPED,)) == {"p1"}
    assert ids(statuses=(Status.EXCLUDED, Status.PARKED)) == {"p3", "p5"}
    assert ids(statuses=(Status.CONFLICT,)) == ids(reasons=(Reason.SEVERAL_ACCOUNTS,)) == {"p4"}
    assert ids(part=ListPart.GONE) == ids(part=ListPart.GONE, text="coho") == {"p7"}
    assert ids(account_id=account_id_of(service.store, "a1")) == {"p1"}
    manual = providers.find_provider(service, VIEWER, "manual").id
    assert ids(providers=(manual,)) == {"m0", "m1", "m2"}
    assert ids(providers=(manual,), text="coho") == set()


def test_lists_and_counts_leave_out_the_same_gone_and_unmapped_rows(service: Service) -> None:
    with service.store.read() as connection:
        found_counts = count_statuses(connection)
        listed = count_rows(connection, Filter())
    assert sum(one.accounts for one in found_counts) == listed
    assert sum(one.accounts for one in found_counts if one.status is Status.UNMAPPED) == 6


def test_more_rows_than_one_answer_may_hold_are_not_given(service: Service) -> None:
    assert len(records.list_rows(service, VIEWER, Filter(), limit=10**9)) == 10
    assert records.list_rows(service, VIEWER, Filter(), start=-5, limit=1)[0].name == "100 % Bio_Kost"


# --- search ---


@pytest.mark.parametrize("specific_id", [one for one in NAMES if one != "p7"])
def test_the_name_and_the_domain_as_they_are_shown_find_the_row(service: Service, specific_id: str) -> None:
    (row,) = [one for one in _rows(service) if one.specific_id == specific_id]
    for text in (row.name, row.domain, row.specific_id, row.name.upper(), row.domain[:-2]):
        assert specific_id in found(service, text), text


def _rows(service: Service) -> list[Row]:
    return records.list_rows(service, VIEWER, Filter())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("coho", {"p1"}),  # p7 is gone
        ("winery coho", {"p1"}),
        ("o'win", {"p1"}),
        ("coho-win", {"p1"}),
        ("muller", {"p2"}),
        ("MÜLLER lüd", {"p2"}),
        ("eclair ecole", {"p5"}),
        ("bio_k", {"p3"}),
        ('"best"', {"p4"}),
        ("النور", {"p6"}),
        ("contoso holding", {"p1"}),  # by the account it is mapped to
        ("k-17", {"p1"}),
        ("z" * 120, {"p8"}),
        ("winery.de", set()),  # the middle of a domain is no beginning
        ("%", set()),
        ("_", set()),
        ("o_o", set()),
        ("'; DROP TABLE word; --", set()),
        ("coho nowhere", set()),
    ],
)
def test_a_search_finds_beginnings_of_words_and_nothing_by_wild_cards(
    service: Service, text: str, expected: set[str]
) -> None:
    assert found(service, text) == expected


def test_a_blank_search_filters_nothing(service: Service) -> None:
    assert len(found(service, "  ")) == 10


@given(text=st.text(max_size=12))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_a_search(service: Service, text: str) -> None:
    if "\x00" not in text and text.isprintable():
        found(service, text)
        account_lookup.search_accounts(service, VIEWER, text)
        activity.count_decisions(service, VIEWER, ActivityFilter(text=text))


# --- the lookup cell ---


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("contoso", ["Contoso", "Contoso Holding", "Old Contoso Ltd"]),
        ("cont hol", ["Contoso Holding"]),
        ("holding con", ["Contoso Holding"]),
        ("o'reilly", ["O'Reilly & Söhne"]),
        ("sohne", ["O'Reilly & Söhne"]),
        ("k-1", ["O'Reilly & Söhne", "Contoso Holding"]),
        ("best.co.uk", ["Contoso", "O'Reilly & Söhne"]),
        ("", []),
        ("%", []),
    ],
)
def test_what_is_typed_ranks_the_exact_first_then_beginnings_then_the_rest(
    service: Service, text: str, names: list[str]
) -> None:
    assert [hit.name for hit in account_lookup.search_accounts(service, VIEWER, text)] == names


def test_an_inactive_account_is_found_and_marked(service: Service) -> None:
    (hit,) = account_lookup.search_accounts(service, VIEWER, "old contoso")
    assert not hit.is_active


# --- the record and the activity ---


def test_the_record_of_every_kind_of_row_can_be_read(service: Service) -> None:
    for row in _rows(service):
        record = records.read_record(service, VIEWER, row.id)
        assert record.row == row
        assert (record.mapped is not None) == (row.status is Status.MAPPED)
        assert (record.gone_at is not None) == row.is_gone
        assert bool(record.disposition_reason) == (row.status in (Status.EXCLUDED, Status.PARKED))
        assert row.account_id not in {one.hit.account_id for one in record.candidates} or row.account_id is None
        assert records.propose_account(record).name == row.name[:160]


def test_a_record_in_conflict_shows_both_accounts_with_their_evidence(service: Service) -> None:
    record = records.read_record(service, VIEWER, id_of(service.store, "p4"))
    assert {one.hit.name for one in record.candidates[:2]} == {"Contoso", "O'Reilly & Söhne"}
    assert all("best.co.uk" in " ".join(one.evidence) for one in record.candidates[:2])
    assert [(one.name, one.accounts) for one in record.domains] == [("best.co.uk", 2)]


def test_decisions_are_listed_by_actor_kind_and_words(service: Service) -> None:
    def kinds(**parts: Any) -> list[str]:
        return [one.kind.value for one in activity.list_decisions(service, VIEWER, ActivityFilter(**parts))]

    assert kinds() == ["park", "exclude", "map"]
    assert kinds(text="holding") == kinds(text="o'winery") == ["map"]
    assert kinds(actor="nobody") == []
    assert kinds(by_hand=True) == ["park", "exclude", "map"]
    assert activity.list_actors(service, VIEWER) == ["ben"]
