"""Real worker processes for tests, which may be killed."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sampling.models import CandidateSet
from tests import forking

PATIENCE = 90.0  # seconds until a fact that does not come is a failure


class Worker:
    """A Celery worker on the queues of candidate sets, in a session of its own."""

    def __init__(self, log: Path, *, environment: dict[str, str], threads: int = 8) -> None:
        self.log = log
        command = [
            *("-m", "celery", "-A", "config", "worker"),
            *(
                "-P",
                "threads",
                "-c",
                str(threads),
                "-Q",
                "generate,prefetch",
                "-n",
                f"{log.stem}@test",
            ),
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO"),
        ]
        log.write_text("")
        self.process = forking.start(command, env={**os.environ, **environment}, output=log)

    def wait_ready(self) -> "Worker":
        until(lambda: "ready." in self.log.read_text(), what=self.log.read_text)
        return self

    def kill(self) -> None:
        """As `kill -9` does: nothing is given back."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def terminate(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


class Workers:
    """Starts workers of one environment; none of them outlives the test."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self.environment = environment
        self.started: list[Worker] = []

    def start(self, *, threads: int = 8, **environment: str) -> Worker:
        log = self.directory / f"worker{len(self.started)}.log"
        told = {**self.environment, **environment}
        worker = Worker(log, environment=told, threads=threads)
        self.started.append(worker)
        return worker


@contextmanager
def workers(directory: Path, **environment: str) -> Iterator[Workers]:
    made = Workers(directory, environment)
    try:
        yield made
    finally:
        for worker in made.started:
            if worker.process.poll() is None:
                worker.kill()


def until(fact: Callable[[], object], *, what: Callable[[], Any] = lambda: "") -> None:
    """Wait for a fact; `what` says how things stand when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline, f"it did not come to that: {what()}"
        time.sleep(0.05)


def becomes(one: CandidateSet, state: str) -> CandidateSet:
    """Wait for the set's state and return it as it is then."""

    def now() -> CandidateSet:
        one.refresh_from_db()
        return one

    until(lambda: now().state == state, what=lambda: (one.state, one.reason, one.attempt_log))
    return one
