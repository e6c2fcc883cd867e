"""A plain client of a model server: no SDK, so that the contract speaks of the wire alone."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.verification.profiles import Profile

QUESTION = [{"role": "user", "content": "What makes a good neighbour?"}]
PATIENCE = 60


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Figures:
    """What the server itself counts: requests being answered, requests that wait, tokens made."""

    running: int
    waiting: int
    generated: int


class Stream:
    """The events of an open stream."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.content_type = response.headers["content-type"]
        self._response = response

    def data(self) -> Iterator[str]:
        """Yield the data of each event as it comes, [DONE] included."""
        for line in self._response:
            if line.startswith(b"data: "):
                yield line.decode().removeprefix("data: ").strip()

    def chunks(self) -> list[dict[str, Any]]:
        """Read to the end; return what was JSON and assert that [DONE] came last."""
        lines = list(self.data())
        assert lines[-1] == "[DONE]"
        return [json.loads(line) for line in lines[:-1]]


class Wire:
    """Requests to one server."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._url = urlsplit(profile.base_url)

    def ask(
        self, *, key: str | None = None, headers: dict[str, str] | None = None, **body: Any
    ) -> Answer:
        """Send a chat request and read the whole answer."""
        with self._sent("POST", "/chat/completions", self._body(body), key, headers) as response:
            return _answer(response)

    @contextmanager
    def stream(self, *, headers: dict[str, str] | None = None, **body: Any) -> Iterator[Stream]:
        """Send a chat request and read its stream; the connection is closed at the end."""
        body = self._body({"stream": True, **body})
        with self._sent("POST", "/chat/completions", body, None, headers) as response:
            yield Stream(response)

    def models(self) -> Answer:
        with self._sent("GET", "/models", None, None, None) as response:
            return _answer(response)

    def root(self, path: str, *, key: str | None = None) -> tuple[int, str]:
        """Return status and text of an address beside /v1."""
        with closing(self._line()) as line:
            line.request("GET", path, headers=self._headers(key))
            response = line.getresponse()
            return response.status, response.read().decode()

    def figures(self) -> Figures:
        profile = self.profile
        found = (profile.running_metric, profile.waiting_metric, profile.generated_metric)
        return Figures(*(int(self.metric(name)) for name in found))

    def metric(self, name: str) -> float:
        """Return a figure of /metrics, summed over its labels; 0 for one that is not there."""
        lines = self.root("/metrics")[1].splitlines()
        rows = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return sum(float(value) for key, value in rows if key.partition("{")[0] == name)

    def rest(self) -> None:
        """Wait until nothing is being answered. Raises TimeoutError."""
        self._wait_until(lambda found: found.running + found.waiting == 0)

    @contextmanager
    def held(self, count: int, **body: Any) -> Iterator[None]:
        """Keep so many requests at the server; their clients leave at the end."""
        target, told = self._url.path + "/chat/completions", self._headers(None)
        sent = json.dumps(self._body({"stream": True, **body}))
        with ExitStack() as stack:
            for _ in range(count):
                line = stack.enter_context(closing(self._line()))
                line.request("POST", target, sent, {**told, "Content-Type": "application/json"})
            self._wait_until(lambda found: found.running + found.waiting >= count)
            yield

    def _wait_until(self, holds: Callable[[Figures], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds(self.figures()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"still {self.figures()} after {PATIENCE} s")
            time.sleep(0.05)

    def _body(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"model": self.profile.model, "messages": QUESTION, "max_tokens": 24, **body}

    @contextmanager
    def _sent(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        key: str | None,
        headers: dict[str, str] | None,
    ) -> Iterator[http.client.HTTPResponse]:
        told = {**self._headers(key), "Content-Type": "application/json", **(headers or {})}
        with closing(self._line()) as line:
            line.request(method, self._url.path + path, json.dumps(body) if body else None, told)
            with line.getresponse() as response:
                yield response

    def _line(self) -> http.client.HTTPConnection:
        kind = (
            http.client.HTTPSConnection
            if self._url.scheme == "https"
            else http.client.HTTPConnection
        )
        assert self._url.hostname is not None
        return kind(self._url.hostname, self._url.port, timeout=PATIENCE)

    def _headers(self, key: str | None) -> dict[str, str]:
        key = self.profile.key if key is None else key
        return {"Authorization": f"Bearer {key}"} if key else {}


def _answer(response: http.client.HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, json.loads(response.read()), headers)
