"""Ways in which the right account is found and told from others, one test each."""

from __future__ import annotations

import pytest

from w365.matching.candidates import Suggester
from w365.matching.comparison_records import ComparedCustomer, Prospect, ProspectDomain
from w365.model import Rule

FIRST, LAST = ("Klaus", "Sabine", "Petra", "Uwe"), ("Lange", "Stein", "Vogt", "Kraus")
CROWD = [Prospect(100 + at, f"{FIRST[at // 4]} {LAST[at % 4]}") for at in range(16)]


def hosted(name: str, label: str) -> ComparedCustomer:
    return ComparedCustomer(name, hosted=(f"{label}.onmicrosoft.com",))


@pytest.mark.parametrize(
    ("customer", "account", "signal"),
    [
        (hosted("Dora Lange", "malerbetriebhell"), Prospect(1, "Malerbetrieb Hell"), "label_begins"),
        (hosted("Dora Lange", "malerbetriebhe"), Prospect(1, "Malerbetrieb Hell GmbH"), "label_begins"),
        (hosted("Dora Lange", "malerbet4711"), Prospect(1, "Malerbetrieb Hell GmbH"), "label_begins"),
        (hosted("Dora Lange", "malerbetriebhellgmbh"), Prospect(1, "Malerbetireb Hell"), "label_begins"),
        (ComparedCustomer("BTB Verkehr"), Prospect(1, "Bonner Tram Betriebe"), "acronym"),
        (ComparedCustomer("Bonner Tram Betriebe Sued"), Prospect(1, "BTB Verkehr"), "acronym"),
        (ComparedCustomer("Wasserwerk Bonn"), Prospect(1, "Wasserwerk Bnon"), "one_slip"),
        (ComparedCustomer("Wasserwerk Bonn am Rhein"), Prospect(1, "Wasserwerk Bonn am R"), "cut_off"),
    ],
)
def test_an_account_is_found_and_says_by_what(customer: ComparedCustomer, account: Prospect, signal: str) -> None:
    best = Suggester([*CROWD, account]).suggest(customer, {})[0]
    assert best.account_id == 1
    assert signal in {each.name for each in best.signals}


@pytest.mark.parametrize(
    ("name", "right", "wrong", "signal"),
    [
        ("Gartenweg 12", "Hausverein Gartenweg 12", "Gartenweg 14", "other_number"),
        ("Nordwind GmbH", "Nordwind", "Nordwind AG", "other_legal_form"),
    ],
)
def test_a_difference_that_tells_speaks_against(name: str, right: str, wrong: str, signal: str) -> None:
    given = Suggester([*CROWD, Prospect(1, wrong), Prospect(2, right)]).suggest(ComparedCustomer(name), {})
    assert [one.account_id for one in given[:2]] == [2, 1]
    assert signal in {each.name for each in given[1].signals}


def test_a_short_word_that_differs_is_no_slip() -> None:
    (given,) = Suggester([Prospect(1, "TLG Immobilien")]).suggest(ComparedCustomer("TAG Immobilien"), {})
    assert "one_slip" not in {each.name for each in given.signals}


def test_of_namesakes_the_one_whose_label_says_something_else_comes_later() -> None:
    own = (ProspectDomain("kancelaria-lange.pl", Rule.ACCOUNT_WEBSITE),)
    accounts = [Prospect(1, "Klaus Lange"), Prospect(2, "Klaus Lange", own)]
    given = Suggester(accounts).suggest(hosted("Klaus Lange", "kancelarialange"), {})
    assert [one.account_id for one in given] == [2, 1]
    assert "other_label" in {each.name for each in given[1].signals}
