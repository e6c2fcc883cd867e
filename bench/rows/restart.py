"""The second `make demo` on the same data: how long our own work takes until it is ready."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import regex

from bench.report import Row, bounded
from bench.servers import Servers
from config.supervisor.valkey import free_port

OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "COUNTERPOINT_TESTING")
# What the demo itself says once its pages have answered.
TOOK = regex.compile(r"\(([\d.]+) s of work, ([\d.]+) s of waiting for the local model\)")


def measure(_: Servers) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="counterpoint-demo-", dir="/var/tmp") as name:
        Path(name).chmod(0o755)
        start(Path(name))
        work, model = start(Path(name))
    yield bounded(row=f"second start (and {model:g} s of model)", figure=work, unit="s", at_most=15)


def start(data_dir: Path) -> tuple[float, float]:
    """Start the demo until it is ready and stop it; seconds of work, and of waiting for the model.

    Raises RuntimeError when it ends without getting there; it gives up by itself.
    """
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    env = {**kept, "DATA_DIR": str(data_dir), "PORT": str(free_port())}
    command = [sys.executable, "-m", "config.supervisor"]
    demo = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    try:
        for line in demo.stdout or ():
            if took := TOOK.search(line):
                return float(took[1]), float(took[2])
        raise RuntimeError(f"the demo did not start in {data_dir}")
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=30)
