"""Choosing one account for all rows that a domain puts in conflict: looked at first, then a decision each."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from w365.service.conflicts import MOST_ROWS, Use, choose_account, rows_of_domain
from w365.store.worklist import Row
from w365.ui.conflict_words import say_chosen, say_use
from w365.ui.desk import Desk
from w365.ui.shell import say_next_time, told
from w365.ui.wording import counted, number, plain, short

_KEY = "conflicts_choice"


@dataclass(frozen=True, slots=True)
class _Asked:
    """The choice that waits for confirmation, with the rows as they were looked at."""

    domain: str
    use: Use
    rows: tuple[Row, ...]


def ask_choice(desk: Desk, domain: str, use: Use) -> None:
    """Show, in the next run of the page, what choosing this account would map."""
    st.session_state[_KEY] = _Asked(domain, use, tuple(rows_of_domain(desk.service, desk.actor, domain)))
    st.rerun()


def show_choice(desk: Desk) -> None:
    """Show the choice that waits for confirmation, if there is one."""
    asked: _Asked | None = st.session_state.get(_KEY)
    if asked is not None:
        title = f"Choose {plain(short(asked.use.name, 80))}?"
        st.dialog(title, width="medium", on_dismiss=_forget)(_show)(desk, asked)


def _forget() -> None:
    st.session_state.pop(_KEY, None)


def _show(desk: Desk, asked: _Asked) -> None:
    amount = len(asked.rows)
    if not amount:
        st.info("Nobody is in conflict for this domain any more.")
        return
    most = f" These are the first {number(MOST_ROWS)}; the rest follows in the next go." if amount == MOST_ROWS else ""
    each = ", by a decision each" if amount > 1 else ""
    st.markdown(
        f"Maps **{counted(amount, 'provider account')}** with {plain(asked.domain)} to "
        f"**{plain(short(asked.use.name, 100))}** ({plain(say_use(asked.use))}){each}.{most}"
    )
    rows = [
        {"Provider account": row.name, "Provider": row.provider, "Domain": row.domain, "Seats": row.seats}
        for row in asked.rows
    ]
    st.dataframe(rows, hide_index=True, height=min(38 + 35 * amount, 320), alt="Provider accounts to map")
    with st.container(horizontal=True):
        if st.button(f"Map {counted(amount, 'provider account')}", type="primary"):
            with told():
                _choose(desk, asked)
        if st.button("Cancel"):
            _forget()
            st.rerun()


def _choose(desk: Desk, asked: _Asked) -> None:
    amount, bar = len(asked.rows), st.progress(0.0, "Saving decisions")
    done = choose_account(
        desk.service, desk.actor, asked.rows, asked.use.account_id, lambda at: bar.progress(at / amount)
    )
    _forget()
    told = plain(say_chosen(done, asked.use.name))
    if done.left:
        say_next_time(told)
    else:
        st.toast(told)  # seen wherever the page is scrolled to
    st.rerun()
