"""The Import page: rows of a manual provider, and mappings that exist already, from a file."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from w365.model import ProviderKind, Role, RunKind
from w365.service.importing.accounts import AccountsChoice, AccountsPreview
from w365.service.importing.choices import find_accounts_target
from w365.service.importing.previews import look_at_accounts
from w365.service.importing.runs import request_accounts_import
from w365.service.syncing.manual_rows import FIELDS
from w365.service.syncing.providers import ProviderView, list_providers
from w365.store.run_counts import Count
from w365.store.runs import RunView
from w365.ui.frame import pages
from w365.ui.frame.links import link_to
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.runs import say_result
from w365.ui.frame.wording import counted, number, plain
from w365.ui.importing.file import ChosenFile, ask_file, ask_hidden, begin_import, look_at_file, show_errors, show_last
from w365.ui.importing.mappings import show_mapping_import

_ACCOUNTS, _MAPPINGS = "Provider accounts", "Existing mappings"


_WORDS = {
    Count.NEW: "new",
    Count.CHANGED: "changed",
    Count.UNCHANGED: "unchanged",
    Count.RETURNED: "returned",
    Count.LEFT_ALONE: "left alone: their sync is switched off",
}
_WRITTEN = (Count.NEW, Count.CHANGED, Count.RETURNED)


def show_import(context: PageContext) -> None:
    first = _MAPPINGS if st.query_params.get("what") == "mappings" else _ACCOUNTS
    what = st.segmented_control(
        "What the file holds", [_ACCOUNTS, _MAPPINGS], default=first, required=True, label_visibility="collapsed"
    )
    if what == _MAPPINGS:
        show_mapping_import(context)
    else:
        _import_accounts(context)


def _import_accounts(context: PageContext) -> None:
    st.caption("The customers of a provider that has no connection: each line is one, found again by its id.")
    manual = [
        provider for provider in list_providers(context.service, context.actor) if provider.kind is ProviderKind.MANUAL
    ]
    if not manual:
        st.info("There is no manual provider yet. An admin adds one on the Providers page.")
        st.page_link(pages.PROVIDERS.path, label=":primary[Go to Providers]")
        return
    provider = _ask_provider(manual)
    chosen = ask_file(context, "provider accounts", FIELDS, find_accounts_target(provider.id))
    if chosen is None:
        show_last(context, RunKind.IMPORT, provider.name, _say_done)
        label = f"Show the provider accounts of {plain(provider.name)}"
        link_to(pages.PROVIDER_ACCOUNTS.path, label, {"status": "all", "provider": str(provider.id)})
        return
    preview = look_at_file(
        chosen,
        provider.id,
        lambda: look_at_accounts(context.service, context.actor, provider.id, chosen.upload, chosen.places),
    )
    if preview is not None:
        _show_accounts(context, provider, chosen, preview)


def _ask_provider(manual: Sequence[ProviderView]) -> ProviderView:
    chosen = st.query_params.get("provider", "")
    names = [provider.name for provider in manual]
    first = names.index(chosen) if chosen in names else 0
    name = st.selectbox("Manual provider", names, index=first, width=320)
    return manual[names.index(name or names[first])]


def _show_accounts(context: PageContext, provider: ProviderView, chosen: ChosenFile, preview: AccountsPreview) -> None:
    amounts = [
        f"{number(preview.counts[count])} {word}"
        for count, word in _WORDS.items()
        if preview.counts[count] or count in (Count.NEW, Count.CHANGED, Count.UNCHANGED)
    ]
    amounts.append(f"{number(preview.bad_lines)} with errors")
    st.markdown(f"**{counted(preview.lines, 'line')}:** {' · '.join(amounts)}")
    ask_hidden(chosen, preview.hidden)
    if preview.errors:
        show_errors(context, preview.errors)
    _show_changes(preview)
    choice = _ask_choice(context, provider, preview)
    amount = sum(preview.counts[word] for word in _WRITTEN)
    stays = preview.counts.total() == 0 or (preview.bad_lines > 0 and not choice.leave_out_errors)
    if st.button(f"Import {counted(amount, 'provider account')}", type="primary", disabled=stays):
        _run_accounts(context, provider, chosen, choice)


def _show_changes(preview: AccountsPreview) -> None:
    if not preview.shown:
        return
    rows = [
        {"Provider specific account id": row.specific_id, "Provider name": row.name, "": row.word, "Change": row.change}
        for row in preview.shown
    ]
    st.dataframe(rows, hide_index=True, alt="What the import would change", height=min(35 * len(rows) + 38, 260))
    more = sum(preview.counts[word] for word in _WRITTEN) - len(rows)
    if more > 0:
        st.caption(f"and {number(more)} more")


def _ask_choice(context: PageContext, provider: ProviderView, preview: AccountsPreview) -> AccountsChoice:
    leave_out = bool(preview.errors) and st.checkbox(f"Leave out {counted(preview.bad_lines, 'line')} with errors")
    if not preview.missing:
        return AccountsChoice(leave_out)
    missing = counted(preview.missing, "customer")
    is_full = st.checkbox(
        f"This file is the full list of {plain(provider.name)}: mark {missing} as gone that it does not have",
        help="Their mappings and history are kept; one that a later file has again comes back as it was.",
    )
    if not (is_full and preview.too_many):
        return AccountsChoice(leave_out, is_full)
    st.warning(f"{number(preview.missing)} of {number(preview.known)} customers would be gone. Is it the full list?")
    if context.actor.role < Role.ADMIN:
        st.caption("An admin can confirm that so many left.")
        return AccountsChoice(leave_out, is_full)
    return AccountsChoice(leave_out, is_full, st.checkbox(f"Yes, {missing} left"))


def _run_accounts(context: PageContext, provider: ProviderView, chosen: ChosenFile, choice: AccountsChoice) -> None:
    begin_import(
        context,
        lambda: request_accounts_import(
            context.service, context.actor, provider.id, chosen.upload, chosen.places, choice
        ),
    )


def _say_done(run: RunView) -> str:
    return f"{run.target}: {say_result(run)}. A match looks at them now."
