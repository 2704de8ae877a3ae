from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from st_aggrid import JsCode
from stage import ROW

from w365.api import tokens
from w365.api.rows import row_json
from w365.model import Actor, Reason, Role
from w365.service.deciding.bulk_actions import ACTIONS
from w365.store.reading.worklist import Sort
from w365.ui.reading.grid.component import BAR, Bulk, GridEvent, GridState, Sorted, options, read_event
from w365.ui.reading.grid.script import BUNDLE
from w365.ui.reading.grid.style import SHEET, grid_style
from w365.ui.reading.grid.view import SHOWN, View

EVIL = "::JSCODE::window.top.document.title='x'::JSCODE::"
CONSTANT = options(GridState("", "", may_edit=True))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict | list):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, (*path, name))
    else:
        yield path, value.js_code if isinstance(value, JsCode) else value


views = st.builds(
    View,
    shown=st.none() | st.sampled_from(SHOWN),
    provider=st.none() | st.integers(1, 9),
    reason=st.none() | st.sampled_from(Reason),
    text=st.text(max_size=60) | st.just(EVIL) | st.text("::JSCODE(){}", max_size=60).map(lambda end: EVIL + end),
)
names = st.text(max_size=40) | st.just(EVIL)


@given(views, names)
def test_options_are_constants_with_a_token_and_encoded_text_only(view: View, name: str) -> None:
    token = tokens.mint_token("key", Actor(name, Role.ANALYST), tokens.browser_of("a cookie"))
    made = dict(leaves(options(GridState(view.rows_query(), token, may_edit=True, touched="12.34"))))
    constant = dict(leaves(CONSTANT))
    changed = {path: value for path, value in made.items() if value != constant.get(path)}
    assert changed.keys() <= {("context", "view"), ("context", "token"), ("context", "touched")}
    assert re.fullmatch(r"[\w.~%=&+-]*", changed.pop(("context", "view"), ""), re.ASCII)
    assert re.fullmatch(r"[\w.-]*", changed.pop(("context", "token"), ""), re.ASCII)
    assert set(changed.values()) <= {"12.34"}


def test_every_column_that_sorts_is_one_the_server_can_sort_by() -> None:
    sortable = {column["colId"] for column in CONSTANT["columnDefs"] if column.get("sortable", True)}
    assert sortable <= set(Sort)


def test_every_column_shows_what_a_row_brings() -> None:
    brought = row_json(ROW).keys()
    shown = {column["field"] for column in CONSTANT["columnDefs"] if "cellRenderer" not in column}
    assert shown | {column["tooltipField"] for column in CONSTANT["columnDefs"] if "tooltipField" in column} <= brought


def test_a_new_filter_leaves_widths_and_order_as_the_person_set_them() -> None:
    fixed = {"width", "flex", "hide", "sort", "pinned"}
    assert not [column for column in CONSTANT["columnDefs"] if fixed & column.keys()]
    assert CONSTANT["maintainColumnOrder"]


def test_what_defines_the_scripts_stands_before_what_refers_to_them() -> None:
    first, *others = (value for _, value in leaves(CONSTANT) if str(value).startswith("::JSCODE::"))
    assert BUNDLE in first
    assert all(re.fullmatch(r"::JSCODE::window\.w365\.\w+::JSCODE::", value) for value in others)


def test_every_member_that_options_refer_to_is_in_the_scripts() -> None:
    returned = BUNDLE[BUNDLE.rindex("return {") :]
    wanted = {value.split("w365.")[1][:-10] for _, value in leaves(CONSTANT) if str(value).startswith("::JSCODE::win")}
    assert not [name for name in (*wanted, "told", "ready") if not re.search(rf"\b{name}\b", returned)]


def test_the_scripts_put_text_into_the_page_as_text() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", BUNDLE)
    assert "::JSCODE::" not in BUNDLE


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_whole_style_sheet_reaches_the_grid_and_every_variable_of_it_is_defined(scheme: str) -> None:
    root, *rules = grid_style(scheme).values()
    plain = re.sub(r"/\*.*?\*/", "", SHEET, flags=re.DOTALL)
    assert (len(rules), sum(map(len, rules))) == (plain.count("{"), plain.count(";"))
    by_script = {"--w365-bottom"}
    assert set(re.findall(r"--w365-\w+", plain)) - by_script <= root.keys()


def test_a_viewer_gets_a_grid_without_an_editor() -> None:
    assert options(GridState("", "", may_edit=False))["context"]["mayEdit"] is False


def test_a_viewer_selects_nothing() -> None:
    assert not {"rowSelection", "onSelectionChanged"} & options(GridState("", "", may_edit=False)).keys()
    assert "rowSelection" in CONSTANT


def test_the_bar_has_every_action_that_the_service_knows() -> None:
    assert list(BAR) == [name for name, action in ACTIONS.items() if action.plan]


def test_a_message_of_the_grid_is_read() -> None:
    assert read_event({"what": "open", "row": 7, "nonce": "x"}) == GridEvent("open", 7)
    assert read_event({"what": "undo", "row": 7, "nonce": "x"}) == GridEvent("undo", 7)
    assert read_event({"what": "ended", "row": 0, "nonce": "x"}) == GridEvent("ended", 0)
    assert [read_event({"what": "sort", "by": by}) for by in ("-seats", "")] == [Sorted("-seats"), Sorted("")]
    assert read_event({"what": "bulk", "action": "park", "all": True, "ids": []}) == Bulk("park", ())
    assert read_event({"what": "bulk", "action": "park", "all": False, "ids": [3, 4]}) == Bulk("park", (3, 4))


@pytest.mark.parametrize(
    "raw",
    [None, "open", [], {}, {"what": "open"}, {"what": "drop", "row": 1}, {"what": "open", "row": "1"}]
    + [{"what": "sort", "by": by} for by in (1, None, "--name", "name desc", "::JSCODE::x::JSCODE::")]
    + [{"what": "open", "row": row} for row in (True, -1, 1.0, None, [1])]
    + [{"what": "bulk", "action": "undo", "all": True, "ids": []}, {"what": "bulk", "action": "park", "all": True}]
    + [{"what": "bulk", "action": "park", "all": False, "ids": ids} for ids in ([], ["1"], [True], [-1], "12", None)],
)
def test_a_message_of_another_shape_is_not_heard(raw: object) -> None:
    assert read_event(raw) is None
