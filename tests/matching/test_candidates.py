from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from w365.matching.candidates import Suggester
from w365.matching.comparison_records import ComparedCustomer, Prospect, ProspectDomain, known
from w365.matching.prospects import Prospects
from w365.model import Evidence, Rule

DOMAINS = ("contoso.com", "mail.contoso.com", "contoso.de", "gmail.com", "fabrikam.de", "nit.org")
NAMES = ("Contoso GmbH", "Contoso", "CONTOSO", "Fabrikam", "NIT", "Northwind Interstate Traders", "")
_domains = st.lists(
    st.builds(ProspectDomain, st.sampled_from(DOMAINS), st.just(Rule.CONTACT_DOMAIN), st.just(1)), max_size=2
).map(tuple)
_prospects = st.builds(Prospect, st.integers(1, 6), st.sampled_from(NAMES), _domains, st.sampled_from(("", "DE", "FR")))
_subjects = st.builds(
    ComparedCustomer, st.sampled_from(NAMES), st.lists(st.sampled_from(DOMAINS), max_size=2).map(tuple)
)
FREE = frozenset({"gmail.com"})


def on(*names: str) -> tuple[ProspectDomain, ...]:
    return tuple(ProspectDomain(name, Rule.CONTACT_DOMAIN, 1) for name in names)


def found(suggester: Suggester, subject: ComparedCustomer, **more: object) -> list[int]:
    return [one.account_id for one in suggester.suggest(subject, {}, **more)]


def test_accounts_are_found_by_name_by_domain_by_label_and_by_initials() -> None:
    suggester = Suggester(
        [
            Prospect(1, "Wingtip Toys"),
            Prospect(2, "Old name of somebody", on("shop.wingtip.com")),
            Prospect(3, "Another old name", on("wingtip.fr")),
            Prospect(4, "WT"),
            Prospect(5, "Adventure Works"),
        ]
    )
    assert set(found(suggester, ComparedCustomer("Wingtip Toys", ("wingtip.com",)))) == {1, 2, 3, 4}


def test_a_domain_that_almost_spells_a_name_finds_it() -> None:
    suggester = Suggester([Prospect(1, "Adventure Works Cycles"), Prospect(2, "Fabrikam"), Prospect(3, "Zzz")])
    assert found(suggester, ComparedCustomer("Qqq", ("adventureworks.com",)))[:1] == [1]


def test_a_crowded_domain_gives_the_same_accounts_in_any_order() -> None:
    crowd = [Prospect(at, f"Zzz {at}", on(f"d{at}.contoso.com")) for at in range(400)]
    subject = ComparedCustomer("Qqq", ("contoso.com",))
    assert found(Suggester(crowd), subject) == found(Suggester(crowd[::-1]), subject) != []


def test_supported_accounts_come_first_among_equals_then_the_lower_id() -> None:
    suggester = Suggester([Prospect(at, "Contoso") for at in (3, 1, 2)])
    assert found(suggester, ComparedCustomer("Contoso")) == [1, 2, 3]
    evidence = {3: (Evidence(Rule.CONTACT_DOMAIN, "contoso.com", 1, "c"),)}
    assert suggester.suggest(ComparedCustomer("Contoso", ("contoso.com",)), evidence)[0].account_id == 3


def test_a_supported_account_is_a_candidate_whatever_its_name() -> None:
    suggester = Suggester([Prospect(1, "Contoso"), Prospect(2, "Zzz")])
    evidence = {2: (Evidence(Rule.ACCOUNT_WEBSITE, "contoso.com"),)}
    assert {one.account_id for one in suggester.suggest(ComparedCustomer("Contoso", ("contoso.com",)), evidence)} == {
        1,
        2,
    }


def test_a_rejected_account_is_not_suggested_again() -> None:
    suggester = Suggester([Prospect(1, "Contoso"), Prospect(2, "Contoso")])
    assert found(suggester, ComparedCustomer("Contoso"), rejected=frozenset({1})) == [2]


def test_the_mapping_at_another_provider_is_a_candidate() -> None:
    suggester = Suggester([Prospect(1, "Contoso"), Prospect(2, "Zzz")])
    best = suggester.suggest(ComparedCustomer("Qqq"), {}, mapped_elsewhere={2: "Pax8"})
    assert [one.account_id for one in best] == [2]
    assert "Pax8" in best[0].signals[0].text


def test_free_mail_brings_nobody_together() -> None:
    accounts = [Prospect(1, "Zzz", on("gmail.com"))]
    subject = ComparedCustomer("Qqq", ("gmail.com",))
    assert found(Suggester(accounts, ignored=FREE), subject) == []
    assert found(Suggester(accounts), subject) == [1]


def test_of_many_accounts_with_one_name_none_is_likely() -> None:
    one = Suggester([Prospect(1, "Contoso")]).suggest(ComparedCustomer("Contoso"), {})[0]
    many = Suggester([Prospect(at, "Contoso") for at in range(10)]).suggest(ComparedCustomer("Contoso"), {})[0]
    assert one.score > 0.8
    assert many.score <= 0.1


def test_no_more_than_the_limit_are_given() -> None:
    suggester = Suggester([Prospect(at, "Contoso") for at in range(10)])
    assert len(found(suggester, ComparedCustomer("Contoso"), limit=3)) == 3


@given(st.lists(_prospects | st.integers(1, 6), max_size=12), _subjects)
def test_a_suggester_that_was_kept_up_to_date_answers_as_a_new_one(
    changes: list[Prospect | int], subject: ComparedCustomer
) -> None:
    kept, alive = Suggester(ignored=FREE), dict[int, Prospect]()
    for change in changes:
        if isinstance(change, Prospect):
            kept.put(change)
            alive[change.account_id] = change
        else:
            kept.drop(change)
            alive.pop(change, None)
    evidence = {at: (Evidence(Rule.ACCOUNT_EMAIL, "contoso.com"),) for at in alive if at % 2}
    assert kept.suggest(subject, evidence) == Suggester(alive.values(), ignored=FREE).suggest(subject, evidence)


@given(st.lists(_prospects, max_size=6, unique_by=lambda one: one.account_id), _subjects)
def test_the_order_of_accounts_does_not_matter(prospects: list[Prospect], subject: ComparedCustomer) -> None:
    forward, backward = Suggester(prospects), Suggester(prospects[::-1])
    assert forward.suggest(subject, {}) == backward.suggest(subject, {})


@given(st.lists(_prospects, max_size=6, unique_by=lambda one: one.account_id), _subjects)
def test_scores_fall_and_share_one_chance(prospects: list[Prospect], subject: ComparedCustomer) -> None:
    scores = [one.score for one in Suggester(prospects).suggest(subject, {}, limit=9)]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) <= 1.0


def test_an_inactive_account_comes_after_its_active_twin() -> None:
    account = Prospect(1, "Contoso", is_active=False)
    assert found(Suggester([account, replace(account, account_id=2, is_active=True)]), ComparedCustomer("Contoso")) == [
        2,
        1,
    ]


def test_an_account_comes_back_as_it_was_put() -> None:
    domains = (ProspectDomain("contoso.com", Rule.CONTACT_DOMAIN, 12), ProspectDomain("x.de", Rule.ACCOUNT_WEBSITE))
    account = Prospect(7, "Contoso & Söhne", domains, "DE", "Köln", "A7", "guid", is_active=False)
    kept = Prospects()
    kept.put(account)
    assert kept.get(7) == account
    assert kept.get(8) is None
    assert kept.at([kept.put(replace(account, account_id=8))]) == [8]


@given(
    st.text() | st.sampled_from(("Karlsruher Institut für Technologie (KIT)", "Müller [old]", "The North Bank plc")),
    st.lists(st.sampled_from(DOMAINS) | st.from_regex("[a-z]{1,5}(\\.[a-z]{1,5}){1,3}", fullmatch=True), max_size=3),
)
def test_an_account_is_kept_with_what_would_be_worked_out(name: str, domains: list[str]) -> None:
    account = Prospect(7, name.replace("\x1f", ""), on(*domains), "DE", "Köln")
    kept = Prospects()
    kept.put(account)
    assert kept.known(7) == known(account)


def test_a_suggester_makes_room_when_accounts_changed_often() -> None:
    suggester = Suggester()
    for turn in range(1500):
        suggester.put(Prospect(1, f"Contoso {turn}", on("contoso.com")))
        suggester.put(Prospect(2, "Fabrikam", on(f"fabrikam{turn}.com")))
    assert found(suggester, ComparedCustomer("Contoso 1499", ("fabrikam1499.com",))) == [1, 2]
    assert suggester._prospects.places < 1100


def test_the_account_that_was_held_back_stands_first_whatever_its_score() -> None:
    suggester = Suggester([Prospect(1, "Contoso"), Prospect(2, "Zzz")])
    evidence = {2: (Evidence(Rule.CONTACT_DOMAIN, "contoso.com", 1, "c"),)}
    given = suggester.suggest(ComparedCustomer("Contoso", ("contoso.com",)), evidence, first=2)
    assert [one.account_id for one in given] == [2, 1]
    assert given[0].score < given[1].score
