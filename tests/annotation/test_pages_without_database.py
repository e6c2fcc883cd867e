"""The connection to PostgreSQL is lost while a form is stored: the page, and what counts after."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from annotation.models import Comparison, Turn
from tests import factories
from tests.annotation.test_pages_conversing import Visit
from tests.annotation.visiting import Form, page, send

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "Keep <this>\nwhatever happens"


@contextmanager
def lost_before_it_is_stored(table: str) -> Iterator[None]:
    """The server ends our connection after the row is written, and before it is committed."""

    def write_and_lose(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        done = execute(statement, *rest)
        if f"INSERT INTO {table} " in statement:
            pid = connection.connection.info.backend_pid
            with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        return done

    with connection.execute_wrapper(write_and_lose):
        yield


@contextmanager
def lost_once_it_is_stored(_: str) -> Iterator[None]:
    """The row is committed, and the server's answer to that never arrives."""

    def commit_and_lose() -> None:
        connection.connection.commit()
        connection.connection.close()
        raise OperationalError("the connection is lost")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(connection, "_commit", commit_and_lose)
        yield


def a_choice(visit: Visit) -> tuple[Form, dict[str, str]]:
    return visit.page().form_to("/comparison/"), {"choice": visit.candidate(2)}


def a_message(visit: Visit) -> tuple[Form, dict[str, str]]:
    visit.choose(2)
    return visit.page().form_to("/message/"), {"text": WORDS}


@pytest.mark.parametrize("lost", [lost_before_it_is_stored, lost_once_it_is_stored])
@pytest.mark.parametrize(
    ("filled", "table"),
    [(a_choice, "annotation_comparison"), (a_message, "annotation_turn")],
)
def test_a_form_whose_storing_is_cut_off_comes_back_and_is_stored_once(
    filled: Callable[[Visit], tuple[Form, dict[str, str]]],
    table: str,
    lost: Callable[[str], Any],
) -> None:
    visit = Visit(factories.world())
    form, answers = filled(visit)

    with lost(table):
        cut_off = send(visit.client, form, **answers)
    stored = {"choice": Comparison.objects.count(), "text": Turn.objects.count() - 1}
    kept = page(cut_off).forms[0]
    again = send(visit.client, kept)

    assert (cut_off.status_code, cut_off.headers["Retry-After"]) == (503, "5")
    assert (again.status_code, again.headers["Location"]) == (303, visit.address)
    assert kept.fields.items() >= answers.items()
    assert [stored[name] for name in answers] == [int(lost is lost_once_it_is_stored)]
    assert str(Comparison.objects.get().chosen_id) == visit.candidate(2)
    said = Turn.objects.order_by("number").values_list("message", flat=True)[1:]
    assert list(said) == ([WORDS] if filled is a_message else [])
