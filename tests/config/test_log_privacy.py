"""What people wrote stays out of the logs, also where PostgreSQL refuses it."""

import logging

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from config.log_privacy import RowsLeftOutFilter

WORDS = "I have told nobody else"
pytestmark = pytest.mark.django_db


def refused() -> IntegrityError:
    """A refusal of PostgreSQL that quotes the row, raised on as a view would."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE said (words text CHECK (words = ''))")
            cursor.execute("INSERT INTO said VALUES (%s)", [WORDS])
    except IntegrityError as fault:
        return fault
    raise AssertionError("nothing was refused")


def logged(fault: BaseException) -> str:
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "it broke", (), None)
    record.exc_info = (type(fault), fault, fault.__traceback__)
    RowsLeftOutFilter().filter(record)
    return logging.Formatter().format(record)


def test_a_refused_row_is_not_in_the_traceback_of_a_log_line() -> None:
    fault = refused()
    assert WORDS in str(fault)

    told = logged(fault)
    assert WORDS not in told
    assert "IntegrityError 23514 said_words_check" in told
    assert "test_log_privacy.py" in told  # where it happened is what a log is for


def test_a_refusal_behind_another_error_is_left_out_as_well() -> None:
    with pytest.raises(RuntimeError) as met:
        raise RuntimeError("the page broke") from refused()
    told = logged(met.value)
    assert WORDS not in told
    assert "the page broke" in told


def test_other_tracebacks_are_logged_as_they_are() -> None:
    with pytest.raises(KeyError) as met:
        raise KeyError("name of a key")
    assert "KeyError: 'name of a key'" in logged(met.value)


def test_every_handler_leaves_rows_out() -> None:
    handlers: dict[str, dict[str, list[str]]] = settings.LOGGING["handlers"]  # type: ignore[assignment]
    assert all("rows_left_out" in one["filters"] for one in handlers.values())
