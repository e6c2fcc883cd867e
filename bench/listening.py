"""Pages that listen on the live channel: one event loop in a thread, one connection each."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID

from sampling.live import live_url


class LoopThread:
    """An event loop in a thread, and what runs on it until the block is left."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    @contextmanager
    def running(self) -> Iterator[Self]:
        self._thread.start()
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Have it done on the loop; returns at once."""
        self._loop.call_soon_threadsafe(self._begin, work)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stop(self) -> None:
        # More than once: before Python 3.12 `wait_for` may swallow what cancels it.
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=1)


class Listeners(LoopThread):
    """Follows sets, and notes when a connected page was told that each is ready."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.ready: dict[UUID, float] = {}  # seconds since 1970
        self._address = address

    def follow(self, set_id: UUID) -> None:
        """Open a page for the set; returns at once."""
        self.begin(self._listen(set_id))

    async def _listen(self, set_id: UUID) -> None:
        async for name, data in events(self._address, set_id):
            if name == "set" and data["state"] == "ready":
                self.ready[set_id] = time.time()
                return


async def events(address: str, set_id: UUID) -> AsyncIterator[tuple[str, Any]]:
    """The events of one connection, the opening of the stream first as `open`, until it ends."""
    parts = urlsplit(address)
    host, port, path = parts.hostname or "", parts.port or 80, live_url(set_id)
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(f"the live channel answered {head[:80]!r}")
        yield "open", {}
        name = ""
        while line := await reader.readline():
            if line.startswith(b"event: "):
                name = line[7:].strip().decode()
            elif line.startswith(b"data: "):
                yield name, json.loads(line[6:])
    finally:
        writer.close()
