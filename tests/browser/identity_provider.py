"""The identity provider of the tests as a process, and how a person goes through its pages."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from app_process import free_port, wait_until
from npm import installed_from_npm
from playwright.sync_api import Page, expect

VERSION = "9.13.3"
CLIENT, SECRET = "w365", "the secret of the application"
_PROGRAM = Path(__file__).with_suffix(".mjs")


@dataclass(frozen=True)
class Provider:
    """``issuer`` is on another site than apps at 127.0.0.1: `localhost` is one of its own to a browser."""

    issuer: str
    _log: Path = field(repr=False)

    def settings(self, public_url: str) -> dict[str, str]:
        """What the app is told of it."""
        return {
            "W365_SIGN_IN": "oidc",
            "W365_PUBLIC_URL": public_url,
            "W365_OIDC_ISSUER": self.issuer,
            "W365_OIDC_CLIENT_ID": CLIENT,
            "W365_OIDC_CLIENT_SECRET": SECRET,
        }

    def told(self, what: str) -> list[Any]:
        lines = [line for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [entry["about"] for entry in map(json.loads, lines) if entry["what"] == what]

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        """Let it give another nonce back (`nonce`) or find codes too old (`expired`)."""
        self._set({name: "1"})
        try:
            yield
        finally:
            self._set({})

    def _set(self, faults: Mapping[str, str]) -> None:
        httpx.post(f"{self.issuer}/-/faults", params=faults, trust_env=False).raise_for_status()


@contextmanager
def identity_provider(folder: Path, public_url: str, people: Mapping[str, Mapping[str, Any]]) -> Iterator[Provider]:
    """Run it for the app at a public URL. ``people`` are claims by what they type as their login."""
    home, port = installed_from_npm("oidc-provider", VERSION), free_port()
    issuer = f"http://localhost:{port}"
    client = {"id": CLIENT, "secret": SECRET, "redirect": f"{public_url}/oauth2callback"}
    told = json.dumps({"issuer": issuer, "port": port, "clients": [client], "people": people})
    provider = Provider(issuer, folder / "provider.log")
    with provider._log.open("wb") as log:
        process = subprocess.Popen(["node", str(_PROGRAM), str(home), told], stdout=log, stderr=log)
        try:
            wait_until(lambda: bool(provider.told("ready")) or process.poll() is not None)
            assert process.poll() is None, provider._log.read_text()
            yield provider
        finally:
            process.terminate()
            process.wait(10)


def give_login(page: Page, login: str) -> None:
    """Go through the provider's pages until the browser is back in the app."""
    page.get_by_placeholder("Enter any login").fill(login)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    consent = page.get_by_role("button", name="Continue")
    expect(consent.or_(page.get_by_test_id("stApp"))).to_be_visible()
    if consent.is_visible():
        consent.click()
