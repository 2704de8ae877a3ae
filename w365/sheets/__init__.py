"""Tables that people hand in: CSV, workbooks, JSON and Parquet, line by line, and which column is what. Pure."""

from w365.sheets.columns import Field, Places, guess_columns
from w365.sheets.lines import Line, Reading, Sheet, Table
from w365.sheets.opening import describe_table, open_sheet

__all__ = ["Field", "Line", "Places", "Reading", "Sheet", "Table", "describe_table", "guess_columns", "open_sheet"]
