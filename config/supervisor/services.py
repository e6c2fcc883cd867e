"""What a running demo tells other programs: `services.json` in its data directory.

The file holds addresses, process ids and keys, so only its owner can read it. Keys outlive the
processes: the next start reads them back, and links and passwords stay valid.
"""

import contextlib
import fcntl
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

FILE_NAME = "services.json"
LOCK_NAME = "supervisor.lock"
ATTEMPTS = 5  # a command that asks whether a demo is running holds the lock for a moment
Notes = dict[str, Any]


def read(data_dir: Path) -> Notes:
    """The notes of the last start; empty when there are none that this account can read."""
    try:
        notes = json.loads((data_dir / FILE_NAME).read_text())
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}


def write(data_dir: Path, notes: Notes) -> None:
    """Replace the notes in one step; a reader sees the old ones or the new ones, never half."""
    write_private(data_dir / FILE_NAME, json.dumps(notes, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step with one that only its owner can read."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def environment(data_dir: Path) -> dict[str, str] | None:
    """The variables with which the demo running in `data_dir` was started; None when none runs."""
    variables = read(data_dir).get("environment")
    if not isinstance(variables, dict) or not locked(data_dir):
        return None
    return {str(name): str(value) for name, value in variables.items()}


def locked(data_dir: Path) -> bool:
    """Whether a supervisor holds the data directory at this moment."""
    try:
        with (data_dir / LOCK_NAME).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


class Lock:
    """One supervisor per data directory; the kernel lets go of it however the process ends."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / LOCK_NAME
        self._handle = -1

    def take(self) -> bool:
        """False when another supervisor has it."""
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        for _ in range(ATTEMPTS):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            time.sleep(0.1)
        self.release()
        return False

    def release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1
