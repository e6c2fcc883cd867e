"""What this process is making at this moment: the runs, and how much room there is for more.

The threads that make sets, the event loop that reports progress, and the watch share this object;
everything it does is short and under one lock.
"""

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from django.conf import settings

from sampling.claiming import Claim
from sampling.models import CandidateSet

UNKNOWN_LIMIT = 64  # sets at once, until the worker has said how many threads it has


class Cancellable(Protocol):
    """The job of a run, on the event loop."""

    def cancel(self) -> None: ...


@dataclass(eq=False)
class Run:
    """One claimed set on its way. `lease_ends` is on this process's monotonic clock."""

    claim: Claim
    lease_ends: float
    job: Cancellable | None = None
    cancelled: bool = False
    progress: int = 0
    told: int = 0

    @property
    def key(self) -> tuple[UUID, int]:
        return self.claim.set_id, self.claim.attempt

    @property
    def prefetch(self) -> bool:
        return self.claim.priority == CandidateSet.Priority.PREFETCH


@dataclass
class Runs:
    """The runs of a process. `limit` is how many it makes at once."""

    limit: int = UNKNOWN_LIMIT
    stopping: threading.Event = field(default_factory=threading.Event)
    stirred: threading.Event = field(default_factory=threading.Event)
    # Held while claiming, so that two threads do not count the same room. Never while waiting.
    claiming: threading.Lock = field(default_factory=threading.Lock)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _runs: dict[tuple[UUID, int], Run] = field(default_factory=dict)

    def all(self) -> list[Run]:
        with self._lock:
            return list(self._runs.values())

    def has_room(self) -> bool:
        return not self.stopping.is_set() and len(self._runs) < self.limit

    def has_room_for_prefetch(self) -> bool:
        """At least a quarter of the threads stays free of sets that nobody waits for."""
        ahead = sum(1 for run in self.all() if run.prefetch)
        return ahead < max(1, self.limit - -(-self.limit // 4))

    def streams_left(self) -> int:
        return settings.WORKER_STREAMS - sum(run.claim.streams for run in self.all())

    def begin(self, claim: Claim) -> Run:
        run = Run(claim, lease_ends=lease_from_now())
        with self._lock:
            self._runs[run.key] = run
        return run

    def attach(self, run: Run, job: Cancellable) -> None:
        """Connect the run with its work; work of a run that was cancelled before stops at once."""
        with self._lock:
            run.job = job
        if run.cancelled:
            job.cancel()

    def cancel(self, run: Run) -> None:
        """Close the run's streams. Its thread wakes up with CancelledError once they are closed.

        Once: a second cancel would interrupt the closing.
        """
        with self._lock:
            if run.cancelled:
                return
            run.cancelled = True
            job = run.job
        if job:
            job.cancel()

    def end(self, run: Run) -> None:
        with self._lock:
            self._runs.pop(run.key, None)
        self.stirred.set()

    def report(self, run: Run, written: int) -> None:
        """Called on the event loop: only takes a note and wakes the watch."""
        run.progress = written
        self.stirred.set()


def lease_from_now() -> float:
    return time.monotonic() + settings.SET_LEASE


runs = Runs()
