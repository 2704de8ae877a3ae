"""The Providers page: a card for each provider, one for the CRM and one for matching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from w365.model import ProviderKind, Role, RunKind
from w365.portals.connectors import connector_of
from w365.service.configuring.settings import get_settings
from w365.service.connecting.sign_ins import SignInView, get_sign_in
from w365.service.matching.run import preview_match
from w365.service.syncing.providers import (
    CrmView,
    ProviderView,
    add_manual_provider,
    get_crm,
    list_providers,
    verify_crm,
    verify_provider,
)
from w365.service.syncing.runs import confirm_gone, list_runs, missing_of, request_crm_sync, request_match, request_sync
from w365.store.runs import CRM, RunView
from w365.ui.configuring.auto_match import offer_preview, say_auto_match
from w365.ui.configuring.schedule_words import show_schedule
from w365.ui.connecting.demo_choice import offer_to_leave_demo, offer_to_return
from w365.ui.connecting.form import offer_connection, offer_new_provider
from w365.ui.connecting.sign_in import offer_sign_in, show_sign_in
from w365.ui.deciding.record.manual_row import offer_new_row
from w365.ui.frame import pages
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time, show_refusals
from w365.ui.frame.runs import awaits_confirmation, is_busy, keep_current, show_run, start_run
from w365.ui.frame.wording import clock_time, counted, local_zone, number, plain, short


def show_providers(context: PageContext) -> None:
    keep_current(context)
    offer_to_leave_demo(context)
    for provider in list_providers(context.service, context.actor):
        with st.container(border=True):
            _show_provider(context, provider)
    with st.container(border=True):
        _show_crm(context, get_crm(context.service, context.actor))
    with st.container(border=True):
        _show_matching(context)
    if context.actor.role >= Role.ADMIN:
        with st.container(horizontal=True):
            offer_new_provider(context)
            _offer_manual_provider(context)
        offer_to_return(context)


# --- a provider ---


def _show_provider(context: PageContext, provider: ProviderView) -> None:
    is_manual = provider.kind is ProviderKind.MANUAL
    connector = connector_of(provider.kind)
    kind = connector.full_name if connector else "Entered by hand"
    sign_in = get_sign_in(context.service, context.actor, str(provider.id)) if not provider.missing else None
    state: _Badge = ("Manual", "gray") if is_manual else _state(provider.missing, sign_in)
    _head(plain(short(provider.name)), kind, state)
    parts = [
        counted(provider.accounts, "provider account"),
        counted(provider.open, "needs a decision", "need a decision"),
        *([f"{number(provider.gone)} gone"] if provider.gone else []),
    ]
    st.markdown(f"**{' · '.join(parts)}**")
    _say_verified(context, provider)
    if provider.missing:
        st.warning(plain(provider.missing))
        offer_connection(context, str(provider.id), provider.name, is_missing=True)
    elif is_manual:
        _offer_row(context, provider)
    else:
        show_sign_in(context, sign_in)
        _show_last(context, provider.last, "No sync yet. Start the first one.", done=provider.last_done)
        show_schedule(context, str(provider.id))
        _offer_confirmation(context, provider.last)
        _buttons(
            context,
            provider.last,
            _syncs(context, provider),
            lambda: verify_provider(context.service, context.actor, provider.name),
            key=f"provider-{provider.id}",
            connection=(str(provider.id), provider.name),
            sign_in=sign_in,
        )


_Sync = tuple[str, Callable[[], int]]


def _syncs(context: PageContext, provider: ProviderView) -> list[_Sync]:
    """The usual sync, and one that reads everything where the usual one may not."""
    usual = ("Sync provider accounts", lambda: request_sync(context.service, context.actor, provider.name))
    may_be_short = get_settings(context.service, context.actor)["change_feed"] == "true"
    if provider.kind is not ProviderKind.PARTNER_CENTER or not may_be_short:
        return [usual]
    return [usual, ("Full sync", lambda: request_sync(context.service, context.actor, provider.name, full=True))]


_Badge = tuple[str, Literal["green", "orange", "gray"]]


def _state(missing: str, sign_in: SignInView | None = None) -> _Badge:
    if missing:
        return "Not connected", "orange"
    return ("Sign-in needed", "orange") if sign_in and sign_in.problem else ("Connected", "green")


def _head(name: str, kind: str, state: _Badge) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(name, width="content", anchor=False)
        st.badge(state[0], color=state[1])
        st.caption(kind)


def _say_verified(context: PageContext, provider: ProviderView) -> None:
    if provider.verified_at:
        when = clock_time(provider.verified_at, context.service.clock(), local_zone())
        st.caption(plain(f"Connection verified {when}. {provider.verified_as}"))


def _show_last(context: PageContext, run: RunView | None, otherwise: str, *, done: RunView | None = None) -> None:
    if run is None:
        st.info(otherwise)
    else:
        show_run(context, run, before=done.done if done else None)


def _buttons(
    context: PageContext,
    last: RunView | None,
    syncs: Sequence[_Sync],
    verify: Callable[[], tuple[str, ...]],
    *,
    key: str,
    connection: tuple[str, str],
    sign_in: SignInView | None = None,
) -> None:
    """Offer to sync, unless a sync is under way, to verify, and to connect; each only to those who may."""
    is_stopped = (last is not None and last.is_active) or (sign_in is not None and sign_in.is_blocked)
    pressed = None
    with st.container(horizontal=True):
        for place, (label, request) in enumerate(syncs if context.actor.role >= Role.ANALYST else ()):
            kind: Literal["primary", "secondary"] = "secondary" if place else "primary"
            if st.button(label, type=kind, key=f"{key}-{'full' if place else 'sync'}", disabled=is_stopped):
                pressed = request
        wants_proof = context.actor.role >= Role.ADMIN and st.button("Verify connection", key=f"{key}-verify")
        offer_connection(context, *connection)
        offer_sign_in(context, sign_in, *connection)
    if pressed:
        start_run(pressed)
    if wants_proof:
        _prove(verify)


def _prove(verify: Callable[[], tuple[str, ...]]) -> None:
    with show_refusals():
        with st.spinner("Asking for a token and one page…"):
            told = verify()
        st.success(plain(" ".join(told)))


# --- customers that are missing ---


def _offer_confirmation(context: PageContext, run: RunView | None) -> None:
    if run is None or not awaits_confirmation(run) or context.actor.role < Role.ADMIN:
        return
    missing = counted(missing_of(run), "customer")
    if st.button(f"Confirm that {missing} left…", key=f"gone-{run.id}"):
        _confirm_dialog(context, run.id, missing)


@st.dialog("Did they leave?")
def _confirm_dialog(context: PageContext, run_id: int, missing: str) -> None:
    st.markdown(
        f"**{missing}** will be marked as gone. Their mappings and history are kept, and one that the provider lists "
        "again comes back as it was."
    )
    if st.button("Mark as gone", type="primary"):
        with show_refusals():
            gone = confirm_gone(context.service, context.actor, run_id)
            say_next_time(f"{counted(gone, 'customer')} marked as gone.")
            st.rerun()


# --- the CRM ---


def _show_crm(context: PageContext, crm: CrmView) -> None:
    _head("CRM", "Dynamics 365 (Dataverse)", _state(crm.missing))
    amounts = f"{counted(crm.accounts, 'account')} · {counted(crm.contacts, 'contact')}"
    st.markdown(f"**{amounts}**" + (f" · {plain(crm.url)}" if crm.url else ""))
    if crm.missing:
        st.warning(plain(crm.missing))
        offer_connection(context, CRM, "CRM", is_missing=True)
        return
    _show_last(context, crm.last, "No sync yet. Start the first one.", done=crm.last_done)
    show_schedule(context, CRM)
    _buttons(
        context,
        crm.last,
        [("Sync CRM", lambda: request_crm_sync(context.service, context.actor))],
        lambda: verify_crm(context.service, context.actor),
        key="crm",
        connection=(CRM, "CRM"),
    )


# --- matching ---


def _show_matching(context: PageContext) -> None:
    st.subheader("Matching", anchor=False)
    last = next((run for run in list_runs(context.service, context.actor) if run.kind is RunKind.MATCH), None)
    is_running = last is not None and last.is_active
    preview = None if is_busy(context) else preview_match(context.service, context.actor)
    is_on = get_settings(context.service, context.actor)["auto_match"] == "true"
    st.markdown(say_auto_match(preview, is_on=is_on))
    _show_last(context, last, "No match yet. It runs after every sync.")
    with st.container(horizontal=True, vertical_alignment="center"):
        is_asked = context.actor.role >= Role.ANALYST and st.button("Match now", disabled=is_running)
        offer_preview(preview)
        st.page_link(pages.CONFIGURATION.path, label=":primary[Rules and Auto-Match]")
    if is_asked:
        start_run(lambda: request_match(context.service, context.actor))


# --- manual providers ---


def _offer_manual_provider(context: PageContext) -> None:
    with st.popover("Add manual provider"), st.form("manual-provider", border=False, clear_on_submit=True):
        name = st.text_input("Name of the provider", max_chars=100)
        if st.form_submit_button("Add provider", type="primary"):
            _attempt(lambda: add_manual_provider(context.service, context.actor, name), f"{plain(name)} was added.")


def _offer_row(context: PageContext, provider: ProviderView) -> None:
    if context.actor.role < Role.ANALYST:
        return
    st.page_link(
        pages.IMPORT.path,
        label=":primary[Import from a file]",
        icon=":material/upload_file:",
        query_params={"provider": provider.name},
    )
    offer_new_row(context, provider.id)


def _attempt(change: Callable[[], object], done: str) -> None:
    with show_refusals():
        change()
        say_next_time(done)
        st.rerun()
