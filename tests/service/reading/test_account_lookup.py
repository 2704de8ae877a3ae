"""What the account lookup finds agrees with a plain look at every account, and what fits best stands first."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fresh_stores import FreshStores
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matching.test_slips import slips_of
from service.fakes import VIEWER, FakeCrm, account, account_id_of, crm_sync, make_service, rows_of

from w365.service import Service
from w365.service.reading import account_lookup
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.reading.search_index import ids_found_by, search_terms

WORDS = """
contoso fabrikam northwind litware adatum proseware tailspin wingtip coho contosa fabri müller lang o'neill bio_k ag co
north wind ltd gmbh group holding 365 nord noord
""".split()  # noqa: SIM905 - shorter to read
TOPS = ("com", "de", "co.uk")
MANY = 10_000


def made_up(number: int) -> tuple[str, str, str, str]:
    """Name, number, city, domain."""
    chance = random.Random(number)
    words = chance.sample(WORDS, chance.choice((1, 2, 2, 3)))
    domain = f"{words[0].replace(chr(39), '')}{chance.choice(('', '-', str(number)))}x.{chance.choice(TOPS)}"
    name = chance.choice((" ", " & ", "-")).join(word.title() for word in words)
    return name, f"K-{number}", chance.choice(("Köln", "Lyon", "Northwich", "")), domain


def fill(store: Store, home: Path) -> Service:
    crm = FakeCrm()
    for number in range(80):
        name, own, city, domain = made_up(number)
        crm.put(account(f"a{number}", name=name, number=own, city=city, website=domain))
    service = make_service(store, home, crm=crm)
    crm_sync(service)
    crm.drop("a7", "a77")
    crm_sync(service)
    return service


@pytest.fixture(scope="module")
def here(_stores: FreshStores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    store = _stores()
    _stores.taken.remove(store)
    yield fill(store, tmp_path_factory.mktemp("home"))
    store.close()


def names_found(service: Service, text: str, limit: int = MANY) -> list[str]:
    return [hit.name for hit in account_lookup.search_accounts(service, VIEWER, text, limit=limit)]


def by_looking(service: Service, text: str) -> dict[int, bool]:
    """Each account that has what is typed, with whether only with slips; read from its words one by one."""
    here = rows_of(service.store, t.Account.id, where=~t.Account.is_deleted)
    words: dict[int, set[str]] = {row[0]: set() for row in here}
    for one, word in rows_of(service.store, t.Word.id, t.Word.word, where=t.Word.subject == "a"):
        if one in words:
            words[one].add(word)
    found = {}
    for one, own in words.items():
        kinds = [_how(term, own) for term in search_terms(text)]
        if all(kinds):
            found[one] = "slip" in kinds
    return found


def _how(term: str, words: set[str]) -> str:
    parts = [part for part in re.split(r"[^\w]+", term) if part] or [term]
    if any(word.startswith(term) for word in words) or all(
        any(word.startswith(part) for word in words) for part in parts
    ):
        return "as typed"
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789_'-."
    if len(term) < 4 or not any(c.isalpha() for c in term):
        return ""
    return "slip" if any(word.isalpha() and term in slips_of(word, alphabet) for word in words if len(word) > 2) else ""


def check(service: Service, text: str) -> None:
    expected = by_looking(service, text)
    hits = account_lookup.search_accounts(service, VIEWER, text, limit=MANY)
    found = {hit.account_id: bool(hit.reasons) for hit in hits}
    assert found == expected, text
    slips = [bool(hit.reasons) for hit in hits]
    assert slips == sorted(slips), "mistyped ones come last"


KINDS = {
    "two letters": ("co", "no", "k-", "lt", "36", "ml", "mu"),
    "the beginning of a word": ("cont", "north", "fabri", "gro", "müll", "bio_"),
    "words in any order": ("ltd cont", "co no", "lang müller", "o'neill lit", "holding nord ag", "köln coho"),
    "a domain": ("contoso", "fabrikamx.com", "contoso-x.", "ltd1"),
    "a number": ("k-1", "K-12", "k-79", "k-80"),
    "a typing error": (
        "contsoo",
        "fabirkam",
        "cntoso",
        "nrothwind",
        "northwindd",
        "litwar",
        "proswear",
        "tailspni co",
        "hoding cotoso",
    ),
}


@pytest.mark.parametrize("text", [text for texts in KINDS.values() for text in texts])
def test_each_kind_of_question_finds_what_looking_at_every_account_finds(here: Service, text: str) -> None:
    check(here, text)


@given(
    number=st.integers(0, 79),
    cut=st.integers(2, 9),
    slip=st.integers(0, 10_000),
    shape=st.sampled_from(("start", "two words", "slip", "slip and word", "domain", "number")),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_question_finds_what_looking_at_every_account_finds(
    here: Service, number: int, cut: int, slip: int, shape: str
) -> None:
    name, own, _, domain = made_up(number)
    words = name.lower().replace("&", " ").split()
    mistyped = sorted(slips_of(words[0], "abeos'"))
    texts = {
        "start": words[-1][:cut],
        "two words": f"{words[-1][:cut]} {words[0][:2]}",
        "slip": mistyped[slip % len(mistyped)],
        "slip and word": f"{mistyped[slip % len(mistyped)]} {words[-1][:cut]}",
        "domain": domain[:cut],
        "number": own[:cut],
    }
    check(here, texts[shape])


@pytest.mark.postgres
def test_the_questions_find_the_same_on_postgresql(fresh_postgres: Store, home: Path) -> None:
    service = fill(fresh_postgres, home)
    for texts in KINDS.values():
        for text in texts:
            check(service, text)


@given(text=st.sampled_from([text for texts in KINDS.values() for text in texts]) | st.text("cont ol'-k1", max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_every_word_has_in_the_index_of_words_is_found(here: Service, text: str) -> None:
    """The search of the grid and the lookup read one index."""
    wanted = search_terms(text)
    if not wanted:
        return
    with here.store.read() as connection:
        has = [set(connection.scalars(ids_found_by("a", term))) for term in wanted]
    there = {row[0] for row in rows_of(here.store, t.Account.id, where=~t.Account.is_deleted)}
    found = {hit.account_id for hit in account_lookup.search_accounts(here, VIEWER, text, limit=MANY)}
    assert set.intersection(*has) & there <= found


def test_the_best_kind_stands_first(store: Store, home: Path) -> None:
    crm = FakeCrm()
    crm.put(
        account("exact", name="Contoso"),
        account("number", name="Zeta", number="contoso"),
        account("begins", name="Contoso Labs"),
        account("words", name="Old Contoso"),
        account("domain", name="Elsewhere", website="contoso.com"),
        account("city", name="Far", city="Contoso"),
        account("slip", name="Contsoo"),
        account("other", name="Fabrikam"),
    )
    service = make_service(store, home, crm=crm)
    crm_sync(service)
    assert names_found(service, "contoso") == [
        "Zeta",
        "Contoso",
        "Contoso Labs",
        "Old Contoso",
        "Elsewhere",
        "Far",
        "Contsoo",
    ]
    assert names_found(service, "contoso", limit=3) == ["Zeta", "Contoso", "Contoso Labs"]
    assert names_found(service, "con lab") == ["Contoso Labs"]
    crm.put(account("slip", name="Renamed"))
    crm_sync(service)
    assert "Renamed" not in names_found(service, "contoso")
    assert names_found(service, "renmaed") == ["Renamed"]
    assert account_id_of(store, "slip")
