"""The grid of provider accounts. The only module that knows the grid component.

Rows come from the routes of `w365.api`, never through the options: any string there of the form `::JSCODE::…` would be
run by the component, so the options hold constants, the token and percent-encoded text only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import st_aggrid
from st_aggrid import JsCode

from w365.store.reading.worklist import Sort
from w365.ui.reading.grid.script import READY, read_script
from w365.ui.reading.grid.style import THEME_PARAMETERS, grid_style

COMPONENT = sys.modules[st_aggrid.AgGrid.__module__]._component_func  # noqa: SLF001 - it tells it to nobody
_FIRST_HEIGHT = 560
"""Pixels until the script in the frame has measured the window."""

BAR = {
    "accept": "Accept best…",
    "assign": "Assign…",
    "exclude": "Exclude…",
    "park": "Park…",
    "unmap": "Unmap…",
    "reopen": "Reopen…",
    "owner": "Owner…",
}
"""The buttons of the bulk bar: actions of `service.deciding.bulk_actions`, with their labels."""

Scheme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class GridEvent:
    """What happened in the grid: a row was saved (or refused), or a person opens its record or its account.

    For `undo` the row is the decision to take back; for `ended`, when the grid was told that its token or session is
    over, it is nothing.
    """

    what: Literal["saved", "open", "account", "undo", "ended"]
    row: int


@dataclass(frozen=True, slots=True)
class Bulk:
    """A person wants an action on these rows, or on all of the filter when there are none."""

    action: str
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sorted:
    """A person sorts by a column, with a minus before it from the greatest down; empty: as at first."""

    by: str


@dataclass(frozen=True, slots=True)
class GridState:
    """What the grid shows.

    `view` is a query string for the rows route; `touched` names a row to read again, as `id.version`, or all rows, as
    `all.number`, or is empty. `sort` is what the rows are sorted by when the grid opens, or is empty.
    """

    view: str
    token: str
    may_edit: bool
    touched: str = ""
    sort: str = ""


def show_grid(state: GridState, *, scheme: Scheme, on_event: Callable[[GridEvent | Bulk | Sorted], None]) -> None:
    """Draw the grid; `on_event` is called once for each thing that happened, before the page runs again."""

    def receive(response: Any) -> None:
        event = read_event(response.raw_data)
        if event is not None:
            on_event(event)

    st_aggrid.AgGrid(
        None,
        gridOptions=options(state),
        key=f"provider-accounts-{scheme}-{state.may_edit}",  # the boxes of a grid stay as long as it does
        height=_FIRST_HEIGHT,
        theme=_theme(scheme),
        custom_css=grid_style(scheme),
        allow_unsafe_jscode=True,
        enable_enterprise_modules=False,
        show_toolbar=False,
        update_on=["w365"],
        data_return_mode="CUSTOM",
        custom_jscode_for_grid_return=_code(read_script("told")),
        # With no data from here the grid is never overwritten, and an open editor survives a run of the page.
        server_sync_strategy="client_wins",
        callback=receive,
    )


def read_event(raw: object) -> GridEvent | Bulk | Sorted | None:
    """Check what came from the browser; None for anything of another shape."""
    match raw:
        case {"what": "saved" | "open" | "account" | "undo" | "ended" as what, "row": int(row)} if _is_id(row):
            return GridEvent(what, row)
        case {"what": "sort", "by": str(by)} if not by or by.removeprefix("-") in list(Sort):
            return Sorted(by)
        case {"what": "bulk", "action": str(action), "all": True, "ids": []} if action in BAR:
            return Bulk(action, ())
        case {"what": "bulk", "action": str(action), "all": False, "ids": [_, *_] as ids} if action in BAR:
            return Bulk(action, tuple(ids)) if all(_is_id(each_id) for each_id in ids) else None
    return None


def _is_id(value: object) -> bool:
    # Beyond this bound the numbers of JavaScript are not exact.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def options(state: GridState) -> dict[str, Any]:
    """The options of the grid. The order matters: what stands first defines what the others refer to."""
    return {
        "onGridReady": _code(READY),
        "context": {
            "view": state.view,
            "token": state.token,
            "mayEdit": state.may_edit,
            "touched": state.touched,
            "sort": state.sort,
            "actions": "|".join(f"{action}:{label}" for action, label in BAR.items()),
        },
        **(_SELECTION if state.may_edit else {}),
        "rowModelType": "infinite",
        "cacheBlockSize": 100,
        "maxConcurrentDatasourceRequests": 2,
        "blockLoadDebounceMillis": 40,
        "getRowId": _code(read_script("rowId")),
        "columnDefs": _columns(),
        "defaultColDef": {
            "sortable": True,
            "resizable": True,
            "suppressHeaderMenuButton": True,
            "sortingOrder": ["asc", "desc", None],
            "suppressKeyboardEvent": _code(read_script("keepKey")),
            "minWidth": 80,
        },
        # Each run of the page brings the definitions again; the order that a person made stays.
        "maintainColumnOrder": True,
        "onNewColumnsLoaded": _code(read_script("look")),
        "onCellKeyDown": _code(read_script("onKey")),
        "onCellDoubleClicked": _code(read_script("onDoubleClick")),
        "enterNavigatesVertically": False,
        "suppressCellFocus": False,
        # Downloads go through the export, which takes the force out of formulas.
        "suppressCsvExport": True,
        "tooltipShowDelay": 400,
        "tooltipInteraction": True,
        "overlayNoRowsTemplate": "No provider account matches. Widen the filter or the search.",
    }


def _code(expression: str) -> JsCode:
    """Wrap an expression without JsCode's own rewriting, which cuts `//` out of strings and joins the lines."""
    code = JsCode("")
    code.js_code = f"::JSCODE::{expression}::JSCODE::"
    return code


_SELECTION: dict[str, Any] = {
    "rowSelection": {"mode": "multiRow", "checkboxes": True, "headerCheckbox": False, "enableClickSelection": False},
    "selectionColumnDef": {
        "pinned": "left",
        "width": 38,
        "suppressNavigable": True,
        "resizable": False,
        "suppressKeyboardEvent": _code(read_script("keepKey")),
    },
    "onSelectionChanged": _code(read_script("onSelection")),
    "focusGridInnerElement": _code(read_script("enter")),
}


def _columns() -> list[dict[str, Any]]:
    return [
        _column("name", "Provider Name", 225, drawn=True, tooltip="name", pinned=True),
        _column("domain", "Domain", 165, drawn=True, tooltip="domain"),
        {
            **_column("account", "Account Name", 280, drawn=True, tooltip="accountName"),
            "editable": _code(read_script("isEditable")),
            "cellEditor": _code(read_script("Lookup")),
            "cellEditorPopup": True,
            "cellEditorPopupPosition": "under",
            "colSpan": _code(read_script("span")),
            "cellClass": "w365-edit",
            "headerTooltip": "The CRM account. Enter, F2 or a letter opens the lookup.",
        },
        _column("status", "Status", 112, drawn=True),
        _column("reason", "Why", 190, field="why", tooltip="whyFull"),
        _column("seats", "Impact", 95, field="impact", tooltip="impactFull"),
        _column("provider", "Provider", 130, tooltip="provider"),
        _column("specific_id", "Provider Specific Account Id", 210, drawn=True, tooltip="specificId"),
        {**_column("changed", "Changed", 220, tooltip="changed"), "sortable": False},
        {**_column("owner", "Owner", 130, tooltip="owner"), "sortable": False},
    ]


def _column(
    name: str, header: str, width: int, *, drawn: bool = False, field: str = "", tooltip: str = "", pinned: bool = False
) -> dict[str, Any]:
    """A column whose id is what the rows route sorts by; `initial…` so that a new filter keeps what a person set."""
    column: dict[str, Any] = {
        "colId": name,
        "field": field or name,
        "headerName": header,
        "initialWidth": width,
        "cellDataType": False,
    }
    if drawn:
        column |= {"cellRenderer": _code(read_script("Cell")), "cellRendererParams": {"kind": name}}
    if tooltip:
        column["tooltipField"] = tooltip
    if pinned:
        column["initialPinned"] = "left"
    return column


def _theme(scheme: Scheme) -> st_aggrid.StAggridTheme:
    return st_aggrid.StAggridTheme(base="quartz").withParams(**THEME_PARAMETERS, browserColorScheme=scheme)
