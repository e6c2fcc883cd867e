"""An OpenAI-compatible server that shares no code with the platform or the simulated endpoint."""

import asyncio
import json
import random
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

# An alphabet of its own: none of these words is in a text that we bring along.
SYLLABLES = ("mor", "tal", "vin", "sek", "lu", "dra", "pon", "gim", "fe", "rast", "yo", "bel")
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


class OwnEndpoint:
    """Invents words. `asked` has the request ids as they came, `log` the body of each.

    While `answering` is not set, requests wait for their first word.
    """

    def __init__(self) -> None:
        self.answering = threading.Event()
        self.answering.set()
        self.log: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.texts: list[str] = []
        self.keys: set[str] = set()
        self._random = random.Random(7)  # noqa: S311 - no secret
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> "OwnEndpoint":
        self._thread.start()
        starting = asyncio.start_server(self._answer, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        answering = asyncio.all_tasks() - {asyncio.current_task()}
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        lines = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        if "content-length" not in lines:  # the start asks which models there are; it tells nothing
            writer.close()
            return
        body = json.loads(await reader.readexactly(int(lines["content-length"])))
        self.asked.append(lines["x-request-id"])
        self.log[lines["x-request-id"]] = body
        self.keys.add(lines["authorization"])
        with closing(writer):
            writer.write(HEAD.encode())
            while not self.answering.is_set():
                await asyncio.sleep(0.05)
            for event in self._events(body):
                writer.write(b"data: " + event.encode() + b"\n\n")
            await writer.drain()

    def _events(self, body: dict[str, Any]) -> Iterator[str]:
        several = "###" in json.dumps(body["messages"])
        texts = [self._text() for _ in range(4 if several else 1)]
        self.texts += texts
        content = "".join(f"### {text}\n" for text in texts) if several else texts[0]
        for piece in (content[:30], content[30:]):
            yield json.dumps({"choices": [{"index": 0, "delta": {"content": piece}}]})
        yield json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        yield "[DONE]"

    def _text(self) -> str:
        words = ["".join(self._random.choices(SYLLABLES, k=2)) for _ in range(14)]
        return " ".join(words).capitalize() + "."
