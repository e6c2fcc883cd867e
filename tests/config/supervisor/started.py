"""A demo as its own process, started and looked at from outside."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from config.supervisor import services
from config.supervisor.children import wait_until
from config.supervisor.leftovers import born
from config.supervisor.parts import ROOT
from config.supervisor.valkey import free_port
from tests import forking

START_SECONDS = 300
OURS = ("DATABASE_URL", "REDIS_URL", "BASE_URL", "SECRET_KEY", "COUNTERPOINT_TESTING")


class Started:
    """A running demo, seen from outside."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir, self.port = data_dir, free_port()
        self.output = data_dir.with_suffix(".out")
        clean = {name: value for name, value in os.environ.items() if name not in OURS}
        self.env = {**clean, "DATA_DIR": str(data_dir), "PORT": str(self.port), **environment}
        with self.output.open("ab") as output:
            # As a shell does in the background: no terminal, and SIGINT ignored.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.supervisor"],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
            )

    def wait(self) -> None:
        links = self.data_dir / "links.json"

        def over() -> bool:
            return links.exists() or self.process.poll() is not None

        wait_until(over, seconds=START_SECONDS)
        assert links.exists(), self.output.read_text()

    def links(self) -> dict[str, Any]:
        return dict(json.loads((self.data_dir / "links.json").read_text()))

    def pids(self) -> dict[str, int]:
        return {name: pid for name, (pid, _) in services.read(self.data_dir)["pids"].items()}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return forking.run(arguments, env=self.env)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> list[str]:
        """Signal it and wait; returns the names of parts that are still there."""
        pids = self.pids()
        self.process.send_signal(number)
        self.process.wait(timeout=60)
        wait_until(lambda: not any(map(born, pids.values())), seconds=30)
        return [name for name, pid in pids.items() if born(pid)]
