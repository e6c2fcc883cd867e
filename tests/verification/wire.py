"""A plain client of a model server: no SDK, so that the contract speaks of the wire alone."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
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
            return Answer(response.status, json.loads(response.read()))

    @contextmanager
    def stream(self, *, headers: dict[str, str] | None = None, **body: Any) -> Iterator[Stream]:
        """Send a chat request and read its stream; the connection is closed at the end."""
        body = self._body({"stream": True, **body})
        with self._sent("POST", "/chat/completions", body, None, headers) as response:
            yield Stream(response)

    def models(self) -> Answer:
        with self._sent("GET", "/models", None, None, None) as response:
            return Answer(response.status, json.loads(response.read()))

    def root(self, path: str) -> tuple[int, str]:
        """Return status and text of an address beside /v1."""
        with closing(self._line()) as line:
            line.request("GET", path, headers=self._headers(None))
            response = line.getresponse()
            return response.status, response.read().decode()

    def running(self) -> int:
        """Return how many requests the server is answering now, by its own count."""
        lines = self.root("/metrics")[1].splitlines()
        found = [line for line in lines if line.startswith(self.profile.running_metric)]
        return int(float(found[0].rsplit(" ", 1)[1]))

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
