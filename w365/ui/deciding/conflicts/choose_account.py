"""Choosing one account for all rows that a domain puts in conflict: looked at first, then done.

One row is a decision by hand; several are a bulk action, which is taken back as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from w365.service.deciding.bulk_preview import Chosen
from w365.service.deciding.conflicts import MOST_ROWS, Use, choose_account, rows_of_domain
from w365.store.reading.worklist import Row
from w365.ui.deciding.bulk.dialog import ask_bulk
from w365.ui.deciding.conflicts.words import say_chosen, say_use
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors, say_next_time, toast_next_time
from w365.ui.frame.wording import number, plain, short

_KEY = "conflicts_choice"


@dataclass(frozen=True, slots=True)
class _Asked:
    """The choice that waits for confirmation, with the row as it was looked at; none that is in conflict any more."""

    domain: str
    use: Use
    row: Row | None


def ask_choice(context: PageContext, domain: str, use: Use) -> None:
    """Show, in the next run of the page, what choosing this account would map."""
    rows = rows_of_domain(context.service, context.actor, domain)
    if len(rows) > 1:
        which = f"the first {number(MOST_ROWS)}" if len(rows) == MOST_ROWS else number(len(rows))
        chosen = Chosen(tuple(row.id for row in rows))
        ask_bulk("assign", f"Choose {use.name} for {which}?", chosen, {"account": use.account_id})
    else:
        st.session_state[_KEY] = _Asked(domain, use, rows[0] if rows else None)
    st.rerun()


def show_choice(context: PageContext) -> None:
    """Show the choice that waits for confirmation, if there is one."""
    asked: _Asked | None = st.session_state.get(_KEY)
    if asked is not None:
        title = f"Choose {plain(short(asked.use.name, 80))}?"
        st.dialog(title, width="medium", on_dismiss=_forget)(_show)(context, asked)


def _forget() -> None:
    st.session_state.pop(_KEY, None)


def _show(context: PageContext, asked: _Asked) -> None:
    row = asked.row
    if row is None:
        st.info("Nobody is in conflict for this domain any more.")
        return
    st.markdown(
        f"Maps **1 provider account** with {plain(asked.domain)} to "
        f"**{plain(short(asked.use.name, 100))}** ({plain(say_use(asked.use))})."
    )
    shown = {"Provider account": row.name, "Provider": row.provider, "Domain": row.domain, "Seats": row.seats}
    st.dataframe([shown], hide_index=True, alt="Provider account to map")
    with st.container(horizontal=True):
        if st.button("Map 1 provider account", type="primary"):
            with report_errors():
                _choose(context, asked, row)
        if st.button("Cancel"):
            _forget()
            st.rerun()


def _choose(context: PageContext, asked: _Asked, row: Row) -> None:
    done = choose_account(context.service, context.actor, [row], asked.use.account_id)
    _forget()
    said = plain(say_chosen(done, asked.use.name))
    if done.left:
        say_next_time(said)
    else:
        toast_next_time(said)
    st.rerun()
