"""The local model: a small instruct model behind the OpenAI protocol, in a process of its own.

`LocalModel` is the supervisor's side. `python -m config.supervisor.model` is the process; it takes
its key from the environment, and ends at once on SIGTERM.
"""

import argparse
import http.client
import os
import signal
import sys
import time
from pathlib import Path
from types import TracebackType

from config.supervisor.children import Child, Pause, Program, wait_until
from config.supervisor.trouble import Trouble, last_lines
from config.supervisor.valkey import free_port

ALIAS = "smollm2-135m"
KEY_VARIABLE = "LOCAL_MODEL_KEY"
LOAD_SECONDS = 180.0  # a larger model of one's own, from a slow disk
STREAMS = 4
CONTEXT = 2048  # tokens per stream
LONGEST_ANSWER = 512
CACHE_MIB = 256  # the engine's default of 8192 let it grow past a gigabyte


class LocalModel:
    """The process of one GGUF file, on a port of this machine, behind a key."""

    def __init__(
        self,
        gguf: Path,
        *,
        key: str,
        log: Path,
        port: int = 0,
        alias: str = ALIAS,
        pause: Pause = time.sleep,
    ) -> None:
        self.port = port or free_port()
        self._pause = pause
        argv = [sys.executable, "-m", "config.supervisor.model", "--gguf", str(gguf)]
        self.child = Child(
            Program(
                name="local model",
                argv=[*argv, "--alias", alias, "--port", str(self.port)],
                log=log,
                # Spinning threads made four streams six times slower; read at the engine's import.
                env={**os.environ, KEY_VARIABLE: key, "OMP_WAIT_POLICY": "passive"},
                cwd=Path(__file__).resolve().parents[2],
            )
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def ready(self) -> bool:
        return self.child.alive and asked(self.port, "/health") == http.client.OK

    def start(self) -> None:
        """Start the process; returns when the model is loaded."""
        self.child.start()
        self.wait()

    def wait(self) -> None:
        """Return when the model is loaded; raises Trouble when it ends before that."""

        def over() -> bool:
            return self.ready or not self.child.alive

        if not (wait_until(over, seconds=LOAD_SECONDS, pause=self._pause) and self.ready):
            end = last_lines(self.child.program.log)
            raise Trouble(
                f"The local model did not start ({self.child.ending}). Its log ends with:\n{end}",
                advice="set MODEL_BASE_URL, MODEL_NAME and MODEL_API_KEY to use a server of yours.",
            )

    def stop(self) -> None:
        self.child.stop(polite=1.0, pause=self._pause)

    def __enter__(self) -> "LocalModel":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def asked(port: int, path: str) -> int:
    """The status that a GET on this machine gets; 0 without an answer within two seconds."""
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        wire.request("GET", path)
        return wire.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        wire.close()


def serve(gguf: str, *, alias: str, port: int, key: str) -> None:
    """Load the model and answer until SIGTERM or SIGINT."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp  # reads the line above

    threads = min(2, os.cpu_count() or 1)
    settings = xllamacpp.CommonParams()
    settings.model.path = gguf
    settings.model_alias = {alias}
    settings.hostnames, settings.port, settings.api_keys = ["127.0.0.1"], port, [key]
    settings.n_parallel, settings.n_ctx = STREAMS, STREAMS * CONTEXT
    settings.n_predict, settings.n_gpu_layers = LONGEST_ANSWER, 0
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    settings.cache_ram_mib = CACHE_MIB
    settings.ui, settings.endpoint_metrics, settings.offline = False, True, True
    settings.cors_origins = "http://127.0.0.1"
    server = xllamacpp.Server(settings)
    print(f"{alias} answers on {server.listening_address}", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    while True:
        signal.pause()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--alias", default=ALIAS)
    options = parser.parse_args()
    key = os.environ[KEY_VARIABLE]
    serve(options.gguf, alias=options.alias, port=options.port, key=key)


if __name__ == "__main__":
    main()
