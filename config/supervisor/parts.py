"""The parts of the platform that are Python: web, workers, beat, and the simulated endpoint."""

import http.client
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from config.supervisor.children import Child, Pause, Program, wait_until
from config.supervisor.model import asked
from config.supervisor.trouble import Trouble, last_lines

ROOT = Path(__file__).resolve().parents[2]
GENERATING_THREADS = 32
DATABASE_POOL = 8  # connections that the threads of a worker share
START_SECONDS = 60.0


@dataclass(frozen=True)
class Setting:
    """Where parts run: their environment, where their logs go, and how we wait for them."""

    env: Mapping[str, str]
    logs: Path
    pause: Pause = time.sleep


class Part:
    """A Python process with a way to tell that it is ready (none: as soon as it runs)."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        setting: Setting,
        probe: Callable[[], bool] = lambda: True,
    ) -> None:
        self._probe, self._pause = probe, setting.pause
        self.child = Child(
            Program(
                name=name,
                argv=[sys.executable, "-m", *arguments],
                log=setting.logs / f"{name.replace(' ', '-')}.log",
                env=setting.env,
                cwd=ROOT,
            )
        )

    @property
    def ready(self) -> bool:
        return self.child.alive and self._probe()

    def start(self) -> None:
        """Start the process; `wait` tells when it is ready."""
        self.child.start()

    def wait(self) -> None:
        """Return when it is ready; raises Trouble when it ends before that, or takes too long."""

        def over() -> bool:
            return self.ready or not self.child.alive

        if not (wait_until(over, seconds=START_SECONDS, pause=self._pause) and self.ready):
            log = self.child.program.log
            raise Trouble(
                f"{self.child.program.name} did not start ({self.child.ending}). "
                f"Its log ends with:\n{last_lines(log, count=12)}",
                advice=f"the whole log is {log}.",
            )


def web(port: int, *, setting: Setting) -> Part:
    """Pages and the live channel."""
    server = ["uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", str(port)]
    # An open live channel would otherwise keep the server from ever ending.
    manners = ["--timeout-graceful-shutdown", "2", "--no-access-log", "--no-server-header"]

    def served() -> bool:
        return 0 < asked(port, "/health/live/") < http.client.INTERNAL_SERVER_ERROR

    return Part("web", [*server, *manners], setting=setting, probe=served)


def worker(name: str, queues: str, *, threads: int, setting: Setting) -> Part:
    """A Celery worker for some queues."""
    pool = ["-P", "threads", "-c", str(threads), "-Q", queues, "-n", f"{name}@%h"]
    # Workers here have nothing to tell each other, and asking costs a second at the start.
    quiet = ["--without-gossip", "--without-mingle", "-l", "INFO"]
    celery = ["celery", "-A", "config", "worker"]
    sharing = replace(setting, env={"DATABASE_POOL": str(DATABASE_POOL), **setting.env})
    return Part(f"worker {name}", [*celery, *pool, *quiet], setting=sharing)


def beat(*, setting: Setting) -> Part:
    """The clock that sends periodic tasks."""
    return Part("beat", ["celery", "-A", "config", "beat", "--pidfile="], setting=setting)


def simulated(port: int, *, log: Path, setting: Setting) -> Part:
    """The endpoint that composes its answers from example sentences; its key is SIMULATED_KEY."""
    address = ["--host", "127.0.0.1", "--port", str(port)]

    def served() -> bool:
        return asked(port, "/health") == http.client.OK

    return Part(
        "simulated endpoint",
        ["sampling.simulated", *address, "--log", str(log)],
        setting=setting,
        probe=served,
    )
