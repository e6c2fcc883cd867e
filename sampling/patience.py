"""A limit on how long the database may take to answer a thread that others depend on.

A server that is gone refuses or resets, and one that is slow meets `statement_timeout`. One that
hangs (a frozen machine, a stopped process, a full disk) accepts everything and never answers, and
the driver waits for ever. Only another thread can end that: it shuts the connection's socket down,
and the statement raises OperationalError, as if the server had closed it.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from django.db import connection


class Patience:
    """`asking` on the thread that asks; `cut_if_spent`, now and then, on another one."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # While it is held the asking thread cannot give its connection, and so its number of a
        # file, to anybody else.
        self._lock = threading.Lock()
        self._asked: tuple[float, Any] | None = None
        self._limited: Any = None

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Statements of this block have `seconds` together; then they raise OperationalError.

        Opening the connection is bounded by its own `connect_timeout`.
        """
        connection.ensure_connection()
        wire = connection.connection
        with self._lock:
            self._asked = time.monotonic(), wire
        try:
            if wire is not self._limited:
                _limit_statements(self._seconds)
                self._limited = wire
            yield
        finally:
            with self._lock:
                self._asked = None

    def cut_if_spent(self) -> bool:
        """Cut the connection of a block that has taken too long; returns whether it did."""
        with self._lock:
            if self._asked is None or time.monotonic() < self._asked[0] + self._seconds:
                return False
            _shut_down(self._asked[1])
            self._asked = None
        return True


def _limit_statements(seconds: float) -> None:
    """The server's own limit, so that it does not go on with what nobody waits for."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {int(seconds * 1000)}")


def _shut_down(wire: Any) -> None:
    with suppress(OSError, psycopg.Error):  # closed by now
        copy = socket.socket(fileno=os.dup(wire.pgconn.socket))
        try:
            copy.shutdown(socket.SHUT_RDWR)
        finally:
            copy.close()
