"""How the grid, its bar and its lookup look. The component's frame defines the theme of the page as variables."""

from __future__ import annotations

from w365.model import Status
from w365.ui.frame.palette import status_colours

Css = dict[str, dict[str, str]]

_TEXT, _GROUND, _ACCENT = "var(--text-color)", "var(--background-color)", "var(--primary-color)"
_LINE = f"color-mix(in srgb, {_TEXT} 14%, {_GROUND})"
_QUIET = f"color-mix(in srgb, {_TEXT} 72%, {_GROUND})"
_RAISED = f"color-mix(in srgb, {_TEXT} 4%, {_GROUND})"
_FONT = "'Source Sans Pro', var(--font), sans-serif"

THEME_PARAMETERS: dict[str, str | int] = {
    "accentColor": _ACCENT,
    "backgroundColor": _GROUND,
    "foregroundColor": _TEXT,
    "borderColor": _LINE,
    "chromeBackgroundColor": _GROUND,
    "headerBackgroundColor": _RAISED,
    "headerTextColor": _QUIET,
    "fontFamily": _FONT,
    "fontSize": 14,
    "headerFontSize": 13,
    "headerFontWeight": 600,
    "rowHeight": 36,
    "headerHeight": 36,
    "cellHorizontalPadding": 10,
    "wrapperBorderRadius": 8,
    "rowHoverColor": f"color-mix(in srgb, {_ACCENT} 6%, {_GROUND})",
}

_BUTTON = {
    "font": "inherit",
    "font-size": "12px",
    "line-height": "20px",
    "padding": "0 8px",
    "color": "inherit",
    "background": _GROUND,
    "border": f"1px solid {_LINE}",
    "border-radius": "5px",
    "cursor": "pointer",
    "flex": "none",
}
_BOX = {
    "color": _TEXT,
    "background": _GROUND,
    "border": f"1px solid {_LINE}",
    "border-radius": "8px",
    "box-shadow": "0 6px 20px rgb(0 0 0 / 22%)",
}

_CELLS: Css = {
    ".ag-cell": {"line-height": "34px"},
    ".w365-cell": {"display": "flex", "align-items": "center", "gap": "8px", "height": "100%", "min-width": "0"},
    ".w365-cell > span, .w365-line > span": {"white-space": "nowrap"},
    ".w365-cut, .w365-name": {"overflow": "hidden", "text-overflow": "ellipsis", "min-width": "0"},
    ".w365-name": {"font-weight": "600"},
    ".w365-quiet, .w365-more, .w365-code, .w365-about, .w365-note": {"color": _QUIET},
    ".w365-more": {"font-size": "12px"},
    ".w365-shape": {"width": "14px", "text-align": "center", "font-size": "12px"},
}
_CONTROLS: Css = {
    ".w365-code": {"font-family": "ui-monospace, monospace", "font-size": "12.5px"},
    ".w365-mark, .w365-tag": {"font-size": "12px", "flex": "none"},
    ".w365-mark": {"margin-left": "auto"},
    ".w365-tag": {"border": f"1px solid {_LINE}", "border-radius": "4px", "padding": "0 5px"},
    ".ag-cell.w365-edit": {"cursor": "text"},
    ".w365-copy": {"visibility": "hidden", "margin-left": "auto", **_BUTTON},
    ".w365-view::before": {"content": "'View'"},
    ".ag-row-hover .w365-copy, .w365-copy:focus, .ag-cell-focus .w365-copy": {"visibility": "visible"},
    ".w365-button": _BUTTON,
}
_REFUSAL = {
    "white-space": "normal !important",
    "line-height": "16px",
    "font-size": "12.5px",
    "overflow": "hidden",
    "max-height": "34px",
}
_BAR: Css = {
    "body.w365-has-bar": {"background": f"{_GROUND} !important"},
    ".w365-has-bar #gridContainer": {"box-sizing": "border-box", "padding-bottom": "44px"},
    ".w365-has-bar.w365-narrow #gridContainer": {"padding-bottom": "78px"},
    ".w365-narrow .w365-bar": {"height": "70px", "flex-wrap": "wrap"},
    ".w365-narrow .w365-rest": {"width": "100%"},
    ".w365-bar": {
        "position": "fixed",
        "inset": "auto 0 0 0",
        "height": "36px",
        "display": "flex",
        "gap": "6px",
        "align-items": "center",
        "font": f"13px {_FONT}",
        "color": _TEXT,
        "white-space": "nowrap",
        "overflow": "hidden",
    },
    ".w365-bar .w365-button": {"font-size": "13px", "line-height": "24px"},
    ".w365-bar .w365-button:disabled": {"color": _QUIET, "cursor": "default", "border-style": "dashed"},
    ".w365-chosen": {"min-width": "110px", "font-weight": "600"},
    ".w365-rest, .w365-last": {"display": "flex", "gap": "6px", "align-items": "center", "min-width": "0"},
    ".w365-rest": {"margin-left": "auto", "justify-content": "flex-end"},
    ".w365-last": {"flex-shrink": "1"},
}
_NOTICES: Css = {
    ".w365-said": {
        "position": "fixed",
        "width": "1px",
        "height": "1px",
        "overflow": "hidden",
        "clip-path": "inset(50%)",
    },
    ".w365-notice": {
        "position": "fixed",
        "left": "50%",
        "top": "60px",
        "transform": "translateX(-50%)",
        "display": "flex",
        "gap": "12px",
        "align-items": "center",
        "padding": "10px 14px",
        "z-index": "20",
        **_BOX,
    },
}
_COLUMNS: Css = {
    ".w365-columns, .w365-menu": {"font-family": _FONT},
    ".w365-columns": {
        "position": "fixed",
        "right": "6px",
        "top": "7px",
        "z-index": "10",
    },
    ".w365-menu": {
        "position": "fixed",
        "right": "6px",
        "top": "36px",
        "z-index": "20",
        "padding": "8px 12px",
        "font-size": "14px",
        **_BOX,
    },
    # In the bar it hides no heading; a viewer has no bar.
    ".w365-has-bar .w365-columns": {"top": "auto", "bottom": "5px", "right": "0", "font-size": "13px"},
    ".w365-has-bar .w365-columns.w365-button": {"line-height": "24px"},
    ".w365-has-bar .w365-menu": {"top": "auto", "bottom": "42px"},
    ".w365-has-bar .w365-rest": {"padding-right": "84px"},
    ".w365-choice": {"display": "flex", "gap": "8px", "align-items": "center", "line-height": "26px"},
}
_LOOKUP: Css = {
    ".w365-lookup": {"display": "flex", "flex-direction": "column", "font-size": "14px", **_BOX},
    ".w365-lookup.w365-above": {"flex-direction": "column-reverse"},
    ".ag-popup-child:has(.w365-above)": {"top": "auto !important", "bottom": "var(--w365-bottom) !important"},
    ".ag-popup-editor:has(.w365-lookup)": {"border": "0", "background": "none", "box-shadow": "none"},
    ".w365-input": {
        "box-sizing": "border-box",
        "width": "100%",
        "height": "36px",
        "padding": "0 12px",
        "border": "0",
        "background": "none",
        "color": "inherit",
        "font": "inherit",
        "outline": "none",
    },
    ".w365-lookup:focus-within": {"outline": f"2px solid {_ACCENT}", "outline-offset": "-1px"},
    ".w365-list": {
        "list-style": "none",
        "margin": "0",
        "padding": "4px",
        "overflow": "auto",
        "border-top": f"1px solid {_LINE}",
    },
    ".w365-above .w365-list": {"border-top": "0", "border-bottom": f"1px solid {_LINE}"},
    ".w365-item": {"padding": "5px 8px", "border-radius": "5px", "cursor": "pointer", "line-height": "18px"},
    ".w365-item:hover": {"background": _RAISED},
    ".w365-item[aria-selected=true]": {"background": f"color-mix(in srgb, {_ACCENT} 16%, {_GROUND})"},
    ".w365-clear": {"border-top": f"1px solid {_LINE}", "border-radius": "0", "margin-top": "4px"},
    ".w365-line": {"display": "flex", "gap": "8px", "align-items": "center"},
    ".w365-score": {"margin-left": "auto", "font-variant-numeric": "tabular-nums"},
    ".w365-about": {
        "font-size": "12.5px",
        "overflow": "hidden",
        "text-overflow": "ellipsis",
        "white-space": "nowrap",
    },
    ".w365-item[aria-selected=true] .w365-about": {"white-space": "normal"},
    ".w365-note": {"padding": "4px 12px 6px", "font-size": "12px", "min-height": "16px", "line-height": "16px"},
}


def style(scheme: str) -> Css:
    """Return the style for the light or dark scheme. Of two rules for one thing the later counts."""
    colours = status_colours(dark=scheme == "dark")
    good, warn = colours[Status.MAPPED], colours[Status.CONFLICT]
    return {
        ":root": {"color-scheme": scheme},
        **_CELLS,
        **{f".w365-{status}": {"color": colour} for status, colour in colours.items()},
        ".w365-saved": {"color": good},
        ".w365-warn": {"color": warn},
        **_CONTROLS,
        ".w365-refusal": {**_REFUSAL, "color": warn},
        **_BAR,
        **_NOTICES,
        **_COLUMNS,
        **_LOOKUP,
    }
