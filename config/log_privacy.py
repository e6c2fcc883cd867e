"""No words of people in the logs: PostgreSQL's messages quote the row that they refuse."""

import logging
import traceback

import psycopg
from django.db import Error


def named(fault: BaseException) -> str:
    """A fault by its name, one of the database with its code and constraint; never its message."""
    name = type(fault).__name__
    cause = fault if isinstance(fault, psycopg.Error) else fault.__cause__
    if isinstance(fault, Error | psycopg.Error) and isinstance(cause, psycopg.Error):
        return f"{name} {cause.sqlstate} {cause.diag.constraint_name or ''}".rstrip()
    return name


class RowsLeftOutFilter(logging.Filter):
    """Writes the tracebacks of database errors with their names in place of their messages."""

    def filter(self, record: logging.LogRecord) -> bool:
        fault = record.exc_info[1] if record.exc_info else None
        chain = _chain(fault)
        if any(isinstance(one, Error | psycopg.Error) for one in chain):
            record.exc_text = "\n".join(_told(one) for one in chain)
            record.exc_info = None
        return True


def _chain(fault: BaseException | None) -> list[BaseException]:
    """The fault and what led to it, in the order of a traceback: the first one first."""
    found: list[BaseException] = []
    while fault is not None and fault not in found:
        found.insert(0, fault)
        fault = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    return found


def _told(fault: BaseException) -> str:
    lines = traceback.format_tb(fault.__traceback__)
    if isinstance(fault, Error | psycopg.Error):
        return "".join([*lines, named(fault)])
    return "".join([*lines, *traceback.format_exception_only(fault)]).rstrip("\n")
