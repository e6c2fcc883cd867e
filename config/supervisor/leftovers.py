"""Processes that an earlier start left behind, where the kernel did not end them with it (macOS).

A process is known by its id together with the moment it started, because ids are used again.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

from config.supervisor.children import Pause, wait_until


def born(pid: int) -> str:
    """When a process started, as the system writes it; empty when there is no such process."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # After the name in brackets, which may hold spaces: the state first, the start 20th.
            fields = stat.read_text().rpartition(")")[2].split()
            return "" if fields[0] == "Z" else fields[19]
        except OSError:
            return ""
    return _ps(pid, "lstart=")


def command(pid: int) -> str:
    """The command line of a process; empty when there is none that we may see."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        except OSError:
            return ""
    return _ps(pid, "command=")


def stop(pids: dict[str, list[object]], *, pause: Pause = time.sleep) -> list[str]:
    """End what is left of an earlier start, given its `[pid, born]` by name; returns the names."""
    left = [(name, int(str(pid))) for name, (pid, when) in pids.items() if _is(pid, when)]
    for number, seconds in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 1.0)):
        alive = [pid for _, pid in left if born(pid)]
        for pid in alive:
            os.kill(pid, number)
        wait_until(lambda: not any(born(pid) for _, pid in left), seconds=seconds, pause=pause)
    return [name for name, _ in left]


def stop_postmaster(cluster: Path, *, pause: Pause = time.sleep) -> None:
    """End a server that still runs on a cluster; forget a pid file that names somebody else.

    PostgreSQL refuses to start while its pid file names any living process of the same account,
    and after a restart of a machine or a container that is often a stranger.
    """
    notes = cluster / "postmaster.pid"
    try:
        pid = int(notes.read_text().split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return
    if not born(pid):
        return
    if str(cluster) not in command(pid):
        notes.unlink(missing_ok=True)
        return
    for number in (signal.SIGINT, signal.SIGQUIT):
        os.kill(pid, number)
        if wait_until(lambda: not born(pid), seconds=5.0, pause=pause):
            return


def _is(pid: object, when: object) -> bool:
    return isinstance(pid, int) and bool(when) and born(pid) == when


def _ps(pid: int, field: str) -> str:
    done = subprocess.run(
        ["ps", "-o", field, "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
