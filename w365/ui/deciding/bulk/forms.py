"""What each bulk action asks for before its preview. A further action is one function here, where it asks anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from w365.service.deciding.collaboration import LONGEST_OWNER, list_owners
from w365.service.deciding.reasons import LONGEST_REASON
from w365.store.reading.account_hits import Hit
from w365.ui.frame.account_search import search_crm
from w365.ui.frame.owner_words import NOBODY
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.wording import plain

_LIKELY = 0.8


def _ask_score(_context: PageContext) -> dict[str, Any]:
    score = st.slider("Accept from score", 0.3, 1.0, _LIKELY, 0.01, key="bulk-score")
    st.caption("Rows whose best candidate scores less, or shares its score with the second one, are left.")
    return {"score": float(score)}


def _ask_account(context: PageContext) -> dict[str, Any] | None:
    hits = search_crm(context, "CRM account", "bulk-account")
    if not hits:
        st.caption("Type to find the account that all of them belong to." if hits is None else "No account found.")
        return None
    about = [plain(hit.about) for hit in hits]
    chosen = st.radio("Found", hits, None, format_func=_name, captions=about, label_visibility="collapsed")
    return {"account": chosen.account_id} if chosen else None


def _ask_reason(_context: PageContext) -> dict[str, Any]:
    return {"reason": st.text_input("Reason", key="bulk-reason", max_chars=LONGEST_REASON) or ""}


def _ask_reason_and_date(context: PageContext) -> dict[str, Any]:
    asked = _ask_reason(context)
    tomorrow = context.service.clock().date() + dt.timedelta(days=1)
    until = st.date_input("Park until (optional)", None, min_value=tomorrow, key="bulk-until", width=220)
    return asked | {"until": until.isoformat() if until else ""}


def _ask_owner(context: PageContext) -> dict[str, Any]:
    """Ask for somebody known, or for a new name: to type part of a known one must not make a new one."""
    mine = context.actor.name
    known = [mine, *(name for name in list_owners(context.service, context.actor) if name != mine), NOBODY]
    words = {mine: f"{mine} (me)", NOBODY: "Nobody"}
    chosen = st.selectbox("Owner", known, format_func=lambda owner: words.get(owner, owner), key="bulk-owner")
    named = st.text_input("Or somebody new", key="bulk-owner-new", max_chars=LONGEST_OWNER, placeholder="Name")
    return {"owner": (named or "").strip() or ("" if chosen == NOBODY else chosen)}


def _name(hit: Hit) -> str:
    return plain(hit.name)


@dataclass(frozen=True, slots=True)
class BulkForm:
    """`ask` draws it and returns what was entered, None while that is not complete; `field` is where the keyboard is.

    A live one answers while somebody types; in the others Enter previews.
    """

    ask: Callable[[PageContext], dict[str, Any] | None]
    field: str = ""
    is_live: bool = False


FORMS: Mapping[str, BulkForm] = {
    "accept": BulkForm(_ask_score),
    "assign": BulkForm(_ask_account, "CRM account", is_live=True),
    "exclude": BulkForm(_ask_reason, "Reason"),
    "park": BulkForm(_ask_reason_and_date, "Reason"),
    "owner": BulkForm(_ask_owner, "Owner"),
}
"""What an action asks for. Those that ask nothing are previewed at once."""
