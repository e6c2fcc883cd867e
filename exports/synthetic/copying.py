"""COPY of rows into a table, on Django's own connection and inside its transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg import sql


def copy(*, table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Store rows given in the order of `columns`, a space-separated list. Constraints hold."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns.split()))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copied:
        for row in rows:
            copied.write_row(row)


def plan_by_index() -> None:
    """Until the transaction ends, look rows up by index, also in the constraints' own lookups.

    Their plans are made once in a session, for tables as small as they were then; kept for a load
    of thousands of rows, they read the whole table again for each of them.
    """
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")
        cursor.execute("SET LOCAL enable_seqscan = off")


def take_stock(tables: str) -> None:
    """Let the planner know what was loaded: it still thinks that a cohort has one assignment, and
    would look for a conversation among all of them. `tables`: a space-separated list.
    """
    names = sql.SQL(", ").join(map(sql.Identifier, tables.split()))
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("ANALYZE {}").format(names))
