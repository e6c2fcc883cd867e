"""The journey on an endpoint that shares no code with ours: what it wrote is what is exported."""

import asyncio
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from tests.config.supervisor.conftest import passable
from tests.config.supervisor.started import Started
from tests.journeys.visiting import Visitor

# An alphabet of its own: none of these words is in a text that we bring along.
SYLLABLES = ("mor", "tal", "vin", "sek", "lu", "dra", "pon", "gim", "fe", "rast", "yo", "bel")
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
EXPLAIN = """
import io, json, sys
from django.core.management import call_command
told = {}
for name in json.loads(sys.argv[1]):
    out = io.StringIO()
    call_command("explain_set", name, json=True, stdout=out)
    told[name] = json.loads(out.getvalue())["calls"]
print(json.dumps(told))
"""


class OwnEndpoint:
    """An OpenAI-compatible server that invents words; `log` has each body under its request id."""

    def __init__(self) -> None:
        self.log: dict[str, dict[str, Any]] = {}
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

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        lines = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        body = json.loads(await reader.readexactly(int(lines["content-length"])))
        self.log[lines["x-request-id"]] = body
        self.keys.add(lines["authorization"])
        writer.write(HEAD.encode())
        for event in self._events(body):
            writer.write(b"data: " + event.encode() + b"\n\n")
        await writer.drain()
        writer.close()

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


@pytest.fixture(scope="module")
def walked() -> Iterator[tuple[OwnEndpoint, Started]]:
    """One annotator's first conversation of three turns, all of it on that endpoint."""
    with passable() as directory, OwnEndpoint() as endpoint:
        own = {"MODEL_BASE_URL": endpoint.base_url, "MODEL_NAME": "inventor"}
        started = Started(directory / "own", **own, MODEL_API_KEY="its-own-key")
        try:
            started.wait()
            visitor = Visitor(started.links()["cohorts"][0]["join_url"])
            visitor.judge(turns=3)
            assert "answered in" in started.command("manage.py", "doctor").stdout
            yield endpoint, started
        finally:
            started.stop()


def test_every_exported_text_is_one_that_the_endpoint_wrote(
    walked: tuple[OwnEndpoint, Started], tmp_path: Path
) -> None:
    endpoint, demo = walked
    out = tmp_path / "dump"
    done = demo.command("manage.py", "export", "--study", "demo", "--out", str(out))
    assert done.returncode == 0, done.stderr
    candidates = parquet.read_table(out / "parquet" / "candidates.parquet").to_pylist()
    comparisons = parquet.read_table(out / "parquet" / "comparisons.parquet").to_pylist()

    assert len(comparisons) == 3
    assert len(candidates) == 12
    assert {one["text"] for one in candidates} <= set(endpoint.texts)
    assert {one["request_id"] for one in candidates} <= set(endpoint.log)
    assert endpoint.keys == {"bearer its-own-key"}


def test_every_request_with_a_sets_id_is_rebuilt_and_the_others_are_probes(
    walked: tuple[OwnEndpoint, Started],
) -> None:
    endpoint, demo = walked
    logged = dict(endpoint.log)
    ours = {name for name in logged if not name.startswith("probe.")}
    done = demo.command("-c", f"import django; django.setup()\n{EXPLAIN}", json.dumps(list(ours)))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)

    assert 6 <= len(ours) < len(logged)  # two calls for each of three sets at least
    for name in ours:
        (call,) = told[name]
        assert (call["request_id"], call["request"]) == (name, logged[name])
