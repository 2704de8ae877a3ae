"""List the licences of everything that is installed: ``python -m supply.licences --write``."""

from __future__ import annotations

import sys

from supply.packages import ROOT, is_allowed, licence_of, read_lock

PAGE = ROOT / "docs" / "licences.md"
_HEAD = """\
# Licences

The program is under [Apache-2.0](../LICENSE). What [is installed with it](supply-chain.md) is not part of it and keeps
its own licences, which a test compares with a list of those that fit.
`python -m supply.licences --write` makes this page.

| Package | Licence |
|---|---|
"""


def page() -> str:
    return _HEAD + "".join(f"| {name} | {licence_of(name)} |\n" for name in read_lock())


def main() -> int:
    """Print the page or write it; 1 where a licence is not allowed."""
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")
    refused = {name: licence_of(name) for name in read_lock() if not is_allowed(licence_of(name))}
    for name, licence in refused.items():
        print(f"{name} is under {licence}, which is not allowed.", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
