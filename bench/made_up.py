"""Made-up provider accounts and CRM accounts in a database, as many as wanted, written the way a sync leaves them."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from w365.model import MatchPolicy, ProviderKind, Rule, RunKind, RunState
from w365.store import tables as t
from w365.store.db.bulk_insert import chunks, upsert
from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import migrate
from w365.store.matching.refresh_derived import refresh_with_rivals
from w365.store.reading.search_index import put_words, sort_key, words_of

WORDS = """
alder amber arbor atlas aurora beacon birch canyon cedar citrus cobalt copper coral crest delta
eagle ember falcon fern flint forge garnet glacier granite harbor hawk heron horizon indigo iron
jade juniper kestrel lake lark laurel linden lotus lumen maple marble meadow mesa nimbus north nova
oak ocean olive onyx opal orchid osprey pearl phoenix pine prism quartz raven redwood ridge river
robin ruby saffron sage sierra silver slate solar sparrow spruce stone
""".split()  # noqa: SIM905 - shorter to read
NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def open_empty(url: str) -> Store:
    store = open_store(url)
    migrate(store)
    return store


def sqlite_url(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}"


def new_store(server: str, folder: Path, name: str) -> Store:
    """Open a SQLite file in the folder, or a database made anew on a PostgreSQL server where one is named."""
    if not server:
        return open_empty(sqlite_url(folder, f"{name}.db"))
    url = sa.make_url(server).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS bench_{name}")
        connection.exec_driver_sql(f"CREATE DATABASE bench_{name}")
    engine.dispose()
    return open_empty(url.set(database=f"bench_{name}").render_as_string(hide_password=False))


def fill(store: Store, customers: int, *, seed: int = 1) -> None:
    """Fill with this many customers and two CRM accounts for each three of them.

    Some 70 % of those with an account are mapped, and the others have three candidates.
    """
    chance = random.Random(seed)
    accounts = customers * 2 // 3
    with store.write() as connection:
        connection.execute(sa.insert(t.Provider).values(id=1, name="Partner Center", kind=ProviderKind.PARTNER_CENTER))
        connection.execute(sa.insert(t.Provider).values(id=2, name="Elsewhere", kind=ProviderKind.MANUAL))
        _write(connection, t.Account, _account_rows(accounts))
        put_words(connection, t.ACCOUNT, ((n, words_of([_name(n)], [_domain(n)])) for n in range(1, accounts + 1)))
        domains = ((_domain(n), n, Rule.CONTACT_DOMAIN.value, 3, f"c{n}") for n in range(1, accounts + 1))
        _write(connection, t.AccountDomain, ((None, domains)))
    with store.write() as connection:
        _write(connection, t.ProviderAccount, _customer_rows(customers))
        own = ((n, _domain(n), "own_name", True, True) for n in range(1, customers + 1))
        columns = ("provider_account_id", "domain", "kind", "is_default", "is_verified")
        _bulk(connection, t.ProviderAccountDomain, columns, own)
        words = ((n, words_of([_name(n)], [_domain(n), _guid(n)])) for n in range(1, customers + 1))
        put_words(connection, t.PROVIDER_ACCOUNT, words)
        seats = (
            (n, f"s{n}", "Suite", chance.randrange(1, 400), "active", "P1Y", None) for n in range(1, customers + 1)
        )
        columns = ("provider_account_id", "subscription_id", "offer_name", "quantity", "status", "term", "started_at")
        _bulk(connection, t.ProviderSubscription, columns, seats)
        _map(connection, customers, accounts)
        _suggest(connection, customers, accounts, chance)
        refresh_with_rivals(connection, MatchPolicy(), None)
        if not store.is_sqlite:  # the decisions were numbered here
            connection.exec_driver_sql("SELECT setval('decision_id_seq', (SELECT max(id) FROM decision))")
    tend(store)


def tend(store: Store) -> None:
    """Count for the planner; on PostgreSQL do what it does itself within minutes of a large change."""
    with store.engine.connect() as connection:
        free = connection.execution_options(isolation_level="AUTOCOMMIT")
        free.exec_driver_sql("ANALYZE" if store.is_sqlite else "VACUUM ANALYZE")


def read_files(store: Store) -> None:
    """Read the database's files, so that the machine holds them in memory; those of a server elsewhere are left."""
    if store.is_sqlite:
        files = [Path(store.engine.url.database or "")]
    else:
        with store.read() as connection:
            folder = Path(str(connection.scalar(sa.text("SHOW data_directory"))))
            number = connection.scalar(sa.text("SELECT oid FROM pg_database WHERE datname = current_database()"))
        files = sorted((folder / "base" / str(number)).glob("[0-9]*"))
    for path in files:
        with suppress(FileNotFoundError), path.open("rb") as file:  # a server drops some of its own
            while file.read(1 << 22):
                pass


def _write(
    connection: sa.Connection, table: type[t.Base], rows: tuple[tuple[str, ...] | None, Iterator[tuple[object, ...]]]
) -> None:
    columns, values = rows
    _bulk(connection, table, columns or ("domain", "account_id", "rule", "contacts", "example"), values)


def _bulk(
    connection: sa.Connection, table: type[t.Base], columns: tuple[str, ...], rows: Iterator[tuple[object, ...]]
) -> None:
    for part in chunks(rows, 20_000):
        upsert(connection, table, columns, part)


def _map(connection: sa.Connection, customers: int, accounts: int) -> None:
    mapped = [n for n in range(1, customers + 1) if n % 10 < 7 and n <= accounts]
    match = {"id": 1, "kind": RunKind.MATCH, "target": "", "state": RunState.DONE, "actor": "run"}
    times = {"requested_at": NOW, "started_at": NOW, "ended_at": NOW}
    connection.execute(sa.insert(t.Run).values(**match, **times, done=customers, message="", result={}, error=""))
    columns = ("id", "at", "actor", "run_id", "provider_account_id", "kind", "account_id", "origin", "reason")
    _bulk(connection, t.Decision, columns, ((n, NOW, "run", 1, n, "map", n, "auto", "") for n in mapped))
    columns = ("provider_account_id", "account_id", "origin", "decision_id")
    _bulk(connection, t.Mapping, columns, ((n, n, "auto", n) for n in mapped))


def _suggest(connection: sa.Connection, customers: int, accounts: int, chance: random.Random) -> None:
    columns = ("provider_account_id", "rank", "account_id", "score", "signals", "version")
    rows = (
        (n, rank, 1 + (n * 7 + rank * 13) % accounts, round(best / rank, 3), '[["name", 0.5, "Names agree"]]', 0)
        for n in range(1, customers + 1)
        if n > accounts or n % 10 >= 7
        for best in (chance.random(),)
        for rank in (1, 2, 3)
    )
    _bulk(connection, t.CurrentCandidate, columns, rows)


def _account_rows(count: int) -> tuple[tuple[str, ...], Iterator[tuple[object, ...]]]:
    columns = (
        "id",
        "crm_id",
        "name",
        "name_key",
        "number",
        "website",
        "email_domain",
        "website_domain",
        "city",
        "country",
    )
    columns += ("tenant_guid", "is_active", "is_deleted")
    rows = (
        (n, _guid(n), _name(n), sort_key(_name(n)), f"A{n}", "", _domain(n), "", "Town", "DE", "", True, False)
        for n in range(1, count + 1)
    )
    return columns, rows


def _customer_rows(count: int) -> tuple[tuple[str, ...], Iterator[tuple[object, ...]]]:
    columns = ("id", "provider_id", "specific_id", "name", "name_key", "default_domain", "main_domain", "domain_source")
    columns += ("tenant_guid", "country", "relationship", "note", "first_seen_at", "gone_at", "change")
    rows = (
        (n, 1 + n % 2, _guid(n), _name(n), sort_key(_name(n)), _domain(n), _domain(n), "list", *_rest(n))
        for n in range(1, count + 1)
    )
    return columns, rows


def _rest(n: int) -> tuple[object, ...]:
    return (_guid(n), "DE", "reseller", "", NOW, None, "")


def _name(n: int) -> str:
    first, second = WORDS[n % len(WORDS)], WORDS[(n // len(WORDS) * 31 + n * 17) % len(WORDS)]
    return f"{first.title()} {second.title()} {n} Ltd"


def _domain(n: int) -> str:
    return f"{WORDS[n % len(WORDS)]}-{n}.example"


def _guid(n: int) -> str:
    return f"{n * 2654435761 % 2**32:08x}-0000-4000-8000-{n:012x}"
