"""The servers of a test run: a real PostgreSQL and a real Valkey on throw-away data.

Loaded as a pytest plugin before Django's settings, so that these take the addresses from here. The
servers start when the first test asks for a database (at once under xdist), and stop with the run,
however it ends. One database is migrated once; each process of the run works on a clone of it.
"""

import os
import secrets
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker, blocking_manager_key

from config import messages
from config.supervisor.postgres import DATABASE, Postgres
from config.supervisor.valkey import Valkey

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
SERVER_VARIABLE = "TEST_SERVER_URL"  # how a worker of xdist learns of the servers that it shares
LOOPBACK = {"127.0.0.1", "::1", "localhost", "", None}


class Servers:
    """Both servers of this run: made at once, so that they have addresses; started later."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="counterpoint-test-"))
        self.directory.chmod(0o711)  # the servers' account passes through it
        self.postgres = Postgres(self.directory / "postgres", throwaway=True)
        self.valkey = Valkey(self.directory / "valkey", throwaway=True)
        self.started = False

    def start(self, blocker: DjangoDbBlocker) -> None:
        """Start both and migrate the database that the others are cloned from. Safe to repeat."""
        if self.started:
            return
        self.started = True
        self.valkey.start()
        self.postgres.start()
        _migrate(blocker)

    def stop(self) -> None:
        self.valkey.stop()
        self.postgres.stop()
        rmtree(self.directory, ignore_errors=True)


def _environment(servers: Servers | None) -> dict[str, str]:
    """What settings read. A worker of xdist gets its own numbered Valkey database."""
    postgres_url = servers.postgres.url if servers else os.environ[SERVER_VARIABLE]
    redis_url = servers.valkey.url if servers else os.environ["REDIS_URL"]
    number = int(WORKER.removeprefix("gw")) + 1 if WORKER else 0
    return {
        SERVER_VARIABLE: postgres_url,
        "DATABASE_URL": postgres_url,
        "REDIS_URL": f"{redis_url.rpartition('/')[0]}/{number}",
        "SECRET_KEY": os.environ.get("SECRET_KEY") or secrets.token_hex(32),
        "COUNTERPOINT_TESTING": "1",
        "BASE_URL": "http://127.0.0.1:8000",
        "LOG_FORMAT": "plain",
    }


# What a developer's shell may hold, and would change what is tested.
FOREIGN = ["DEBUG", "ALLOWED_HOSTS", "MODEL_BASE_URL", "MODEL_NAME", "MODEL_API_KEY"]
for variable in FOREIGN:
    os.environ.pop(variable, None)
servers = None if WORKER else Servers()
if servers:
    messages.compile_catalogues()
os.environ.update(_environment(servers))


def refuse_the_world(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: no test reaches further than this machine."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if name not in LOOPBACK:
        raise RuntimeError(f"a test tried to reach {name}: only this machine may be reached")


sys.addaudithook(refuse_the_world)


def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Start before the workers do: they share what this process started."""
    start(config.stash[blocking_manager_key])


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    if servers:
        servers.stop()


def start(blocker: DjangoDbBlocker) -> None:
    """Start the servers of this run, unless they run already."""
    if servers:
        servers.start(blocker)


def url(database: str) -> str:
    """The address of a database on the test server."""
    return os.environ[SERVER_VARIABLE].replace(f"/{DATABASE}?", f"/{quote(database)}?")


def clone(name: str) -> str:
    """Make a database with the whole schema and nothing in it; returns its address."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    with psycopg.connect(url("postgres"), autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(DATABASE)))
    return url(name)


def drop(name: str) -> None:
    """Remove a clone, whoever is still connected to it."""
    with psycopg.connect(url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def use_clone(blocker: DjangoDbBlocker) -> Generator[None]:
    """Point this process, and the programs that it starts, at a clone of its own."""
    from django.db import connection  # not before the settings, which this module prepares

    start(blocker)
    name = f"test_{WORKER or 'main'}"
    os.environ["DATABASE_URL"] = clone(name)
    connection.settings_dict["NAME"] = name
    yield
    connection.close()
    drop(name)


def quick_emptying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty the database after a transactional test in milliseconds.

    Django truncates every table, which makes a new file for each of its indexes.
    """
    from django.test import TransactionTestCase

    monkeypatch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: empty())


DEADLOCKS = 5  # so often may one of its processes hold rows that we want, and want ours
EMPTY = """
DO $$ DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;  -- no trigger, no foreign key
    FOR name IN
        SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'
            AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
    LOOP
        IF pg_relation_size(name::regclass) > 1000000 THEN
            EXECUTE 'TRUNCATE ' || name || ' CASCADE';
        ELSE
            EXECUTE 'DELETE FROM ' || name;
        END IF;
    END LOOP;
END $$
"""


def empty() -> None:
    """Delete every row of the test's database, also while a process of the test still writes."""
    from django.db import OperationalError, connection

    for left in reversed(range(DEADLOCKS)):
        try:
            with connection.cursor() as cursor:
                cursor.execute(EMPTY)
        except OperationalError as fault:
            if not (left and isinstance(fault.__cause__, psycopg.errors.DeadlockDetected)):
                raise
        else:
            return


def _migrate(blocker: DjangoDbBlocker) -> None:
    from django.core.management import call_command  # not before the settings, as above
    from django.db import connection

    with blocker.unblock():
        call_command("migrate", verbosity=0, interactive=False)
        connection.close()
