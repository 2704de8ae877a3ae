"""Words by which firms of one group differ: learned from accounts on one domain, and a doubt where names differ so."""

from __future__ import annotations

import pytest

from w365.matching.candidates import Suggester
from w365.matching.comparison_records import ComparedCustomer, Prospect, ProspectDomain
from w365.matching.guards import find_guard
from w365.matching.unit_words import are_units, telling_words
from w365.model import Evidence, Guard, Rule

UNITS = frozenset({"holding", "logistik"})
PROOF = (Evidence(Rule.ACCOUNT_WEBSITE, "bergmann.de"),)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["Bergmann Holding", "Bergmann Logistik GmbH"], {"holding", "logistik"}),
        (["Bergmann", "Bergmann Holding", "Nordwind"], {"holding"}),
        (["Bergmann Alt Holding", "Bergmann Logistik Nord"], set()),
        (["Bergmann Holding", "Bergmann Holding"], set()),
        (["Bergmann Holding"], set()),
        ([f"Bergmann {letter}xyz" for letter in "abcdefghij"], set()),
    ],
)
def test_unit_words_are_those_by_which_few_accounts_on_a_domain_differ(names: list[str], words: set[str]) -> None:
    assert telling_words(names) == words


@pytest.mark.parametrize(
    ("ours", "theirs", "are"),
    [
        ("bergmann holding", "bergmann logistik", True),
        ("bergmann", "bergmann logistik", False),
        ("holding", "logistik", False),
        ("bergmann holding", "bergmann technik", False),
        ("bergmann holding", "nordwind logistik", False),
    ],
)
def test_two_firms_of_a_group_have_a_unit_word_each(ours: str, theirs: str, *, are: bool) -> None:
    assert are_units(ours.split(), theirs.split(), UNITS) is are


def test_the_guard_leaves_a_sister_firm_to_a_person() -> None:
    customer, account = ComparedCustomer("Bergmann Holding GmbH"), Prospect(1, "Bergmann Logistik GmbH")
    assert find_guard(customer, account, PROOF, units=UNITS) is Guard.UNIT_WORDS
    assert find_guard(customer, account, PROOF) is None
    assert find_guard(customer, account, PROOF, units=UNITS, guards=frozenset(Guard) - {Guard.UNIT_WORDS}) is None


def test_a_sister_firm_with_the_domain_comes_after_the_firm_without_it() -> None:
    accounts = [
        Prospect(1, "Bergmann Logistik GmbH", (ProspectDomain("bergmann.de", Rule.ACCOUNT_WEBSITE),)),
        Prospect(2, "Bergmann Holding GmbH"),
    ]
    given = Suggester(accounts, units=UNITS).suggest(ComparedCustomer("Bergmann Holding", ("bergmann.de",)), {1: PROOF})
    assert [one.account_id for one in given] == [2, 1]
    assert "other_unit" in {signal.name for signal in given[1].signals}
