"""Addresses as answers write them: relative to the answer, and not always escaped."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin

_LEGAL = ":/?@[]!$&'()*+,;=%~"
"""What an address may hold as it is. A # would begin what is never sent."""
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def escape_link(link: str) -> str:
    """Escape what may not stand in an address; what is escaped already stays as it is."""
    return quote(_STRAY_PERCENT.sub("%25", link.strip()), safe=_LEGAL)


def follow_link(link: str, place: str) -> str:
    """Return the absolute address of a link in the answer that was read at ``place``; what is no address stays."""
    escaped = escape_link(link)
    try:
        return urljoin(place, escaped)
    except ValueError:  # brackets that do not close
        return escaped
