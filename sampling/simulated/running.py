"""Run the simulated endpoint for the length of a `with` block, in a thread or as a process."""

import asyncio
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sampling.simulated.server import Options, Server

ROOT = Path(__file__).resolve().parents[2]


class Endpoint:
    """A running server, told what to do over its control addresses on one kept connection."""

    def __init__(self, *, port: int, key: str, model: str) -> None:
        self.port = port
        self.key = key
        self.model = model
        self.base_url = f"http://127.0.0.1:{port}/v1"
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._lock = threading.Lock()
        self._line.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def order(self, behaviour: str, **told: Any) -> None:
        """Have the next request misbehave.

        `times` (None: all), `contains`, `request_id`, `nth` say which one; what else is given goes
        to the behaviour.
        """
        which = ("times", "contains", "request_id", "nth")
        order = {name: told.pop(name) for name in which if name in told}
        self._call("POST", "orders", {"behaviour": behaviour, **order, "options": told})

    def forget_orders(self) -> None:
        self._call("DELETE", "orders")

    def log(self) -> list[dict[str, Any]]:
        """Return the requests that have ended, the oldest first."""
        return list(self._call("GET", "log")["entries"])

    def open(self) -> list[dict[str, Any]]:
        """Return the requests that are being answered now."""
        return list(self._call("GET", "log")["open"])

    def wait_for(self, count: int, *, seconds: float = 10) -> list[dict[str, Any]]:
        """Return the log once it has `count` entries. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while len(found := self.log()) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} of {count} requests ended in {seconds} s")
            time.sleep(0.01)
        return found

    def _call(self, method: str, name: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with self._lock:
            self._line.request(method, f"/control/{name}", json.dumps(body), headers)
            response = self._line.getresponse()
            found = json.loads(response.read())
        if response.status != 200:
            raise ValueError(found)
        return found


@contextmanager
def running(
    *,
    key: str = "",
    speed: float = 0,
    first_token: float = 0,
    context: int = 8192,
    queue: int = 0,
    answer_tokens: int = 0,
    schema_tokens: int = 0,
    together: float = 0,
    log: Path | None = None,
    as_process: bool = False,
) -> Iterator[Endpoint]:
    """Yield a running endpoint on a free port of 127.0.0.1; at once and without a key by default.

    In a thread it starts in milliseconds; as a process its CPU time can be measured apart.
    """
    options = Options(
        key=key,
        speed=speed,
        first_token=first_token,
        context=context,
        queue=queue,
        answer_tokens=answer_tokens,
        schema_tokens=schema_tokens,
        together=together,
        log=log,
    )
    start = _process if as_process else _thread
    with start(options) as port, Endpoint(port=port, key=key, model=options.models[0]) as endpoint:
        yield endpoint


@contextmanager
def _thread(options: Options) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    server = Server(options)
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever, name="simulated endpoint", daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def _process(options: Options) -> Iterator[int]:
    command = [
        *(sys.executable, "-m", "sampling.simulated", "--key", options.key),
        *("--speed", str(options.speed), "--first-token", str(options.first_token)),
        *("--context", str(options.context), "--queue", str(options.queue)),
        *("--together", str(options.together)),
        *("--answer-tokens", str(options.answer_tokens)),
        *("--schema-tokens", str(options.schema_tokens)),
        *(("--log", str(options.log)) if options.log else ()),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101
            yield int(process.stdout.readline().rsplit(":", 1)[1].split("/")[0])
        finally:
            process.terminate()
            process.wait(10)
