"""How long does the account lookup take, question by question, and how long do others for the same?

    python -m bench.lookup [--accounts 1000000] [--database postgresql://…]

For each kind of question the median and the 95th percentile in milliseconds of some made-up questions, and the ratio of
the peers' 95th percentile to ours: SQLite's own full-text index of trigrams, and LIKE '%…%'. Neither forgives a typing
error; two letters are less than a trigram, and the index is read as LIKE reads a table. `found` is the share of
questions whose answer has the words that were meant.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import string
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from bench.account_book import AccountBook, Entry, write
from bench.made_up import new_store
from w365.config import Settings
from w365.model import Actor, Role
from w365.service import Service
from w365.service.reading.account_lookup import search_accounts
from w365.store.db.engine import Store

QUESTIONS = 60
PEER_QUESTIONS = 6
SHOWN = 21
ANALYST = Actor("bench", Role.ADMIN)
Question = tuple[str, Sequence[str]]
"""What is typed, and the beginnings that an answer must have."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--database", default="", help="a PostgreSQL server to make a database in (default: SQLite)")
    options = parser.parse_args()
    book = AccountBook(options.accounts)
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(options.database, Path(folder), "lookup")
        answer: dict[str, object] = {"accounts": options.accounts, "database": options.database or "sqlite"}
        answer["load"] = [round(one, 1) for one in os.getloadavg()]
        answer["seconds to write"] = write(store, book)
        answer["questions"] = measure(store, book, Path(folder) / "peer.db")
        answer["load at the end"] = [round(one, 1) for one in os.getloadavg()]
    print(json.dumps(answer, indent=1))


def measure(store: Store, book: AccountBook, peer: Path) -> dict[str, dict[str, float]]:
    service = Service(store, Settings(Path(), "", "", None, None, is_demo=False), _closed, _closed)
    found = {}
    with closing(_peer(peer, book)) as peers:
        for kind, ask in KINDS.items():
            chance = random.Random(kind)
            asked = [ask(chance, book.entry(chance.randrange(1, book.size + 1))) for _ in range(QUESTIONS)]
            ours = _times(lambda text: search_accounts(service, ANALYST, text, limit=SHOWN), [one for one, _ in asked])
            good = sum(_answers(service, text, starts) for text, starts in asked)
            found[kind] = {**ours, "found": round(good / len(asked), 2)} | _peers(peers, asked, ours["p95"])
    return found


def _peers(peers: sqlite3.Connection, asked: Sequence[Question], ours: float) -> dict[str, float]:
    texts = [text for text, _ in asked[:PEER_QUESTIONS]]
    trigram = _times(lambda text: _by_trigram(peers, text), texts)["p95"]
    like = _times(lambda text: _by_like(peers, text), texts)["p95"]
    return {
        "trigram_p95": trigram,
        "like_p95": like,
        "trigram_ratio": round(trigram / ours, 1),
        "like_ratio": round(like / ours, 1),
    }


def _times(work: Callable[[str], object], texts: Sequence[str]) -> dict[str, float]:
    work(texts[0])
    taken = []
    for text in texts:
        begin = time.perf_counter()
        work(text)
        taken.append((time.perf_counter() - begin) * 1000)
    taken.sort()
    return {"p50": round(taken[len(taken) // 2], 1), "p95": round(taken[max(0, -(-len(taken) * 95 // 100) - 1)], 1)}


def _answers(service: Service, text: str, starts: Sequence[str]) -> bool:
    hits = search_accounts(service, ANALYST, text, limit=SHOWN)
    wholes = (f"{hit.name} {hit.number} {hit.domain}".lower().split() for hit in hits)
    return any(all(any(word.startswith(start) for word in words) for start in starts) for words in wholes)


# --- questions ---


def _two_letters(chance: random.Random, entry: Entry) -> Question:
    text = chance.choice(_words(entry))[:2]
    return text, [text]


def _start(chance: random.Random, entry: Entry) -> Question:
    text = chance.choice(_words(entry))[: chance.choice((3, 4, 5))]
    return text, [text]


def _two_words(_chance: random.Random, entry: Entry) -> Question:
    words = entry.name.lower().split()
    first, second = words[-1], words[0][:3]
    return f"{first} {second}", [first, second]


def _two_starts(_chance: random.Random, entry: Entry) -> Question:
    words = entry.name.lower().split()
    first, second = words[-1][:2], words[0][:2]
    return f"{first} {second}", [first, second]


def _domain(chance: random.Random, entry: Entry) -> Question:
    text = entry.domain[: chance.choice((8, 12, 60))]
    return text, [text]


def _number(chance: random.Random, entry: Entry) -> Question:
    text = entry.number[: chance.choice((5, 7, 9))]
    return text, [text.lower()]


def _one_slip(chance: random.Random, entry: Entry) -> Question:
    word = max(_words(entry), key=len)
    at = chance.randrange(1, len(word) - 1)
    slips = (
        word[:at] + word[at + 1 :],
        word[:at] + chance.choice(string.ascii_lowercase) + word[at:],
        word[:at] + chance.choice(string.ascii_lowercase) + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    )
    return next((slip for slip in chance.sample(slips, 4) if len(slip) > 3), word), [word]


KINDS: dict[str, Callable[[random.Random, Entry], Question]] = {
    "two letters": _two_letters,
    "beginning of a word": _start,
    "two words in any order": _two_words,
    "two beginnings of two letters": _two_starts,
    "domain": _domain,
    "number": _number,
    "one typing error": _one_slip,
}


def _words(entry: Entry) -> list[str]:
    return entry.name.lower().split()


# --- peers ---


def _peer(path: Path, book: AccountBook) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE plain (name TEXT, number TEXT, domain TEXT)")
    connection.execute("CREATE VIRTUAL TABLE trigram USING fts5(name, number, domain, tokenize = 'trigram')")
    for table in ("plain", "trigram"):
        rows = ((one.name, one.number, one.domain) for one in book.entries())
        connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)
    connection.commit()
    return connection


def _by_trigram(connection: sqlite3.Connection, text: str) -> None:
    words = text.split()
    if min(map(len, words)) < 3:
        _by_like(connection, text, "trigram")
        return
    wanted = " AND ".join(f'"{word}"' for word in words)
    query = "SELECT name FROM trigram WHERE trigram MATCH ? ORDER BY length(name), name LIMIT ?"
    connection.execute(query, (wanted, SHOWN)).fetchall()


def _by_like(connection: sqlite3.Connection, text: str, table: str = "plain") -> None:
    words = text.split()
    has = " AND ".join("(name LIKE ? OR number LIKE ? OR domain LIKE ?)" for _ in words)
    values = [f"%{word}%" for word in words for _ in range(3)]
    query = f"SELECT name FROM {table} WHERE {has} ORDER BY length(name), name LIMIT ?"
    connection.execute(query, (*values, SHOWN)).fetchall()


def _closed(*_: object) -> None:
    raise NotImplementedError("no connection in this bench")


if __name__ == "__main__":
    main()
