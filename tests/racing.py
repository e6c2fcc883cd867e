"""Two connections at once, in an order that the test forces.

A `Runner` is a thread with its own Django connection that does one thing at a time. `do` waits for
the end of it; `start` does not, and then `expect_blocked` waits until PostgreSQL says that the
connection waits for a lock. `pause_before` stops application code just before a statement. Nothing
here sleeps for luck: every wait is for a fact, and fails when the fact does not come.

    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(store, turn=turn)
        bruno.start(store, turn=turn)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert bruno.fault() is None

Use the `transactional_db` fixture: other connections see committed rows only.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

from django.db import connection

PATIENCE = 30.0  # seconds until a fact that does not come is a failure
Rows = list[tuple[Any, ...]]


class Runner:
    """A thread with a database connection of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._running: Future[Any] | None = None
        self._marker = ""
        self._reached, self._released = threading.Event(), threading.Event()
        self.pid: int = self._thread.submit(_connect).result(PATIENCE)

    def do(self, work: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> Any:
        """Run SQL, which returns its rows, or a function; returns or raises what that does."""
        self.start(work, *args, **kwargs)
        return self.result()

    def start(self, work: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> None:
        """Begin the same, and return at once."""
        assert self._running is None, f"{self.name} is still busy: take its result first"
        call = _execute if isinstance(work, str) else work
        parts = (work, *args) if isinstance(work, str) else args
        self._running = self._thread.submit(self._observed, call, *parts, **kwargs)

    def result(self) -> Any:
        """What was started returns, or raises what it raised."""
        assert self._running is not None, f"{self.name} has nothing to do"
        running, self._running = self._running, None
        return running.result(PATIENCE)

    def fault(self) -> BaseException | None:
        """What was started raised; None when it went well."""
        assert self._running is not None, f"{self.name} has nothing to do"
        running, self._running = self._running, None
        return running.exception(PATIENCE)

    def begin(self) -> None:
        """From here on nothing is committed until `commit`."""
        self._thread.submit(lambda: connection.set_autocommit(False)).result(PATIENCE)

    def commit(self) -> None:
        self._thread.submit(_end, "commit").result(PATIENCE)

    def rollback(self) -> None:
        self._thread.submit(_end, "rollback").result(PATIENCE)

    def pause_before(self, statement: str) -> None:
        """The next thing started stops before the first statement that contains this text."""
        self._marker = statement
        self._reached.clear()
        self._released.clear()

    def expect_paused(self) -> None:
        """Wait until it stands before that statement."""
        if not self._reached.wait(PATIENCE):
            raise AssertionError(f"{self.name} never came to {self._marker!r}")

    def go_on(self) -> None:
        self._released.set()

    def expect_blocked(self, *, by: "Runner | None" = None) -> None:
        """Wait until PostgreSQL says that this connection waits for a lock (of that other one)."""
        deadline = time.monotonic() + PATIENCE
        while True:
            holders = _holders(self.pid)
            if holders and (by is None or by.pid in holders):
                return
            self._fail_unless_waiting(deadline)
            time.sleep(0.002)

    def close(self) -> None:
        self._released.set()
        if self._running is not None:
            wait_for([self._running], PATIENCE)
        self._thread.submit(lambda: connection.close()).result(PATIENCE)
        self._thread.shutdown()

    def _fail_unless_waiting(self, deadline: float) -> None:
        if self._running is None or self._running.done():
            raise AssertionError(f"{self.name} was to wait for a lock, and did not")
        if time.monotonic() > deadline:
            raise AssertionError(f"{self.name} waits for no lock after {PATIENCE:.0f} s")

    def _observed(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with connection.execute_wrapper(self._pausing):
            return call(*args, **kwargs)

    def _pausing(self, execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        if self._marker and not self._reached.is_set() and self._marker in str(sql):
            self._reached.set()
            assert self._released.wait(PATIENCE), f"{self.name} was never told to go on"
        return execute(sql, *rest)


@contextmanager
def runners(*names: str) -> Iterator[tuple[Runner, ...]]:
    """Runners for the length of a `with`; open transactions are rolled back at its end."""
    with ExitStack() as stack:
        made = []
        for name in names:
            runner = Runner(name)
            stack.callback(runner.close)
            made.append(runner)
        yield tuple(made)


def _connect() -> int:
    connection.ensure_connection()
    [(pid,)] = _execute("SELECT pg_backend_pid()")
    return int(pid)


def _execute(sql: str, params: Sequence[Any] | dict[str, Any] | None = None) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def _end(how: Literal["commit", "rollback"]) -> None:
    (connection.commit if how == "commit" else connection.rollback)()
    connection.set_autocommit(True)


def _holders(pid: int) -> list[int]:
    [(holders,)] = _execute(
        """
        SELECT coalesce(max(pg_blocking_pids(pid)), '{}') FROM pg_stat_activity
        WHERE pid = %s AND wait_event_type = 'Lock'
        """,
        [pid],
    )
    return list(holders)
