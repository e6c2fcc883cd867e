"""A server that writes exactly the bytes that a test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]

HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def event(content: str | None = None, *, finish: str | None = None, **fields: Any) -> bytes:
    """One event of a stream."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice], **fields}).encode() + b"\n\n"


def sends(*pieces: bytes, pause: float = 0.0) -> Script:
    """Writes the pieces one by one, each flushed, and closes."""

    async def script(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return script


class RawServer:
    """`requests` as they arrived; `closed` is set once a client has hung up."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._stopped = False
        self._answering: set[asyncio.Task[None]] = set()
        self.requests: list[bytes] = []
        self.closed = asyncio.Event()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._stopped:
            return writer.transport.abort()
        self._answering.add(asyncio.ensure_future(self._answer(reader, writer)))
        return None

    async def stop(self) -> None:
        self._stopped = True
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await asyncio.sleep(0.01)  # what was accepted at this moment, and the ends of transports

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writing: asyncio.Task[None] | None = None
        try:
            self.requests.append(await _request(reader))
            writing = asyncio.ensure_future(self._write(writer))
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.closed.set()
            if writing:
                writing.cancel()
            writer.transport.abort()

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await self._script(writer)
            writer.write_eof()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    told = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return head + await reader.readexactly(int(told[0].split(b":")[1]) if told else 0)


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[tuple[RawServer, str]]:
    """The server and the base URL of its API."""
    raw = RawServer(script)
    server = await asyncio.start_server(raw.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield raw, f"http://127.0.0.1:{port}/v1"
    finally:
        server.close()
        await raw.stop()
        await server.wait_closed()
