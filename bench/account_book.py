"""A made-up CRM of any size whose names are spread as names are: few words very common, most of them rare."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.made_up import tend
from w365.store import tables as t
from w365.store.db.bulk_insert import chunks, upsert
from w365.store.db.engine import Store
from w365.store.reading.search_index import put_words, sort_key, words_of
from w365.store.reading.spelling import learn_words

_STARTS = """
ba be bra ca ce chi co con cro da de di dra e fa fe fi fra ga ge gra ha he hu in ja ka ke kri la le li lo ma me mi mo na
ne ni o pa pe pi pro ra re ri ro sa se si ska so sta su ta te ti tra tu va ve vi wa
""".split()  # noqa: SIM905 - shorter to read
_MIDDLES = """
ba can da den del fer gan li la lo ma men mi mor na ner no par ra ran ri ro sen so ta ter ti to va vel
""".split()  # noqa: SIM905 - likewise
_ENDS = """
ca co da den der don fa field ford gen ham ka la land len ler lin man mann na ner nia no ra ro son ta to ton
""".split()  # noqa: SIM905 - likewise
_FORMS = ("ltd", "gmbh", "ag", "inc", "sarl", "bv", "group", "holding", "services", "")
_TOPS = ("com", "com", "com", "de", "co.uk", "fr", "nl", "net")
_VOCABULARY = 150_000
_COLUMNS = ("id", "crm_id", "name", "name_key", "number", "website", "email_domain", "website_domain", "city")
_COLUMNS += ("country", "tenant_guid", "is_active", "is_deleted")


@dataclass(frozen=True, slots=True)
class Entry:
    id: int
    name: str
    number: str
    domain: str
    city: str


class AccountBook:
    """The same entries for the same size."""

    def __init__(self, size: int) -> None:
        self.size = size
        chance = random.Random(365)
        words = {"contoso": 0, "fabrikam": 0, "northwind": 0}
        while len(words) < _VOCABULARY:
            middles = "".join(chance.choices(_MIDDLES, k=chance.choice((0, 1, 1, 2))))
            words[chance.choice(_STARTS) + middles + chance.choice(_ENDS)] = 0
        self.words = list(words)
        self.cities = self.words[500:900]

    def entry(self, number: int) -> Entry:
        chance = random.Random(number)
        words = [self._word(chance) for _ in range(chance.choice((1, 2, 2, 3)))]
        named = [*words, chance.choice(_FORMS)]
        domain = f"{'-'.join(words)}{number if number % 3 else ''}.{chance.choice(_TOPS)}"
        name = " ".join(word.title() for word in named if word)
        return Entry(number, name, f"K-{100_000 + number}", domain, chance.choice(self.cities).title())

    def entries(self) -> Iterator[Entry]:
        return (self.entry(number) for number in range(1, self.size + 1))

    def _word(self, chance: random.Random) -> str:
        """The first word stands in every fiftieth name, half of the words in a few at most."""
        return self.words[int(50 * (chance.paretovariate(0.6) - 1)) % len(self.words)]


def write(store: Store, book: AccountBook) -> dict[str, float]:
    """Write the accounts page by page as a sync does; return the seconds for accounts, their words, words once."""
    seconds = {"accounts": 0.0, "words": 0.0, "of that words once": 0.0}
    for page in chunks(book.entries(), 5_000):
        with store.write() as connection:
            begin = time.perf_counter()
            upsert(connection, t.Account, _COLUMNS, [_row(one) for one in page])
            seconds["accounts"] += time.perf_counter() - begin
            words = [(one.id, words_of([one.name, one.city], [one.number, one.domain])) for one in page]
            begin = time.perf_counter()
            learn_words(connection, {word for _, of in words for word in of})
            seconds["of that words once"] += time.perf_counter() - begin
            put_words(connection, t.ACCOUNT, words)
            seconds["words"] += time.perf_counter() - begin
    tend(store)
    return {name: round(taken, 1) for name, taken in seconds.items()}


def _row(one: Entry) -> tuple[object, ...]:
    return (
        *(one.id, f"{one.id:032x}", one.name, sort_key(one.name), one.number, "", "", one.domain, one.city, "DE", ""),
        *(True, False),
    )
