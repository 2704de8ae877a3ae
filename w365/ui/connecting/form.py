"""The dialogs in which an admin connects a provider or the CRM. Inputs follow from the connectors' settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from w365.connection import REACHES
from w365.model import ProviderKind, Role
from w365.portals.connectors import CONNECTORS
from w365.service.connecting.fields import ConnectionField, fields_of
from w365.service.connecting.stored_connections import (
    ConnectionView,
    add_provider,
    get_connection,
    remove_connection,
    save_connection,
)
from w365.service.syncing.providers import list_providers
from w365.store.runs import CRM
from w365.store.syncing.providers import free_name
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time, show_refusals
from w365.ui.frame.wording import clock_time, local_zone, plain

_KEEP = "Stored; leave empty to keep it"


@dataclass(frozen=True, slots=True)
class _Entered:
    """What was entered by part, and below each field the place for what is wrong with it."""

    values: dict[str, str]
    places: dict[str, DeltaGenerator]


def offer_connection(context: PageContext, target: str, name: str, *, is_missing: bool = False) -> None:
    """A button that opens the connection of a provider or of the CRM, for admins."""
    label = "Connect…" if is_missing else "Connection…"
    look: Literal["primary", "secondary"] = "primary" if is_missing else "secondary"
    if context.actor.role >= Role.ADMIN and st.button(label, type=look, key=f"connection-{target}"):
        st.dialog(plain(f"Connection of {name}"), width="medium")(edit_connection)(context, target)


def offer_new_provider(context: PageContext) -> None:
    if context.service.settings.is_demo or context.actor.role < Role.ADMIN:
        return
    if st.button("Connect another provider…", key="connect-provider"):
        st.dialog("Connect a provider", width="medium")(connect_provider)(context)


def edit_connection(context: PageContext, target: str) -> None:
    """What the dialog of a connection holds."""
    connection = get_connection(context.service, context.actor, target)
    if connection.is_environments:
        _show_environments(connection)
        return
    if context.service.settings.is_demo:
        st.info("This is the demo. Leave it to connect your own.")
        return
    if connection.changed_at:
        when = clock_time(connection.changed_at, context.service.clock(), local_zone())
        st.caption(plain(f"Last changed {when} by {connection.changed_by}."))
    _show_rule(connection.setting)
    with st.form(f"connection-form-{target}", border=False):
        fields = fields_of(connection.setting, context.service.settings.cloud)
        entered = _ask(fields, connection.parts, target, has_secret=connection.has_secret)
        if st.form_submit_button("Save", type="primary"):
            _save(context, target, connection.name, entered)
    if connection.has_secret:
        _offer_removal(context, connection)


def _show_rule(setting: str) -> None:
    if rule := REACHES[setting].rule:
        st.caption(plain(rule))


def _save(context: PageContext, target: str, name: str, entered: _Entered) -> None:
    with show_refusals(entered.places):
        changes = save_connection(context.service, context.actor, target, entered.values)
        say_next_time(plain(f"The connection of {name} was saved. Verify it." if changes else "Nothing was changed."))
        st.rerun()


def _show_environments(connection: ConnectionView) -> None:
    st.info("The environment sets this connection, and it wins. Change it there and start the app again.")
    rows = [
        {"Setting": f"W365_{connection.setting}_{field.part}", "Value": _shown(field, connection.parts)}
        for field in fields_of(connection.setting)
    ]
    st.dataframe(rows, hide_index=True, alt="Settings of the environment")


def _shown(field: ConnectionField, parts: Mapping[str, str]) -> str:
    return "set, not shown" if field.is_secret else parts.get(field.part, "")


def _ask(fields: Sequence[ConnectionField], parts: Mapping[str, str], key: str, *, has_secret: bool) -> _Entered:
    entered = _Entered({}, {})
    for field in fields:
        entered.values[field.part] = _ask_one(field, parts, f"{key}-{field.part}", has_secret=has_secret)
        entered.places[field.part] = st.empty()
    return entered


def _ask_one(field: ConnectionField, parts: Mapping[str, str], key: str, *, has_secret: bool) -> str:
    value = parts.get(field.part) or field.default
    if field.is_secret:
        hint = _KEEP if has_secret else ""
        return st.text_input(field.label, type="password", placeholder=hint, help=field.help, key=key) or ""
    if field.choices:
        labels = dict(field.choices)
        values = list(labels)
        chosen = st.selectbox(
            field.label, values, index=values.index(value), format_func=labels.__getitem__, help=field.help, key=key
        )
        return chosen or ""
    return st.text_input(field.label, value, help=field.help, key=key, max_chars=400) or ""


def _offer_removal(context: PageContext, connection: ConnectionView) -> None:
    what = "accounts and contacts" if connection.target == CRM else "provider accounts, their mappings and history"
    with st.expander("Remove this connection"):
        st.markdown(
            plain(
                f"The stored secret and sign-in are deleted. What was synced ({what}) stays, but is not synced "
                "any more until it is connected again. A provider that was never synced goes altogether."
            )
        )
        if st.button("Remove", key=f"remove-{connection.target}"):
            _remove(context, connection)


def _remove(context: PageContext, connection: ConnectionView) -> None:
    with show_refusals():
        is_gone = remove_connection(context.service, context.actor, connection.target)
        what = connection.name if is_gone else f"The connection of {connection.name}"
        say_next_time(plain(f"{what} was removed."))
        st.rerun()


def connect_provider(context: PageContext) -> None:
    """What the dialog of a further provider holds."""
    connectors = {connector.kind: connector for connector in CONNECTORS}
    kind = st.selectbox("Kind", list(connectors), format_func=lambda kind: connectors[kind].full_name)
    connector = connectors[kind or ProviderKind.PARTNER_CENTER]
    usual = free_name(connector.name, (provider.name for provider in list_providers(context.service, context.actor)))
    _show_rule(connector.setting)
    with st.form("new-provider", border=False):
        name = st.text_input("Name", usual, help="How the pages call it; any number of a kind", max_chars=100)
        fields = fields_of(connector.setting, context.service.settings.cloud)
        entered = _ask(fields, {}, f"new-{connector.kind}", has_secret=False)
        if st.form_submit_button("Add provider", type="primary"):
            _add_provider(context, connector.kind, name or "", entered)


def _add_provider(context: PageContext, kind: ProviderKind, name: str, entered: _Entered) -> None:
    with show_refusals(entered.places):
        add_provider(context.service, context.actor, kind, name, entered.values)
        say_next_time(plain(f"{name} was added. Verify it, then sync."))
        st.rerun()
