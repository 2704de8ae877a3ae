from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w365.matching.names import (
    SAME_WORD,
    _plain_words,
    acronyms,
    are_different_forms,
    capitals,
    fold_name,
    initials,
    legal_form,
    name_forms,
    name_tokens,
    run_together,
    runs_of,
    squashed,
    without_brackets,
    without_notes,
)


@pytest.mark.parametrize(
    "name",
    [
        "Contoso",
        "CONTOSO GmbH",
        "Contoso GmbH & Co. KG",
        "The Contoso Company, Inc.",
        "Contoso s.r.o.",
        "Contoso Sp. z o.o.",
        "Contoso S.à r.l.",
        "Contoso A/S",
        "Contoso S.p.A.",
        "Contoso, LLC",
        "Contoso Pty. Ltd.",
        "Contoso S.A. de C.V.",
        "Contoso Sdn. Bhd.",
        "Contoso (US)",
        "SIA Contoso",
        "Contoso DOO S.A.",
        "Contoso Aktiengesellschaft",
        "株式会社 Contoso",
    ],
)
def test_a_name_is_the_same_with_any_legal_form(name: str) -> None:
    assert fold_name(name) == "contoso"


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Łódź Ørsted Æ ß Đ", "lodz orsted ae ss d"),
        ("Meyer & Söhne", "meyer and sohne"),
        ("L'Oréal", "oreal"),
        ("St. John’s", "st johns"),
        ("Ромашка", "ромашка"),
        ("한국전력", "한국전력"),
        ("Auckland Zoo", "auckland zoo"),
        ("AS Tallink", "as tallink"),
        ("GmbH & Co. KG", "gmbh and co kg"),
    ],
)
def test_accents_and_punctuation_fold_away(name: str, folded: str) -> None:
    assert fold_name(name) == folded


@pytest.mark.parametrize("name", ["GmbH", "The", "COOP", "S.C.S & COMPANY", "!!!", "a/s", "(US)"])
def test_a_name_is_never_emptied(name: str) -> None:
    assert fold_name(name)


@given(st.text(max_size=40))
def test_folding_never_raises_and_empties_only_blanks(name: str) -> None:
    assert bool(fold_name(name)) == bool(name.strip())
    assert name_forms(name).folded == fold_name(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Universität Bonn", "University of Bonn"),
        ("Université de Fribourg", "Fribourg University"),
        ("Stadt Bonn", "City of Bonn"),
        ("Politecnico di Bari", "Polytechnic of Bari"),
        ("Ministère de la Santé", "Ministry of Health"),
    ],
)
def test_words_compare_across_languages(one: str, other: str) -> None:
    assert sorted(name_tokens(one)) == sorted(name_tokens(other))


def test_the_table_is_spelled_as_names_are_folded() -> None:
    assert [word for word in SAME_WORD if _plain_words(word) != [word]] == []


@pytest.mark.parametrize(
    "name",
    [
        *("Nordwind", "KD 33617 Nordwind", "Fa. Nordwind", "Nordwind [inactive]", "Nordwind (do not use)"),
        *(
            "Nordwind - alt",
            "Nordwind / Hauptkonto",
            "10234 - Nordwind",
            "Nordwind (DE)",
            "Nordwind GmbH (Kd-Nr. 1234)",
        ),
    ],
)
def test_what_people_write_into_a_name_is_no_part_of_it(name: str) -> None:
    assert name_forms(name).words == ("nordwind",)


@pytest.mark.parametrize("name", ["Old Navy", "Alt & Partner", "Fa", "UMR 6303", "Closed Loop (Recycling)"])
def test_words_of_a_name_are_no_notes(name: str) -> None:
    assert without_notes(name) == name


def test_initials_written_apart_are_written_together() -> None:
    assert name_forms("A.B.C. Logistics").words == name_forms("ABC Logistics").words


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("Nordwind Ltd", "Nordwind Limited", False),
        ("Nordwind S.L.", "Nordwind Sociedad Limitada", False),
        ("Nordwind GmbH", "Nordwind AG", True),
        ("Nordwind GmbH", "Nordwind", False),
    ],
)
def test_one_legal_form_in_two_spellings_is_one(one: str, other: str, *, differ: bool) -> None:
    assert are_different_forms(legal_form(one), legal_form(other)) is differ


def test_capitals_and_the_initials_of_words_that_stand_together_meet() -> None:
    assert capitals("SWB Service GmbH") == {"swb"}
    assert capitals("SWB SERVICE") == frozenset()
    assert run_together(frozenset({"swb"}), "die stadtwerke bonn") == frozenset()
    assert run_together(frozenset({"sbw"}), "die stadt bonn wasser") == {"sbw"}
    assert "sbw" in runs_of("alte stadt bonn wasser werke")


def test_initials_count_with_and_without_small_words() -> None:
    assert {"uoc", "uc"} <= initials(fold_name("University of Copenhagen"))
    assert "hcc" in initials(fold_name("MUSC Hollings Cancer Center"))
    assert initials("contoso") == frozenset()


def test_an_acronym_stands_in_capitals_or_in_brackets() -> None:
    assert acronyms("Karlsruher Institut für Technologie (KIT)") == {"kit"}
    assert acronyms("KIT") == {"kit"}
    assert acronyms("Contoso") == frozenset()


def test_a_name_looks_like_its_label_with_umlauts_in_either_spelling() -> None:
    assert squashed("Müller Söhne GmbH") == {"mullersohne", "muellersoehne"}


def test_brackets_go_unless_they_are_all_there_is() -> None:
    assert without_brackets("Contoso (do not use)").strip() == "Contoso"
    assert without_brackets("(Contoso)") == "(Contoso)"


@pytest.mark.parametrize(("count", "has_initials"), [(2, True), (12, True), (13, False)])
def test_initials_are_those_of_two_to_twelve_words(count: int, *, has_initials: bool) -> None:
    words = [f"{letter}xyz" for letter in "bcdfghjklmnpq"[:count]]
    assert ("".join(word[0] for word in words) in name_forms(" ".join(words)).initials) is has_initials


@pytest.mark.parametrize(
    ("name", "acronyms"), [("Alpha Beta (AB)", {"ab"}), ("Alpha (A.)", set()), ("Alpha (AU)", set())]
)
def test_an_acronym_in_brackets_has_two_letters_or_more_and_is_no_country(name: str, acronyms: set[str]) -> None:
    assert name_forms(name).acronyms == acronyms
