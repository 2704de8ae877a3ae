from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from w365.matching.index import NameIndex

WORDS = ("contoso", "fabrikam", "north", "wind", "traders", "city", "hospital", "bank", "müller", "university")
_names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
_changes = st.lists(st.tuples(st.integers(0, 6), _names | st.none()), max_size=25)


def test_the_name_itself_comes_first_with_likeness_one() -> None:
    index = NameIndex([(1, "Contoso GmbH"), (2, "Fabrikam Inc."), (3, "Contoso Hospital")])
    found = index.search("CONTOSO")
    assert found[0][0] == 1
    assert found[0][1] > 0.999
    assert [account_id for account_id, _ in found] == [1, 3]


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    index = NameIndex([(at, f"City of Place{at}") for at in range(50)] + [(99, "Wingtip Village")])
    assert index.search("City of Wingtip")[0][0] == 99


def test_a_typing_error_is_forgiven() -> None:
    index = NameIndex([(1, "Northwind Traders"), (2, "Southridge Video"), (3, "Adventure Works")])
    assert index.search("Nortwhind Tradres")[0][0] == 1


def test_an_account_is_found_by_each_of_its_names_and_once() -> None:
    index = NameIndex([(1, "Karlsruher Institut für Technologie"), (1, "KIT"), (2, "Fabrikam")])
    assert [account_id for account_id, _ in index.search("KIT")] == [1]
    assert [account_id for account_id, _ in index.search("Karlsruher Institut")] == [1]
    index.discard(1)
    assert index.search("KIT") == []


def test_nothing_is_found_for_nothing() -> None:
    assert NameIndex().search("contoso") == []
    assert NameIndex([(1, "contoso")]).search("") == []
    assert NameIndex([(1, "contoso")]).search("zzz") == []


def test_equal_names_come_in_the_order_of_their_ids() -> None:
    index = NameIndex([(at, "Contoso") for at in (5, 3, 9, 1)])
    assert [account_id for account_id, _ in index.search("Contoso")] == [1, 3, 5, 9]
    many = NameIndex([(at, "Contoso") for at in range(300, 0, -1)])
    assert [account_id for account_id, _ in many.search("Contoso", 3)] == [1, 2, 3]


@given(_changes, _names)
def test_an_index_that_grew_answers_as_one_built_at_once(changes: list[tuple[int, str | None]], wanted: str) -> None:
    grown, names = NameIndex(), dict[int, str]()
    for account_id, name in changes:
        grown.discard(account_id)
        names.pop(account_id, None)
        if name is not None:
            grown.add(account_id, name)
            names[account_id] = name
    assert grown.search(wanted) == NameIndex(names.items()).search(wanted)
    assert len(grown) == len(names)


def test_an_index_keeps_its_answers_when_it_makes_room() -> None:
    index = NameIndex([(at, f"customer {at}") for at in range(3000)])
    for at in range(2900):
        index.discard(at)
    assert len(index) == 100
    assert index.search("customer 2950") == NameIndex([(at, f"customer {at}") for at in range(2900, 3000)]).search(
        "customer 2950"
    )
    assert len(index._keys) < 3000
