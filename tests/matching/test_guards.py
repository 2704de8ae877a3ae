from __future__ import annotations

from dataclasses import replace

import pytest

from w365.matching.comparison_records import ComparedCustomer, Prospect, ProspectDomain
from w365.matching.guards import ALL_GUARDS, find_guard
from w365.matching.messages import GUARD_MEANINGS, REASON_WORDS
from w365.model import Evidence, Guard, Reason, Rule

SUBJECT = ComparedCustomer("Contoso", ("contoso.com",), "DE")
LONE = (Evidence(Rule.CONTACT_DOMAIN, "contoso.com", 1, "c1"),)
WEBSITE = (Evidence(Rule.ACCOUNT_WEBSITE, "contoso.com"),)


def account(name: str, country: str = "DE", *own: str) -> Prospect:
    domains = (ProspectDomain("contoso.com", Rule.CONTACT_DOMAIN, 1), *(ProspectDomain(one, WEB) for one in own))
    return Prospect(1, name, domains, country)


WEB = Rule.ACCOUNT_WEBSITE
HELD = [
    (Guard.NAMESAKE, SUBJECT, account("Fabrikam"), WEBSITE, True),
    (Guard.LONE_CONTACT_ABROAD, SUBJECT, account("Contoso Overseas", "FR"), LONE, False),
    (Guard.LONE_CONTACT, SUBJECT, account("Fabrikam", "", "fabrikam.com"), LONE, False),
    (Guard.PART_BY_NAME, SUBJECT, account("Institut für Zoologie"), LONE, False),
    (Guard.SUFFIX_LIKE, SUBJECT, account("Fabrikam"), (Evidence(Rule.ACCOUNT_WEBSITE, "ac.zz"),), False),
]


@pytest.mark.parametrize(("guard", "subject", "found", "evidence", "has_namesake"), HELD)
def test_each_guard_holds_back_what_it_means_and_only_when_it_is_on(
    guard: Guard, subject: ComparedCustomer, found: Prospect, evidence: tuple[Evidence, ...], *, has_namesake: bool
) -> None:
    assert find_guard(subject, found, evidence, has_namesake=has_namesake) is guard
    others = ALL_GUARDS - {guard}
    assert find_guard(subject, found, evidence, has_namesake=has_namesake, guards=others) is None
    assert find_guard(subject, found, evidence, has_namesake=has_namesake, guards=frozenset()) is None


@pytest.mark.parametrize(("guard", "subject", "found", "evidence", "has_namesake"), HELD)
def test_nothing_holds_back_the_same_name_or_the_tenant_id(
    guard: Guard, subject: ComparedCustomer, found: Prospect, evidence: tuple[Evidence, ...], *, has_namesake: bool
) -> None:
    assert find_guard(subject, replace(found, name="CONTOSO GmbH"), evidence, has_namesake=has_namesake) is None
    certain = (*evidence, Evidence(Rule.TENANT_GUID, ""))
    assert find_guard(subject, found, certain, has_namesake=has_namesake) is None


@pytest.mark.parametrize(
    ("found", "evidence"),
    [
        (account("Fabrikam", "DE"), LONE),  # no other domain
        (account("Fabrikam", "DE", "fabrikam.com"), (replace(LONE[0], contacts=2),)),
        (account("Fabrikam", "FR", "fabrikam.com"), (*LONE, *WEBSITE)),
        (account("Contoso Overseas", "", "fabrikam.com"), LONE),
        (account("Fabrikam", "DE", "www.contoso.com"), LONE),  # the same registrable domain
        (account("Fabrikam", "DE", "gmail.com"), LONE),
        (account("Institut für Zoologie"), WEBSITE),
        (account("Contoso Institut"), LONE),  # the domain spells a word of it
        (account("Fabrikam"), (Evidence(Rule.ACCOUNT_WEBSITE, "ac.zzz"),)),  # no country has three letters
    ],
)
def test_what_is_merely_unusual_is_mapped(found: Prospect, evidence: tuple[Evidence, ...]) -> None:
    assert find_guard(SUBJECT, found, evidence, ignored=frozenset({"gmail.com"})) is None


def test_an_acronym_is_a_name_in_common() -> None:
    found = account("Northwind Interstate Traders", "DE", "fabrikam.com")
    assert find_guard(replace(SUBJECT, name="NIT"), found, LONE) is None


def test_every_guard_has_its_sentence_and_is_the_reason_of_its_name() -> None:
    assert set(GUARD_MEANINGS) == set(Guard)
    assert all(Reason(guard.value) in REASON_WORDS for guard in Guard)
