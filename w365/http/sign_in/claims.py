"""What an access token says of its sign-in. It is read, not proven: the service it is for does that."""

from __future__ import annotations

import base64
import json
from typing import Any


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, or nothing where it is none."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def has_mfa(token: str) -> bool | None:
    """Tell whether the person proved who they are in two ways; None where the token does not say."""
    ways = claims_of(token).get("amr")
    return "mfa" in ways if isinstance(ways, list) else None
