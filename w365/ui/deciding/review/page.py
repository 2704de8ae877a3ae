"""The Review page: one row of the queue after another, decided by a key."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import streamlit as st

from w365.api.rows import is_offered, warning
from w365.errors import SignedOut
from w365.model import Role
from w365.service.configuring.crm_link import crm_address
from w365.service.deciding.collaboration import list_owners
from w365.service.reading.records import Record
from w365.service.syncing.providers import list_providers
from w365.ui.deciding.record.decide import Decider
from w365.ui.deciding.record.panel import draw_record
from w365.ui.deciding.review.forms import show_help, show_set_aside
from w365.ui.deciding.review.queue_position import STATUSES, QueueChoice, Walk, read_choice
from w365.ui.deciding.review.session import LOOKUP, Review
from w365.ui.frame.choices import show_choice_of
from w365.ui.frame.first_steps import is_beginning
from w365.ui.frame.keyboard import listen_for_keys
from w365.ui.frame.owner_words import owner_choices
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors, show_error
from w365.ui.frame.palette import WIDE
from w365.ui.frame.wording import counted, number, plain, short

_REVIEW = "review"
_STATUS, _PROVIDER, _OWNER = "review_status", "review_provider", "review_owner"
_BY_KEY = 3
"""So many candidates have a key of their own."""


@st.fragment
def show_review(context: PageContext) -> None:
    """Draw the page. A key runs this part only, once."""
    st.html(WIDE)
    with report_errors():
        if is_beginning(context):
            return
        providers = {provider.id: provider.name for provider in list_providers(context.service, context.actor)}
        review = _current(context, providers)
        st.query_params.from_dict(review.choice.parameters())
        record = review.record()
        _show_choices(review, providers, is_done=record is None)
        _show_outcome(review)
        if record is None:
            _show_end(review)
        else:
            _show_row(review, record)
        listen_for_keys(row=record.row.id if record else None, focus=review.focus, nonce=review.nonce)
        review.look_ahead()
        if record is not None:
            review.has_shown(record)


def _current(context: PageContext, providers: Mapping[int, str]) -> Review:
    review = st.session_state.get(_REVIEW)
    if isinstance(review, Review):
        review.context = context
        if _STATUS in st.session_state:
            return review
    owners = {*list_owners(context.service, context.actor), context.actor.name}
    choice = read_choice(st.query_params.to_dict(), providers, owners)
    if isinstance(review, Review) and choice in (review.choice, QueueChoice()):
        return review  # back from another page: the walk goes on where it was
    made = Review(context, choice, Walk((), 0))
    made.restart()
    st.session_state[_REVIEW] = made
    return made


def _chosen() -> None:
    """Begin anew with what the widgets say now; runs before the page does."""
    state = st.session_state
    review: Review = state[_REVIEW]
    review.error, review.message = None, ""
    _restart(review, QueueChoice(state[_STATUS], state.get(_PROVIDER) or None, state[_OWNER]))
    review.move_focus("")


def _restart(review: Review, choice: QueueChoice | None = None) -> None:
    with suppress(SignedOut):  # the page itself asks to sign in
        review.restart(choice)


def _show_choices(review: Review, providers: Mapping[int, str], *, is_done: bool) -> None:
    choice = review.choice
    st.session_state.update({_STATUS: choice.status, _PROVIDER: choice.provider or "", _OWNER: choice.owner})
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        show_choice_of("Status", _STATUS, STATUSES, 145, _chosen)
        if len(providers) > 1:
            known: dict[Any, str] = {"": "All providers", **providers}
            show_choice_of("Provider", _PROVIDER, known, 150, _chosen)
        show_choice_of("Owner", _OWNER, owner_choices(review.owners, review.context.actor, choice.owner), 160, _chosen)
        progress = "Done" if is_done else review.walk.progress()
        st.markdown(f"**{progress}** · {number(review.decided)} decided", width="content")


def _show_outcome(review: Review) -> None:
    with st.container(key="review-outcome"):
        if review.error is not None:
            show_error(review.error)
        else:  # a line in any case, or all below it would move whenever something is said
            nothing = "\u00a0" if review.decided else "Nothing was decided yet."
            st.caption(plain(short(review.message, 160)) or nothing)


def _show_end(review: Review) -> None:
    if review.walk.has_more:
        st.info("More rows wait behind the first 1,000.")
    elif review.walk.total:
        st.success("This was the last row of the queue.")
    else:
        st.success("Nothing waits here.")
    with st.container(horizontal=True):
        st.button("Look again", key="review-again", on_click=_restart, args=(review,), type="primary")
        _undo_button(review)


def _show_row(review: Review, record: Record) -> None:
    row = record.row
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="review-row"):
        st.subheader(plain(short(row.name, 90)) or "(no name)", anchor=False, width="content")
        if row.is_back:
            st.badge("Back from park", color="violet")
        if row.seats:
            st.markdown(f":gray[{counted(row.seats, 'seat')} blocked]", width="content")
    is_calm = not review.form
    decider = Decider(review.context, record, on_work=review.take, shortcuts=_keys(record) if is_calm else {})
    if is_calm:
        _show_toolbar(review, record, decider)
    elif review.form == "help":
        show_help(review)
    else:
        show_set_aside(review, record)
    draw_record(decider)


def _keys(record: Record) -> dict[str, str]:
    """The candidates' keys by the keys of their buttons."""
    first = record.candidates[:_BY_KEY]
    return {f"accept-{choice.hit.account_id}": str(place) for place, choice in enumerate(first, start=1)}


def _show_toolbar(review: Review, record: Record, decider: Decider) -> None:
    with st.container(horizontal=True, gap="xsmall", key="review-keys"):
        if review.context.actor.role >= Role.ANALYST:
            _show_verdicts(review, record, decider)
        st.button("Next", key=decider.key("next"), on_click=review.pass_by, shortcut="N")
        st.button("Look up", key=decider.key("look"), on_click=review.move_focus, args=(LOOKUP,), shortcut="L")
        _show_link(review, record, decider)
        _undo_button(review)
        st.button("Keys: ?", key="review-help", on_click=review.open_form, args=("help",), type="tertiary")


def _show_verdicts(review: Review, record: Record, decider: Decider) -> None:
    first = record.candidates[0].hit if record.candidates else None
    nothing = first is None
    account = first.account_id if first else 0

    def accept() -> None:
        review.take(record, decider.accept(account))

    def reject() -> None:
        review.take(record, decider.reject(account))

    doubt = warning(first) if first else ""
    st.button(
        "Accept first",
        key=decider.key("a"),
        on_click=accept,
        shortcut="A",
        disabled=nothing or bool(doubt),
        type="primary" if first and is_offered(first) else "secondary",
        help=f"The first candidate is {doubt}. The button below it accepts it all the same." if doubt else None,
    )
    st.button("Not this", key=decider.key("x"), on_click=reject, shortcut="X", disabled=nothing)
    st.button("Park", key=decider.key("p"), on_click=review.open_form, args=("park",), shortcut="P")
    st.button("Exclude", key=decider.key("e"), on_click=review.open_form, args=("exclude",), shortcut="E")


def _show_link(review: Review, record: Record, decider: Decider) -> None:
    """Open the first candidate in the CRM, in another tab."""
    if not record.candidates:
        return
    address = crm_address(review.context.service, review.context.actor, record.candidates[0].hit.account_id)
    if address:
        st.link_button("Open in CRM", address, key=decider.key("o"), shortcut="O")


def _undo_button(review: Review) -> None:
    st.button("Undo", key="review-undo", on_click=review.undo, shortcut="Z", disabled=not review.steps)
