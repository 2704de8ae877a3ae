"""What each bulk action asks for before its preview. A further action is one function here, where it asks anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from w365.service.actions import LONGEST_REASON
from w365.service.lookup import Hit
from w365.ui.account_search import search_crm
from w365.ui.desk import Desk
from w365.ui.wording import plain

_FOUND = 8
_LIKELY = 0.8


def _ask_score(_desk: Desk) -> dict[str, Any]:
    score = st.slider("Accept from score", 0.3, 1.0, _LIKELY, 0.01, key="bulk-score")
    st.caption("Rows whose best candidate scores less, or shares its score with the second one, are left.")
    return {"score": float(score)}


def _ask_account(desk: Desk) -> dict[str, Any] | None:
    hits = search_crm(desk, "CRM account", "bulk-account", limit=_FOUND)
    if not hits:
        st.caption("Type to find the account that all of them belong to." if hits is None else "No account found.")
        return None
    about = [plain(one.about) for one in hits]
    chosen = st.radio("Found", hits, None, format_func=_name, captions=about, label_visibility="collapsed")
    return {"account": chosen.account_id} if chosen else None


def _ask_reason(_desk: Desk) -> dict[str, Any]:
    return {"reason": st.text_input("Reason", key="bulk-reason", max_chars=LONGEST_REASON) or ""}


def _ask_reason_and_date(desk: Desk) -> dict[str, Any]:
    asked = _ask_reason(desk)
    until = st.date_input("Park until (optional)", value=None, key="bulk-until", width=220)
    return asked | {"until": until.isoformat() if until else ""}


def _name(hit: Hit) -> str:
    return plain(hit.name)


FORMS: Mapping[str, Callable[[Desk], dict[str, Any] | None]] = {
    "accept": _ask_score,
    "assign": _ask_account,
    "exclude": _ask_reason,
    "park": _ask_reason_and_date,
}
"""What an action asks for; None while it is not complete. Those that ask nothing are previewed at once."""
