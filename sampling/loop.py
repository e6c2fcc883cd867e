"""The event loop of a process: one thread, started at first use, on which all model calls run.

It is made after a fork, never before: a loop does not survive one.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

import uvloop

from sampling.client import ModelClient

T = TypeVar("T")

CLOSE_SECONDS = 3.0


class Job(Generic[T]):
    """Work on the loop, for a thread that waits for it.

    Unlike a cancelled Future, a cancelled job is over only when its streams are closed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> None:
        self._loop = loop
        self._work = work
        self._over: Future[T] = Future()
        self._task: asyncio.Task[T] | None = None
        loop.call_soon_threadsafe(self._start)

    def result(self, seconds: float | None = None) -> T:
        """Wait for the end. Raises what the work raised, CancelledError when it was cancelled, and
        TimeoutError when it is not over after that many seconds.
        """
        return self._over.result(seconds)

    def cancel(self) -> None:
        """Returns at once; does nothing when the job is over."""
        self._loop.call_soon_threadsafe(self._cancel)

    def _start(self) -> None:
        self._task = self._loop.create_task(self._work)
        self._task.add_done_callback(self._end)

    def _cancel(self) -> None:
        if self._task:
            self._task.cancel()

    def _end(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            self._over.cancel()
            self._over.set_running_or_notify_cancel()
        elif fault := task.exception():
            self._over.set_exception(fault)
        else:
            self._over.set_result(task.result())


class LoopThread:
    """An event loop on a daemon thread, and the model client that lives on it."""

    def __init__(self) -> None:
        self.client = ModelClient()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="model-calls", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def submit(self, work: Coroutine[Any, Any, T]) -> Job[T]:
        return Job(self._loop, work)

    def close(self) -> None:
        """Close the client's connections and stop. What still runs is left where it is."""
        closing = asyncio.run_coroutine_threadsafe(self.client.close(), self._loop)
        closing.result(CLOSE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_SECONDS)
        self._loop.close()


_lock = threading.Lock()
_current: LoopThread | None = None


def current() -> LoopThread:
    """The loop of this process, started if there is none."""
    global _current
    with _lock:
        if _current is None:
            _current = LoopThread()
        return _current


def close() -> None:
    """Stop the loop of this process, if there is one; the next use starts another."""
    global _current
    with _lock:
        closing, _current = _current, None
    if closing:
        closing.close()


def _forget() -> None:
    """In the child of a fork: the parent's loop has no thread here."""
    global _lock, _current
    _lock, _current = threading.Lock(), None


os.register_at_fork(after_in_child=_forget)
