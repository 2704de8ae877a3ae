"""The settings that name the Dataverse table of mappings: chosen from what the CRM says it has."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from w365.crm.tables import MappingPlace, TableColumns
from w365.errors import W365Error
from w365.model import Role
from w365.service.writeback.place import list_columns, list_tables, name_place
from w365.service.writeback.view import Overview
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time, show_error, show_refusals
from w365.ui.frame.wording import plain

_TABLES, _COLUMNS = "writeback_tables", "writeback_columns"
_NONE = ""


def show_place(context: PageContext, seen: Overview | None) -> None:
    """Show which table is named, and let an admin choose another."""
    if seen is None:
        st.caption("No table is named: nothing is written to Dataverse or compared with it.")
    else:
        place = seen.place
        provider = f", provider in `{place.provider_column}`" if place.provider_column else ""
        st.markdown(
            f"Table `{place.table}`: id in `{place.id_column}`{provider}, account in `{place.account_column}`. "
            f"Write-back is **{'on' if seen.is_on else 'off'}**."
        )
    if context.actor.role < Role.ADMIN:
        return
    if _TABLES in st.session_state:
        _choose(context, seen)
    else:
        _offer(context, seen)


def _offer(context: PageContext, seen: Overview | None) -> None:
    with st.container(horizontal=True):
        if st.button("Choose the table" if seen is None else "Change", key="choose-table"):
            _ask_tables(context)
        if seen is not None:
            label = "Switch write-back off" if seen.is_on else "Switch write-back on"
            if st.button(label, key="switch-write-back", type="secondary" if seen.is_on else "primary"):
                _save(context, seen.place, write=not seen.is_on)


def _ask_tables(context: PageContext) -> None:
    with show_refusals():
        with st.spinner("Asking Dataverse for its tables…"):
            st.session_state[_TABLES] = list_tables(context.service, context.actor)
        st.rerun()


def _choose(context: PageContext, seen: Overview | None) -> None:
    now = seen.place if seen else MappingPlace("", "", "", "")
    with st.container(border=True):
        tables: Sequence[str] = st.session_state[_TABLES]
        table = st.selectbox(
            "Table",
            tables,
            _place_of(tables, now.table),
            placeholder="Choose a table",
            key="writeback-table",
            width=420,
        )
        columns = _columns_of(context, table) if table else None
        place = _ask_columns(now, table, columns) if table and columns else None
        write = st.toggle(
            "Write every mapping there",
            value=seen.is_on if seen else False,
            key="writeback-on",
            help="Each decision is written within seconds. What Dataverse says otherwise is left until you choose.",
        )
        with st.container(horizontal=True):
            if st.button("Save", type="primary", disabled=place is None, key="writeback-save"):
                _save(context, place, write=write)
            if st.button("Cancel", key="writeback-cancel"):
                _forget()
                st.rerun()
            if seen is not None and st.button("Name no table", key="writeback-none"):
                _save(context, None, write=False)


def _columns_of(context: PageContext, table: str) -> TableColumns | None:
    kept: dict[str, TableColumns] = st.session_state.setdefault(_COLUMNS, {})
    if table not in kept:
        try:
            kept[table] = list_columns(context.service, context.actor, table)
        except W365Error as error:
            show_error(error)
            return None
    return kept[table]


def _ask_columns(now: MappingPlace, table: str, columns: TableColumns) -> MappingPlace | None:
    if not columns.lookups:
        st.warning(plain(f"The table {table} has no lookup to accounts, so it cannot hold mappings."))
        return None
    first, second, third = st.columns(3)
    chosen = first.selectbox(
        "Provider specific account id",
        columns.ids,
        _place_of(columns.ids, now.id_column),
        placeholder="Choose a column",
        key=f"writeback-id-{table}",
    )
    provider = second.selectbox(
        "Provider (optional)",
        [_NONE, *columns.texts],
        _place_of([_NONE, *columns.texts], now.provider_column),
        format_func=lambda name: name or "none",
        help="Needed where two providers may use the same id.",
        key=f"writeback-provider-{table}",
    )
    account = third.selectbox(
        "Lookup to the account",
        columns.lookups,
        _place_of(columns.lookups, now.account_column) or 0,
        key=f"writeback-account-{table}",
    )
    return MappingPlace(table, chosen, provider or _NONE, account) if chosen and account else None


def _place_of(names: Sequence[str], name: str) -> int | None:
    return list(names).index(name) if name in names else None


def _save(context: PageContext, place: MappingPlace | None, *, write: bool) -> None:
    with show_refusals():
        with st.spinner("Asking Dataverse whether it is so…"):
            name_place(context.service, context.actor, place, write=write)
        _forget()
        say_next_time("Saved.")
        st.rerun()


def _forget() -> None:
    for name in [_TABLES, _COLUMNS]:
        st.session_state.pop(name, None)
