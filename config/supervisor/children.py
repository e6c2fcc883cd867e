"""Child processes: started in a session of their own, watched, and stopped by signals in turn.

On Linux the kernel signals each child when this process dies, however it dies, so that a `kill -9`
of the supervisor leaves nothing behind. That signal follows the thread that forked: start children
from the main thread only. Elsewhere the next start stops what it finds (`leftovers`).
"""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from config.supervisor.accounts import Account

Pause = Callable[[float], None]
PR_SET_PDEATHSIG = 1
LOG_LIMIT = 10 * 1024 * 1024
POLL = 0.02


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run. Signals: to stop it politely, firmly, and when we die without a word."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str]
    stdin: bytes = b""
    account: Account | None = None
    cwd: Path | None = None
    polite: signal.Signals = signal.SIGTERM
    firm: signal.Signals = signal.SIGKILL
    orphaned: signal.Signals = signal.SIGKILL


class Child:
    """One program that is meant to be running, and the process that runs it now."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def ending(self) -> str:
        """How the process ended, in words."""
        code = self.process.poll() if self.process else None
        if code is None:
            return "not ended"
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def start(self) -> None:
        """Start the process; returns at once."""
        self.started = time.monotonic()
        with _open_log(self.program.log) as log:
            self.process = _spawn(self.program, output=log, log=log)

    def send(self, number: signal.Signals) -> None:
        """Signal the process; nothing happens when it is gone."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self, *, polite: float, firm: float = 1.0, pause: Pause = time.sleep) -> None:
        """Ask politely, then firmly, each for so many seconds; then kill. It is gone at the end."""
        for number, seconds in ((self.program.polite, polite), (self.program.firm, firm)):
            self.send(number)
            if wait_until(lambda: not self.alive, seconds=seconds, pause=pause):
                return
        self.kill()

    def kill(self) -> None:
        """End the process without warning, as a crash would."""
        self.send(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()


def run_to_end(program: Program, *, pause: Pause = time.sleep) -> tuple[int, str]:
    """Run a short program; returns its exit code and what it printed. Its errors go to its log.

    Whatever `pause` raises ends the program too.
    """
    with _open_log(program.log) as log, tempfile.TemporaryFile() as output:
        process = _spawn(program, output=output, log=log)
        try:
            while process.poll() is None:
                pause(POLL)
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        return process.returncode, output.read().decode(errors="replace")


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: Pause = time.sleep) -> bool:
    """Whether the condition came true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        pause(POLL)
    return True


def server_environment(home: Path) -> dict[str, str]:
    """A small environment for PostgreSQL and Valkey: nothing of ours can steer them by accident."""
    return {"PATH": os.defpath, "HOME": str(home), "LANG": "C.UTF-8", "LC_ALL": "C", "TZ": "UTC"}


def _spawn(program: Program, *, output: IO[bytes], log: IO[bytes]) -> subprocess.Popen[bytes]:
    account = program.account
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork beside other threads; what runs between fork and exec here
        # takes no lock.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = subprocess.Popen(
            program.argv,
            stdin=subprocess.PIPE if program.stdin else subprocess.DEVNULL,
            stdout=output,
            stderr=log,
            env=dict(program.env),
            cwd=program.cwd,
            start_new_session=True,
            preexec_fn=_die_with_parent(program.orphaned),
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=account.groups if account else None,
        )
    if process.stdin:
        process.stdin.write(program.stdin)
        process.stdin.close()
    return process


def _open_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """What a Linux child does between fork and exec, so that it never outlives this process."""
    if sys.platform != "linux":
        return None
    parent, libc = os.getpid(), ctypes.CDLL(None)

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # we died between the fork and the line above
            os._exit(1)

    return arrange
