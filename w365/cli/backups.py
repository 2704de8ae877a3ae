"""`w365 backup` and `restore`: the database into one file, and from there into an empty place."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from w365 import __version__
from w365.cli.frame import AsJson, print_answer, read_settings
from w365.config import Settings, leave_demo, load_settings
from w365.errors import StoreError
from w365.own_files import opener

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


def backup(
    file: BackupFile,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Put the data folder's key into it, which opens the stored secrets.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the database as it is at this moment to a file, while everything goes on."""
    from w365.store.db.backup import back_up
    from w365.store.db.engine import open_store

    settings = read_settings()
    key = settings.home / "secret.key"
    has_key = with_key and key.exists()
    store = open_store(settings.database_url)
    manifest = back_up(store, file, __version__, is_demo=settings.is_demo, key=key if has_key else None)
    store.close()
    where = str(key) if key.exists() else "W365_SECRET_KEY"
    about = (
        "The key is in it: who has the file has the stored secrets."
        if has_key
        else (f"The key that opens the stored secrets is not in it: keep {where} in another place.")
    )
    text = f"{file} holds the database with schema {manifest.schema}. {about}"
    print_answer(as_json, {"file": str(file), **asdict(manifest), "key": where}, text)


def restore(
    file: BackupFile,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put a SQLite database that is there beside, and the backup in its place.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put the database of a backup into an empty place, check it, and bring it to this version's schema."""
    from w365.store.db.backup import read_manifest
    from w365.store.db.backup import restore as put_back

    manifest = read_manifest(file)
    before = read_settings()
    settings = before if manifest.is_demo else load_settings({**os.environ, "W365_DEMO": "off"})
    if manifest.is_demo and not settings.is_demo:
        raise StoreError(f"{file} holds the demo's data.", kept="Nothing was changed.", do="Choose another file.")
    kept = put_back(file, manifest, settings.database_url, replace=replace)
    if not manifest.is_demo:
        leave_demo(before)
    about = (
        _put_key_back(file, settings)
        if manifest.has_key
        else (
            "Stored secrets open with the key that they were encrypted with: put it into "
            f"{settings.home / 'secret.key'}, or into W365_SECRET_KEY."
        )
    )
    text = f"The database of {manifest.made_at} is restored. {about}"
    text += f" What was there is kept as {kept}." if kept else ""
    print_answer(as_json, {"restored": str(file), "kept": str(kept) if kept else None, **asdict(manifest)}, text)


def _put_key_back(file: Path, settings: Settings) -> str:
    """Write the backup's key where one is made by itself; another that is there is kept beside it."""
    from w365.store.db.backup import read_key

    path, key = settings.home / "secret.key", read_key(file)
    if path.exists() and path.read_text(encoding="ascii").strip() != key:
        path.rename(path.with_name(f"secret.before-{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}.key"))
    with open(path, "w", encoding="ascii", opener=opener) as out:
        out.write(key)
    return "So is its key."
