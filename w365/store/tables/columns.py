"""What the tables are made of: the kinds of columns, and the base that knows all tables."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Integer surrogate keys: the joins of a million rows stay small."""

Exact = sa.String(253).with_variant(sa.String(253, collation="C"), "postgresql")
"""Domains, sort keys and words: compared byte by byte on both databases."""

Key = sa.String(400).with_variant(sa.String(400, collation="C"), "postgresql")
"""A folded name to sort by."""


Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
"""PostgreSQL's plain JSON cannot be compared, and an upsert asks whether a row differs."""


NAMES = "names"
"""What `info` of a column says of the people in it, for `store.retention.erased_people`: one of the two below."""
A_PERSON, WITHIN_TEXT = "a person", "people within a text"
PersonName = Annotated[str, mapped_column(sa.Text(), info={NAMES: A_PERSON})]
"""The name under which somebody acts, or nothing."""
PersonText = Annotated[str, mapped_column(sa.Text(), info={NAMES: WITHIN_TEXT})]
"""What people or the program wrote in sentences, which may name somebody."""
PersonDetail = Annotated[dict[str, Any], mapped_column(Json, info={NAMES: WITHIN_TEXT})]
"""Values among which names may stand."""


class UtcTime(sa.TypeDecorator[dt.datetime]):
    """An aware UTC time. SQLite keeps it as text without a zone; it comes back aware.

    Both methods have the signature that SQLAlchemy calls, hence their unused argument.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:  # noqa: ARG002
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(dt.UTC) if value is not None else None

    def process_result_value(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:  # noqa: ARG002
        if value is None:
            return None
        # PostgreSQL answers in the session's zone, and times are said in UTC.
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        dt.datetime: UtcTime(),
        dict[str, Any]: Json,
        str: sa.Text(),
    }


def derived(*, primary_key: bool = False) -> Mapped[int]:
    """The id of a row elsewhere, in a table that is made from that row.

    A join wrote it, and no row it can name is ever deleted: checking each would cost as much as writing it.
    """
    return mapped_column(Id, primary_key=primary_key, autoincrement=False)


def reference(column: str, *, primary_key: bool = False, index: bool = False) -> Mapped[int]:
    return mapped_column(Id, sa.ForeignKey(column), primary_key=primary_key, index=index, autoincrement=False)


def columns_that_name(mark: str) -> list[tuple[sa.Table, sa.Column[Any]]]:
    """List the columns of all tables that hold A_PERSON's name, or people WITHIN_TEXT."""
    tables = Base.metadata.tables.values()
    return [(table, column) for table in tables for column in table.columns if column.info.get(NAMES) == mark]
