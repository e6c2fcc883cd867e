"""One client connection: HTTP/1.1 parsed by httptools on a bare asyncio protocol.

A framework would hide what the misbehaviours need (half a body, a reset, silence before the
headers) and costs several times as much per chunk.
"""

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from typing import Protocol, cast
from urllib.parse import parse_qs, urlsplit

import httptools

from sampling.simulated.events import Whole, head, whole_events
from sampling.simulated.playing import Reply

LARGEST_BODY = 10 * 1024 * 1024


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""


class Desk(Protocol):
    """Whatever answers requests; `take` returns False to hang up at accept."""

    def take(self, connection: "Connection") -> bool: ...
    def answer(self, connection: "Connection", request: Request) -> None: ...
    def leave(self, connection: "Connection") -> None: ...


@dataclass
class _Parts:
    url: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: list[bytes] = field(default_factory=list)
    size: int = 0


class Connection(asyncio.Protocol):
    """Reads requests one after the other and hands each to the desk."""

    def __init__(self, desk: Desk) -> None:
        self.is_full = False
        self.reply: Reply | None = None
        self._desk = desk
        self._parser = httptools.HttpRequestParser(self)
        self._parts = _Parts()
        self._is_busy = False
        self._keeps_alive = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if not self._desk.take(self):
            self.reset()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self.reply:
            self.reply.closed()
            self.reply = None
        self._desk.leave(self)

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse_bytes()

    def _refuse_bytes(self) -> None:
        """What is no HTTP (a TLS greeting, say) is told so, as uvicorn does."""
        if not self._is_busy:
            said = Whole(400, b"Invalid HTTP request received.", "text/plain; charset=utf-8")
            self.write(b"".join(event.data for event in whole_events(said)))
        self.transport.close()

    def on_message_begin(self) -> None:
        if self._is_busy:  # pipelining: no client of ours does it
            self.abort()
        self._parts = _Parts()

    def on_url(self, url: bytes) -> None:
        self._parts.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._parts.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._parts.headers.get("expect", "").lower() == "100-continue":
            self.write(head(100, ()))

    def on_body(self, data: bytes) -> None:
        self._parts.size += len(data)
        if self._parts.size <= LARGEST_BODY:
            self._parts.body.append(data)

    def on_message_complete(self) -> None:
        if self.transport.is_closing():
            return
        self._is_busy = True
        self._keeps_alive = self._parser.should_keep_alive()
        if self._parts.size > LARGEST_BODY:
            self._keeps_alive = False
            self.send(Whole(413, b'{"detail":"The body is too large."}'))
            return
        self._desk.answer(self, self._request())

    def _request(self) -> Request:
        parts = self._parts
        url = urlsplit(parts.url.decode("latin-1"))
        return Request(
            method=self._parser.get_method().decode("latin-1"),
            path=url.path,
            query={name: values[-1] for name, values in parse_qs(url.query).items()},
            headers=parts.headers,
            body=b"".join(parts.body),
        )

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def send(self, whole: Whole) -> None:
        """Send an answer at once, outside of any log."""
        self.write(b"".join(event.data for event in whole_events(whole)))
        self.end_reply()

    def end_reply(self) -> None:
        """The body is complete: wait for the next request, or hang up if the client asked to."""
        self.reply = None
        self._is_busy = False
        if not self._keeps_alive:
            self.transport.close()

    def abort(self) -> None:
        self.reply = None
        self.transport.abort()

    def reset(self) -> None:
        """Cut the connection so that the client sees a reset instead of an end."""
        found = self.transport.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()
