"""Breaks the rules of the tables by raw SQL, and keeps a list of which rules were broken by whom.

A test that carries `@breaks("name")` must see the database refuse something by exactly that
constraint, index or trigger; tests/test_catalog.py asks for such a test for every name there is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model
from psycopg.types.json import Jsonb

REGISTERED: set[str] = set()
_broken: set[str] = set()

Test = Callable[..., None]
Change = Mapping[str, Any]
# The name of what refuses, what makes the row, and what to do to it.
Case = tuple[str, Callable[[], Model], Change]


def breaks(*names: str) -> Callable[[Test], Test]:
    """The test breaks these; it fails when it did not."""
    REGISTERED.update(names)

    def mark(test: Test) -> Test:
        @wraps(test)
        def watched(*args: Any, **kwargs: Any) -> None:
            _broken.clear()
            test(*args, **kwargs)
            left = set(names) - _broken
            assert not left, f"the test never broke {', '.join(sorted(left))}"

        return watched

    return mark


def breaks_each(cases: Sequence[Case]) -> Callable[[Test], Any]:
    """The test runs once for each case, as `name, make, change`, and breaks its constraint."""
    REGISTERED.update(case[0] for case in cases)
    return pytest.mark.parametrize(
        ("name", "make", "change"), cases, ids=[f"{case[0]}-{n}" for n, case in enumerate(cases)]
    )


@contextmanager
def refused(name: str) -> Iterator[None]:
    """What happens inside is refused by that constraint, index or trigger, and undone."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():  # noqa: PT012
        yield
        sql("SET CONSTRAINTS ALL IMMEDIATE")
    assert refuser(caught.value) == name
    _broken.add(name)


def held(name: str) -> None:
    """The test has shown that a trigger which refuses nothing does its work."""
    _broken.add(name)


def refuser(fault: BaseException | None) -> str | None:
    """The constraint, index or trigger that a statement failed by."""
    diagnosis = getattr(fault.__cause__ if fault else None, "diag", None)
    return getattr(diagnosis, "constraint_name", None)


def sql(statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a statement; an empty list when it has none."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [_adapted(value) for value in params])
        return cursor.fetchall() if cursor.description else []


def settle() -> None:
    """Run the checks that were put off, so that a table's definition can be changed."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")


def update(row: Model, **columns: Any) -> None:
    """Change columns of a row, past everything that Django would do."""
    changes = ", ".join(f"{column} = %s" for column in columns)
    table, key = row._meta.db_table, _key(row)
    sql(f"UPDATE {table} SET {changes} WHERE {key} = %s", [*columns.values(), row.pk])


def delete(row: Model) -> None:
    sql(f"DELETE FROM {row._meta.db_table} WHERE {_key(row)} = %s", [row.pk])


def copy(row: Model, **columns: Any) -> None:
    """Insert a copy of a row with a new id and some other columns."""
    table, key = row._meta.db_table, _key(row)
    stored = [str(field.column) for field in row._meta.concrete_fields if not field.generated]
    changed = {**_new_key(row), **columns}
    kept = [column for column in stored if column not in changed and column != key]
    names = ", ".join([*kept, *changed])
    values = ", ".join([*kept, *["%s"] * len(changed)])
    sql(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE {key} = %s",
        [*changed.values(), row.pk],
    )


def _new_key(row: Model) -> dict[str, Any]:
    """A new UUID; nothing where the database numbers the rows itself."""
    return {_key(row): uuid4()} if isinstance(row.pk, UUID) else {}


def _key(row: Model) -> str:
    column = row._meta.pk.column
    assert column, "the row has one key column"
    return column


def _adapted(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) or _is_messages(value) else value


def _is_messages(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(part, dict) for part in value)
