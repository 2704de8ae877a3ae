"""A change of many rows in one dialog: what it needs, what it would do, what it did, and its undo.

What the dialog shows lies in the session, so that it comes back with every run of the page until it is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from w365.jobs import execute_run
from w365.service.deciding.bulk_preview import Selection, preview_bulk
from w365.service.deciding.bulk_run import PlanPreview, confirm_plan, discard_plan, list_left, read_done
from w365.service.deciding.undo import Undoable, preview_undo
from w365.store.run_counts import Count
from w365.ui.deciding.bulk.forms import FORMS, BulkForm
from w365.ui.deciding.bulk.words import VERBS, left_row, sample_row, say_done, say_left, say_warning, say_would
from w365.ui.frame.keyboard import listen_for_keys
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors, show_refusals
from w365.ui.frame.runs import show_run
from w365.ui.frame.wording import local_zone, number, plain, short

_KEY = "change_asked"
_CHANGED = "change_done"
_ROW = 35


@dataclass(frozen=True, slots=True)
class _BulkRequest:
    """What the dialog is about and how far it is: asked, then previewed, then confirmed."""

    title: str
    action: str = ""
    chosen: Selection | None = None
    detail: Mapping[str, Any] | None = None  # what was entered elsewhere: nothing is asked any more
    undo: Undoable | None = None
    preview: PlanPreview | None = None
    run_id: int | None = None
    is_over: bool = False


def ask_bulk(action: str, title: str, chosen: Selection, detail: Mapping[str, Any] | None = None) -> None:
    """Open the dialog of a bulk action in the next run of the page; with `detail` at its preview."""
    st.session_state[_KEY] = _BulkRequest(title, action, chosen, detail)


def ask_undo(what: Undoable, title: str) -> None:
    """Open the dialog that takes a decision or a run back in the next run of the page."""
    st.session_state[_KEY] = _BulkRequest(title, undo=what)


def changes_done() -> int:
    """How often this session saw many rows change: a grid drawn before the last time is out of date."""
    return int(st.session_state.get(_CHANGED, 0))


def show_change_dialog(context: PageContext) -> None:
    """Show the change that a person asked for, if there is one."""
    asked: _BulkRequest | None = st.session_state.get(_KEY)
    if asked is not None:
        st.dialog(plain(short(asked.title, 90)), width="medium", on_dismiss=_forget)(_show)(context)


def _forget() -> None:
    st.session_state.pop(_KEY, None)


def _show(context: PageContext) -> None:
    with report_errors():
        asked: _BulkRequest | None = st.session_state.get(_KEY)
        if asked is None:
            st.rerun()
        elif asked.run_id is not None:
            _show_run(context, asked, asked.run_id)
        elif asked.preview is not None:
            _show_preview(context, asked, asked.preview)
        else:
            _show_form(context, asked)


def _show_form(context: PageContext, asked: _BulkRequest) -> None:
    form = _form_of(asked)
    if form is None:
        _step(lambda: _previewed(context, asked, asked.detail or {}))
    elif form.is_live:
        detail = form.ask(context)
        with st.container(horizontal=True):
            if st.button("Preview", type="primary", disabled=detail is None):
                _step(lambda: _previewed(context, asked, detail or {}))
            _cancel(context, asked)
    else:
        _show_at_once(context, asked, form)
    if form is not None and form.field:
        listen_for_keys(row=None, focus=form.field, nonce=1)


def _form_of(asked: _BulkRequest) -> BulkForm | None:
    return FORMS.get(asked.action) if asked.detail is None else None


def _show_at_once(context: PageContext, asked: _BulkRequest, form: BulkForm) -> None:
    """Show what is asked as a form, so that Enter in a field previews."""
    with st.form("bulk-form", border=False, enter_to_submit=True):
        detail = form.ask(context)
        with st.container(horizontal=True):
            is_asked = st.form_submit_button("Preview", type="primary")
            is_left = st.form_submit_button("Cancel")
    if is_asked:
        _step(lambda: _previewed(context, asked, detail or {}))
    elif is_left:
        _leave(context, asked)


def _previewed(context: PageContext, asked: _BulkRequest, detail: Mapping[str, Any]) -> _BulkRequest:
    if asked.undo is not None:
        return replace(asked, preview=preview_undo(context.service, context.actor, asked.undo))
    chosen = asked.chosen or Selection()
    return replace(asked, preview=preview_bulk(context.service, context.actor, chosen, asked.action, detail))


def _show_preview(context: PageContext, asked: _BulkRequest, preview: PlanPreview) -> None:
    plan = preview.plan
    st.markdown(f"{plain(plan.title)}  \n{say_would(plan)}")
    if warning := say_warning(preview):
        st.warning(warning)
    if preview.sample:
        rows = [sample_row(change, plan.action) for change in preview.sample]
        st.dataframe(rows, hide_index=True, alt="The first provider accounts that change")
        if plan.would > len(rows):
            st.caption(f"The first {number(len(rows))} of {number(plan.would)} are shown.")
    _show_left(context, plan.id, plan.left)
    with st.container(horizontal=True):
        if plan.would and st.button(f"{VERBS[plan.action]} {number(plan.would)}", type="primary"):
            _step(lambda: _confirmed(context, asked, preview))
        if _form_of(asked) and st.button("Back"):
            _step(lambda: _discarded(context, asked, preview))
        _cancel(context, asked)


def _show_left(context: PageContext, plan_id: int, left: dict[str, int]) -> None:
    if not left:
        return
    amount = sum(left.values())
    st.markdown(f"{number(amount)} left as they are:\n" + "\n".join(f"- {plain(line)}" for line in say_left(left)))
    with st.expander("Which"):
        zone = local_zone()
        rows = [left_row(row, zone) for row in list_left(context.service, context.actor, plan_id)]
        st.dataframe(rows, hide_index=True, height=min(38 + _ROW * len(rows), 260), alt="Rows left as they are")
        if amount > len(rows):
            st.caption(f"The first {number(len(rows))} are shown.")


def _confirmed(context: PageContext, asked: _BulkRequest, preview: PlanPreview) -> _BulkRequest:
    """Small changes are done here and now; large ones are the worker's."""
    run_id = confirm_plan(context.service, context.actor, preview.plan.id)
    if preview.is_small:
        with st.spinner("Saving decisions"):
            execute_run(context.service, run_id)
    _count_change()
    return replace(asked, run_id=run_id, is_over=preview.is_small)


def _count_change() -> None:
    st.session_state[_CHANGED] = changes_done() + 1


def _discarded(context: PageContext, asked: _BulkRequest, preview: PlanPreview) -> _BulkRequest:
    discard_plan(context.service, context.actor, preview.plan.id)
    return replace(asked, preview=None)


def _show_run(context: PageContext, asked: _BulkRequest, run_id: int) -> None:
    run, plan = read_done(context.service, context.actor, run_id)
    if run.is_active:
        show_run(context, run)
        st.caption("This goes on when you close the dialog; Activity shows the result and can take it back.")
        return
    if not asked.is_over:
        _count_change()  # what a worker changed since it was asked to
        _step(lambda: replace(asked, is_over=True))
    if run.error:
        st.warning(plain(run.error))
    st.markdown(f"{plain(plan.title)}  \n{say_done(plan, run)}")
    _show_left(context, plan.id, plan.left)
    with st.container(horizontal=True):
        if st.button("Close", type="primary"):
            _forget()
            st.rerun()
        if (run.result[Count.ROWS_CHANGED] or run.result[Count.TAKEN_BACK]) and st.button("Undo"):
            ask_undo(Undoable(run_id=run_id), f"Undo: {plan.title}")
            st.rerun()


def _step(act: Callable[[], _BulkRequest]) -> None:
    """Go on to what `act` returns; a refusal stands where the button is."""
    with show_refusals():
        asked = act()
        st.session_state[_KEY] = asked
        st.rerun()


def _cancel(context: PageContext, asked: _BulkRequest) -> None:
    if st.button("Cancel"):
        _leave(context, asked)


def _leave(context: PageContext, asked: _BulkRequest) -> None:
    if asked.preview is not None:
        discard_plan(context.service, context.actor, asked.preview.plan.id)
    _forget()
    st.rerun()
