"""The servers under measurement: a PostgreSQL that syncs, a Valkey, and parts started on demand."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.supervisor import parts
from config.supervisor.postgres import Postgres
from config.supervisor.valkey import Valkey, free_port


@dataclass(frozen=True)
class Servers:
    """Running servers, and how to start the parts that a row needs."""

    postgres: Postgres
    valkey: Valkey
    logs: Path

    @property
    def database_url(self) -> str:
        return self.postgres.url

    def setting(self, extra: Mapping[str, str]) -> parts.Setting:
        """The environment of a part: ours, with what a row adds."""
        return parts.Setting(env={**os.environ, **extra}, logs=self.logs)

    @contextmanager
    def web(self, extra: Mapping[str, str] | None = None) -> Iterator[tuple[parts.Part, str]]:
        """A web process, ready, and its address."""
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        own = {"BASE_URL": address, "LOG_LEVEL": "INFO", **(extra or {})}
        web = parts.web(port, setting=self.setting(own))
        with started(web):
            yield web, address

    @contextmanager
    def production_web(self) -> Iterator[tuple[parts.Part, str]]:
        """The same with static files as in production: collected, hashed and compressed."""
        static = {"STATIC_ROOT": str(self.logs / "static"), "COUNTERPOINT_TESTING": "0"}
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(collect, check=True, cwd=parts.ROOT, env=dict(self.setting(static).env))
        with self.web(static) as served:
            yield served

    @contextmanager
    def worker(
        self, extra: Mapping[str, str], *, threads: int = 64, name: str = "bench"
    ) -> Iterator[parts.Part]:
        """A worker that generates."""
        worker = parts.worker(
            name, "generate,prefetch", threads=threads, setting=self.setting(extra)
        )
        with started(worker):
            yield worker


@contextmanager
def started(part: parts.Part) -> Iterator[None]:
    part.start()
    try:
        part.wait()
        yield
    finally:
        part.child.stop(polite=10.0)


@contextmanager
def bench_servers() -> Iterator[Servers]:
    """Start both servers on data that is thrown away, set the environment, and migrate."""
    with tempfile.TemporaryDirectory(prefix="counterpoint-bench-") as name:
        directory = Path(name)
        directory.chmod(0o711)  # the servers' account passes through it
        with Postgres(directory / "postgres") as postgres, Valkey(directory / "valkey") as valkey:
            postgres.start()
            valkey.start()
            os.environ.update(
                DJANGO_SETTINGS_MODULE="bench.settings",
                DATABASE_URL=postgres.url,
                REDIS_URL=valkey.url,
                SECRET_KEY=secrets.token_hex(32),
                BEAT_SCHEDULE_FILE=str(directory / "beat"),
                LOG_LEVEL="WARNING",
                COUNTERPOINT_TESTING="1",
            )
            migrate()
            yield Servers(postgres=postgres, valkey=valkey, logs=directory)


def migrate() -> None:
    import django  # after the environment is there
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
