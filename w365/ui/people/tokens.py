"""Programs on the People page: the tokens of service accounts, made, shown once and revoked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import streamlit as st

from w365.model import Role
from w365.service.access import end_of_token, program_name
from w365.service.people.service_tokens import NewToken, list_tokens, make_token, revoke_token
from w365.store.people.service_tokens import TokenRow
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import show_refusals
from w365.ui.frame.wording import full_time, local_zone, plain
from w365.ui.people.changes import ask_first

_DAYS = {30: "30 days", 90: "90 days", 180: "half a year", 366: "a year"}
_ROLES = {Role.VIEWER: "viewer: reads", Role.ANALYST: "analyst: also decides and syncs"}
_HEIGHT = 420
_FEW = 11


def show_programs(context: PageContext) -> None:
    st.subheader("Programs", anchor=False)
    st.caption("A program gets in to /api/v1 with the token of a service account, and acts under its name.")
    if tokens := list_tokens(context.service, context.actor):
        _show_table(context, tokens)
    if st.button("Make a token…", key="make-token"):
        st.dialog("Make a token", width="medium", on_dismiss="rerun")(_make)(context)


def _show_table(context: PageContext, tokens: Sequence[TokenRow]) -> None:
    zone, now = local_zone(), context.service.clock()
    options: dict[str, Any] = {"hide_index": True, "column_config": _COLUMNS, "alt": "Tokens of programs"}
    options["height"] = _HEIGHT if len(tokens) > _FEW else "content"
    key = f"tokens-{hash(tuple(token.id for token in tokens))}"
    rows = [_row(token, now, zone) for token in tokens]
    chosen = st.dataframe(rows, key=key, on_select="rerun", selection_mode="single-row", **options)
    places: list[int] = chosen["selection"]["rows"]
    token = tokens[places[0]] if places and places[0] < len(tokens) else None
    if token is None or end_of_token(token, now):
        st.caption("Choose a token to revoke it." if token is None else "This token ended; it opens nothing any more.")
    elif st.button("Revoke…", key=f"revoke-{token.id}"):
        _ask_to_revoke(context, token)


def _row(token: TokenRow, now: dt.datetime, zone: dt.tzinfo) -> dict[str, str | int]:
    end = end_of_token(token, now)
    at = token.revoked_at or token.expires_at
    return {
        "Token": token.id,
        "Service account": token.name,
        "Role": token.role.name.lower(),
        "State": f"{end.removeprefix('was ')} {full_time(at, zone)}" if end else f"open until {full_time(at, zone)}",
        "Last used": full_time(token.used_at, zone) if token.used_at else "never",
        "Last letters": f"…{token.ending}",
        "Made by": token.made_by,
        "Made": full_time(token.made_at, zone),
    }


def _ask_to_revoke(context: PageContext, token: TokenRow) -> None:
    def revoke() -> str:
        revoke_token(context.service, context.actor, token.id)
        return f"Token {token.id} of {token.name} is revoked."

    named = f"token {token.id} of **{plain(token.name)}** (…{plain(token.ending)})"
    told = f"Whatever uses {named} is refused from its next call on. What it decided stays."
    ask_first("Revoke this token?", told, "Revoke", revoke)


def _make(context: PageContext) -> None:
    place = st.empty()
    with place.form("make-token-form", border=False):
        name = st.text_input("Service account", key="token-name", help="Small letters, digits, “-”, “_” and “.”.")
        role = st.selectbox("Role", _ROLES, format_func=_ROLES.__getitem__, key="token-role")
        days = st.selectbox("Ends after", _DAYS, 1, format_func=_DAYS.__getitem__, key="token-days")
        is_asked = st.form_submit_button("Make the token", type="primary")
    if is_asked:
        with show_refusals():
            made = make_token(context.service, context.actor, name.strip(), role, days)
            place.empty()
            _show_once(made)


def _show_once(made: NewToken) -> None:
    """Show the secret. It is kept in no state, so that the next run of the dialog has it no more."""
    st.success(f"Token {made.token.id} of {plain(made.token.name)}. Copy it now: it is never shown again.")
    st.code(made.secret, language=None, wrap_lines=True)
    named = plain(program_name(made.token))
    st.markdown(f"Send it in the header **Authorization**, after the word **Bearer**. It acts as **{named}**.")


_COLUMNS = {
    name: st.column_config.Column(name, width=width)
    for name, width in (
        ("Token", 70),
        ("Service account", 170),
        ("Role", 85),
        ("State", 250),
        ("Last used", 160),
        ("Last letters", 95),
        ("Made by", 180),
        ("Made", 160),
    )
}
