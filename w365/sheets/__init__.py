"""Tables that people hand in: CSV and Excel files read line by line, and which of their columns is what. Pure."""

from w365.sheets.columns import Field, Places, guess_columns
from w365.sheets.lines import Line, Sheet
from w365.sheets.opening import Table, describe_table, open_sheet

__all__ = ["Field", "Line", "Places", "Sheet", "Table", "describe_table", "guess_columns", "open_sheet"]
