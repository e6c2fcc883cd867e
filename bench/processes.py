"""CPU seconds and memory of processes with all their children, from /proc."""

from collections.abc import Iterable
from contextlib import suppress

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
    total = 0.0
    for process in family(pids):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            info = process.memory_full_info()
            total += getattr(info, "pss", info.rss)
    return total / 1e6
