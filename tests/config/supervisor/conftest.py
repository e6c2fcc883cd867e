"""Servers of these tests' own: they are killed, restarted and looked at from outside."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.supervisor.postgres import Postgres
from config.supervisor.postgres import running as running_postgres
from config.supervisor.valkey import Valkey
from config.supervisor.valkey import running as running_valkey


@contextlib.contextmanager
def passable() -> Iterator[Path]:
    """A directory that the servers' account can pass through (pytest's own are of mode 0700)."""
    directory = Path(tempfile.mkdtemp(prefix="counterpoint-supervisor-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def place() -> Iterator[Path]:
    with passable() as directory:
        yield directory


@pytest.fixture(scope="module")
def shared_postgres() -> Iterator[Postgres]:
    with (
        passable() as directory,
        running_postgres(directory / "postgres", throwaway=True) as server,
    ):
        yield server


@pytest.fixture
def postgres(shared_postgres: Postgres) -> Postgres:
    """A running server with nothing in it; the tests may break it as they like."""
    if not shared_postgres.ready:
        shared_postgres.restart()
    with psycopg.connect(shared_postgres.url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS note")
    return shared_postgres


@pytest.fixture
def valkey(place: Path) -> Iterator[Valkey]:
    with running_valkey(place / "valkey", throwaway=True) as server:
        yield server
