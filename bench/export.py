"""Does a download of 500,000 rows stay small in memory, and how does it compare with pandas?

    python -m bench.export [--rows 500000] [--database FILE]

Writes the mappings as CSV and Excel with our writers and with pandas, each in a process of its own,
and prints seconds, peak memory and their ratios (ours / pandas') as JSON. pandas reads the same rows in one piece. On a
busy machine the seconds of the processor (cpu_seconds) are the fairer ones.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.made_up import fill, open_empty, sqlite_url
from w365.config import Settings
from w365.model import Actor, Role
from w365.service import Service
from w365.service.exporting import Format, Subject, write_file
from w365.store.db.engine import open_store

ADMIN = Actor("bench", Role.ADMIN)
WAYS = ("ours-csv", "pandas-csv", "ours-xlsx", "pandas-xlsx", "ours-parquet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--database", default="", help="a SQLite file that holds the rows already")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measure(options.way, options.database, options.output)))
        return
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{options.database}" if options.database else made(Path(folder), options.rows)
        run(WAYS[0], url, Path(folder) / "warm")  # so that nobody is the first to read the file from the disk
        found = {way: run(way, url, Path(folder) / f"out.{way}") for way in WAYS}
    for kind in ("csv", "xlsx"):
        ours, peer = found[f"ours-{kind}"], found[f"pandas-{kind}"]
        found[f"ratio-{kind}"] = {
            name: round(ours[name] / peer[name], 2) for name in ("seconds", "cpu_seconds", "peak_mb")
        }
    print(json.dumps(found, indent=1))


def made(folder: Path, rows: int) -> str:
    url = sqlite_url(folder, "export.db")
    store = open_empty(url)
    fill(store, rows)
    store.close()
    return url


def run(way: str, url: str, output: Path) -> dict[str, float]:
    """Measure in a new process: the peak of one would hide that of the next."""
    command = [sys.executable, "-m", "bench.export", "--way", way, "--database", url, "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def measure(way: str, url: str, output: Path) -> dict[str, float]:
    begin = time.perf_counter()
    who, form = way.split("-")
    rows = (write_ours if who == "ours" else write_with_pandas)(url, form, output)
    seconds, used = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": rows,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_mb": round(used.ru_maxrss / 1024, 1),
        "file_mb": round(output.stat().st_size / 2**20, 1),
    }


def write_ours(url: str, form: str, output: Path) -> int:
    service = Service(open_store(url), Settings(Path(), "", "", None, None, is_demo=False), _closed, _closed)
    return write_file(service, ADMIN, Subject.MAPPINGS, Format(form), output)


def write_with_pandas(url: str, form: str, output: Path) -> int:
    import pandas as pd

    frame = pd.read_sql_query(_QUERY, open_store(url).engine)
    if form == "csv":
        frame.to_csv(output, index=False)
    else:
        with pd.ExcelWriter(output, engine="xlsxwriter") as writer:
            frame.to_excel(writer, index=False)
    return len(frame)


def _closed(*_: object) -> None:
    raise NotImplementedError("no connection in this bench")


_QUERY = """
SELECT p.name AS provider, a.specific_id AS provider_specific_account_id, a.name AS provider_name,
       a.main_domain AS domain, a.country, w.status, m.origin, c.crm_id AS account_id, c.number AS account_number,
       c.name AS account_name, w.seats, w.subscriptions, w.is_gone AS gone, a.first_seen_at AS first_seen,
       d.at AS mapped_at, d.actor AS mapped_by, w.reason AS why
FROM worklist w JOIN provider_account a ON a.id = w.provider_account_id JOIN provider p ON p.id = a.provider_id
LEFT JOIN mapping m ON m.provider_account_id = a.id LEFT JOIN account c ON c.id = m.account_id
LEFT JOIN decision d ON d.id = m.decision_id ORDER BY w.provider_account_id
"""

if __name__ == "__main__":
    main()
