"""A person at the demo's sign-in, without a browser: opens the page, chooses, and tells where the browser is sent."""

from __future__ import annotations

import html
import re
import ssl
from pathlib import Path

import httpx


def consent(address: str, ca_bundle: Path, *, mfa: bool = True, choice: str = "accept") -> dict[str, str]:
    """Return what the browser brings back to the app."""
    with httpx.Client(verify=ssl.create_default_context(cafile=str(ca_bundle)), timeout=5) as http:
        assert "Permissions requested" in http.get(address).text
        form = {"person": "ada.marsh@harbourlight.onmicrosoft.com", "choice": choice} | ({"mfa": "on"} if mfa else {})
        answer = http.post(address, data=form)
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', answer.text)
    return {name: html.unescape(value) for name, value in fields}
