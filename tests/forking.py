"""Our programs in processes of their own, without a second of imports each.

A process with the libraries of other people imported waits for orders, and forks one child for
each: `python -m celery ...`, `manage.py ...` or `-c code`, with its own environment, working
directory, session and output. Settings and everything of ours are read in the child, as ever.

    process = forking.start(["-m", "celery", "-A", "config", "worker"], env=env, output=log)
    done = forking.run(["manage.py", "doctor"], env=env)      # as subprocess.run would give it

Who starts and stops whole demos (tests/config/supervisor) starts their parts as they are.
"""

import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (
    *("celery.bin.celery", "celery.apps.worker", "celery.worker.worker", "kombu.transport.redis"),
    *("redis.asyncio", "openai.types.chat", "aiohttp", "httpx2", "numpy", "pydantic"),
    *("psycopg_pool", "regex", "babel.dates", "yaml", "uvicorn.main", "uvloop", "httptools"),
    *("django.contrib.auth", "django.contrib.postgres.apps", "django.core.management"),
    *("django.db.backends.postgresql.base", "django.db.migrations.executor", "nh3", "markdown_it"),
)
Order = dict[str, Any]


class Forked:
    """A running child: what `subprocess.Popen` has of it, as far as tests need it."""

    def __init__(self, order: Order) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(_address())
        self._line.sendall(json.dumps(order).encode() + b"\n")
        self._told = self._line.makefile("r")
        self.pid = int(self._told.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired when it still runs after so many seconds."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, patience: float | None) -> int | None:
        if self.returncode is None and select.select([self._line], [], [], patience)[0]:
            self.returncode = int(self._told.readline())
            self._told.close()
            self._line.close()
        return self.returncode


def start(
    arguments: Sequence[str], *, env: Mapping[str, str], output: Path, errors: Path | None = None
) -> Forked:
    """Start what `python <arguments>` would, in a session of its own, writing to files."""
    return Forked(
        {
            "arguments": list(arguments),
            "env": dict(env),
            "output": str(output),
            "errors": str(errors or output),
        }
    )


def run(arguments: Sequence[str], *, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    with tempfile.TemporaryDirectory(prefix="counterpoint-forked-") as directory:
        output, errors = Path(directory) / "output", Path(directory) / "errors"
        code = start(arguments, env=env, output=output, errors=errors).wait()
        return subprocess.CompletedProcess(
            list(arguments), code, output.read_text(), errors.read_text()
        )


# --- The process that waits for orders ------------------------------------------------------------

_place: "tempfile.TemporaryDirectory[str] | None" = None


def _address() -> str:
    """Where orders go; starts the process that takes them when it is asked for the first time."""
    global _place
    if _place is None:
        _place = tempfile.TemporaryDirectory(prefix="counterpoint-forking-")
        path = f"{_place.name}/orders"
        waiting = subprocess.Popen(
            [sys.executable, "-m", "tests.forking", path], cwd=ROOT, stdin=subprocess.PIPE
        )
        atexit.register(_end, waiting, _place)
        deadline = time.monotonic() + 60
        while not Path(path).exists():
            assert waiting.poll() is None, "the process that forks did not start"
            assert time.monotonic() < deadline, "the process that forks is late"
            time.sleep(0.02)
    return f"{_place.name}/orders"


def _end(waiting: "subprocess.Popen[bytes]", place: "tempfile.TemporaryDirectory[str]") -> None:
    waiting.communicate()  # it ends when nothing holds its standard input
    place.cleanup()


def _take_orders(path: str) -> Order:
    """Fork for each order. Returns it in the child; the parent exits with its starter."""
    lines: dict[int, socket.socket] = {}
    woken, waker = socket.socketpair()
    for end in (woken, waker):
        end.setblocking(False)
    before = signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno())
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{path}.new")
    listening.listen()
    Path(f"{path}.new").rename(path)
    while True:
        ready, _, _ = select.select([listening, woken, sys.stdin], [], [])
        if sys.stdin in ready:
            sys.exit()
        if woken in ready:
            woken.recv(1000)
            _tell_ends(lines)
        if listening in ready:
            line, _ = listening.accept()
            order: Order = json.loads(line.makefile("r").readline())
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, before)
                for inherited in (line, listening, woken, waker, *lines.values()):
                    inherited.close()
                return order
            line.sendall(f"{pid}\n".encode())
            lines[pid] = line


def _tell_ends(lines: dict[int, socket.socket]) -> None:
    while lines:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with lines.pop(pid) as line, contextlib.suppress(OSError):
            line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(order: Order) -> NoReturn:
    """Be what `python <arguments>` is, but for the half second that taking modules down costs."""
    os.setsid()
    _write_to(order["output"], order["errors"])
    os.environ.clear()
    os.environ.update(order["env"])
    code = 0
    try:
        _run(order)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - said where the child's own interpreter would say it
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined] # waits for threads, as an interpreter does
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(order: Order) -> None:
    kind, *rest = order["arguments"]
    if kind == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(rest[0], {"__name__": "__main__"})  # noqa: S102 - as `python -c` does
    else:
        sys.argv = [kind, *rest]
        runpy.run_path(kind, run_name="__main__")


def _write_to(output: str, errors: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    out, err = (os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for path in (output, errors))
    for number, opened in enumerate((nothing, out, err)):
        os.dup2(opened, number)
        os.close(opened)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


if __name__ == "__main__":
    for library in LIBRARIES:
        import_module(library)
    gc.freeze()  # children share these pages as long as nobody writes to them
    _become(_take_orders(sys.argv[1]))
