"""Values that are given when a statement is executed, so that one statement is built once and asked of any of them.

SQLite gets a list in the statement's place. PostgreSQL gets one array: a list of a hundred is a hundred parameters to
parse, and with every other length another statement to plan.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from w365.store.tables import Id


class _Given(sa.BindParameter[Any]):
    inherit_cache = True


@compiles(_Given, "postgresql")
def _as_array(values: _Given, compiler: SQLCompiler, **_options: Any) -> str:
    array = sa.bindparam(values.key, type_=postgresql.ARRAY(values.type))
    return f"(SELECT unnest({compiler.process(array)}))"


def given(name: str, type_: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]) -> sa.BindParameter[Any]:
    """Make what `column.in_(…)` compares with; the statement is executed with {name: values}."""
    return _Given(name, type_=type_, expanding=True)


IDS = given("ids", Id)
NAMES = given("names", sa.String)
