"""Ways from a row to other rows: the one that its lookup names, and all whose lookup names it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from w365.demo.dataverse.odata import syntax_error
from w365.demo.dataverse.rows import CrmRows
from w365.demo.dataverse.tables import PARENT_KIND, TABLES, Column, CrmTable
from w365.demo.journal import Row

_EXPANSION = re.compile(r"\s*(\w+)\s*(?:\(((?:[^()']|'(?:[^']|'')*'|\([^()]*\))*)\))?\s*(?:,|$)")
_OPTION = re.compile(r"(?:[^;']|'(?:[^']|'')*')+")


@dataclass(frozen=True, slots=True)
class Navigation:
    """``column`` of ``holder`` names a row of ``named``. It leads there, or, where ``is_list``, back from there."""

    name: str
    holder: CrmTable
    column: Column
    named: CrmTable
    is_list: bool = False

    @property
    def target(self) -> CrmTable:
        return self.holder if self.is_list else self.named

    def key_in(self, row: Row) -> str:
        """The id that a row of ``holder`` names; empty where it names none, or one of another table."""
        is_other = self.column.kind == "Customer" and row[PARENT_KIND] != self.named.logical_name
        return "" if is_other else str(row[self.column.name] or "")

    def values(self, named_id: str | None) -> Row:
        """What a row of ``holder`` holds that names this one, or none."""
        is_kinded = self.column.kind == "Customer" and named_id
        kind: Row = {PARENT_KIND: self.named.logical_name} if is_kinded else {}
        return {self.column.name: named_id, **kind}


def all_navigations() -> Iterator[Navigation]:
    """Every lookup of every table, in the direction that it is written in."""
    for holder in TABLES.values():
        for column in holder.columns.values():
            for name, entity_set in (column.binding or {}).items():
                yield Navigation(name, holder, column, TABLES[entity_set])


def list_name(lookup: Navigation) -> str:
    """What the way back is called, which is also the name of the relationship."""
    return _LISTS.get((lookup.holder.logical_name, lookup.name), f"{lookup.name}_{lookup.holder.logical_name}".lower())


_LISTS = {
    ("account", "parentaccountid"): "account_parent_account",
    ("contact", "parentcustomerid_account"): "contact_customer_accounts",
    ("contact", "parentcustomerid_contact"): "contact_customer_contacts",
}


def navigations_of(table: CrmTable) -> Mapping[str, Navigation]:
    lookups = {each.name: each for each in all_navigations() if each.holder is table}
    lists = [each for each in all_navigations() if each.named is table]
    return lookups | {
        list_name(each): Navigation(list_name(each), each.holder, each.column, table, is_list=True) for each in lists
    }


def follow(navigation: Navigation, rows: CrmRows) -> Callable[[Row], list[Row]]:
    """Give the function from a row to the rows that the navigation leads to."""
    if not navigation.is_list:
        by_id = rows.table(navigation.named).by_id
        return lambda row: [by_id[navigation.key_in(row)]] if navigation.key_in(row) in by_id else []
    lists: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows.table(navigation.holder).by_id.values():
        lists[navigation.key_in(row)].append(row)
    return lambda row: lists[str(row[navigation.named.primary_id])]


def read_expansions(text: str) -> dict[str, dict[str, str]]:
    """Read ``$expand``: the options of each navigation by its name. Raises ODataRefusal."""
    expansions: dict[str, dict[str, str]] = {}
    position = 0
    while position < len(text):
        match = _EXPANSION.match(text, position)
        if match is None:
            raise syntax_error(f"Syntax error at position {position} in '{text}'.")
        parts = [option.partition("=") for option in _OPTION.findall(match[2] or "")]
        expansions[match[1]] = {name.strip(): value for name, _, value in parts}
        position = match.end()
    return expansions
