"""CPU seconds and memory of processes with all their children, from /proc."""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import psutil


def family(pids: Iterable[int]) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            for member in (process, *process.children(recursive=True)):
                found[member.pid] = member
    return list(found.values())


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system seconds so far; children that ended are counted with their parent."""
    total = 0.0
    for process in family(pids):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_mb(pids: Iterable[int]) -> float:
    """Proportional memory where the system tells it, resident memory otherwise; in MB."""
    return sum(map(_own_mb, family(pids)))


class Meter:
    """CPU of processes over time, so that it can be asked afterwards what a stretch of it cost."""

    PERIOD = 0.05  # seconds
    PERIODS_TO_MEMORY = 10

    def __init__(self, pids: Iterable[int | None]) -> None:
        # Looked for once: going through all processes again and again takes time from the others.
        self._processes = family(pid for pid in pids if pid)
        self._times: list[float] = []
        self._spent: list[float] = []
        self.peak_mb = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @contextmanager
    def running(self) -> Iterator["Meter"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()

    def cpu(self, begin: float, end: float) -> float:
        """Seconds of CPU between two moments (seconds since 1970), to a few hundredths.

        Raises RuntimeError when the machine let nothing be sampled.
        """
        if len(self._times) < 2:
            raise RuntimeError("the machine is too busy to be measured")
        return self._at(end) - self._at(begin)

    def cores(self, begin: float, end: float) -> float:
        return self.cpu(begin, end) / (end - begin)

    def _run(self) -> None:
        count = 0
        while not self._over.is_set():
            self._times.append(time.time())
            self._spent.append(sum(map(_own_seconds, self._processes)))
            if count % self.PERIODS_TO_MEMORY == 0:
                self.peak_mb = max(self.peak_mb, sum(map(_own_mb, self._processes)))
            count += 1
            self._over.wait(self.PERIOD)

    def _at(self, when: float) -> float:
        """CPU seconds at a moment, on the straight line between the two samples around it."""
        after = min(max(1, bisect_left(self._times, when)), len(self._times) - 1)
        (t0, t1), (c0, c1) = self._times[after - 1 : after + 1], self._spent[after - 1 : after + 1]
        share = min(1.0, max(0.0, (when - t0) / (t1 - t0)))
        return c0 + share * (c1 - c0)


def _own_seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _own_mb(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        info = process.memory_full_info()
        return float(getattr(info, "pss", info.rss)) / 1e6
    return 0.0
