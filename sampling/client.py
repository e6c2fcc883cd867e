"""The one door to model endpoints, and the only importer of the OpenAI SDK.

Only the worker and the command line import this module: pages never pay for the SDK.
`ModelClient.send` makes one call and returns a whole Reply or raises one of sampling.errors;
nothing of the SDK or its transports leaks.

What it insists on, each because some server broke it: no retries of its own (the rows count
attempts), no redirects, no proxies from the environment, four deadlines, an event stream and not a
page, a finish reason and [DONE], a cap on size, text that can be stored, and a closed stream
whatever happens, because only that stops the server's work.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import aiohttp
import httpx2
import openai
from django.utils import timezone

from sampling.calls import Deadlines, Endpoint, Reply, Watcher
from sampling.errors import (
    BrokenStream,
    ContextTooLong,
    EndpointBusy,
    EndpointError,
    EndpointMisconfigured,
    EndpointTimeout,
    EndpointUnavailable,
    RequestRefused,
)
from sampling.event_stream import MAX_RAW_CHARS, EventStream
from sampling.messages import storable
from sampling.replicas import Replicas, place_of

# Below the 5 s after which common servers drop an idle connection: a reused one must not be half
# dead.
IDLE_SECONDS = 2.0
MAX_CONNECTIONS = 1000
# How long the connection may take to end after [DONE]; a slower one is dropped, the answer is
# whole.
AFTER_DONE_SECONDS = 1.0
MAX_RETRY_AFTER = 600.0
NO_URL = "the endpoint's address is no usable URL"
# Why no connection was made: nothing of the request can have been read.
NOBODY_THERE = (ConnectionRefusedError, socket.gaierror, TimeoutError)
# How a connection shows that it ended while nobody used it: before the request, or in its place.
GONE = (aiohttp.ClientConnectionResetError, aiohttp.ServerDisconnectedError)


class ModelClient:
    """Connections to all endpoints of one process. It belongs to the event loop that it first sends
    on.
    """

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str], openai.AsyncOpenAI] = {}
        # When a connection to an address was last given back, by the clock of the event loop.
        self._kept_at: dict[str, float] = {}
        self._replicas = Replicas()

    async def send(
        self,
        *,
        endpoint: Endpoint,
        body: Mapping[str, object],
        request_id: str,
        deadlines: Deadlines,
        conversation: str = "",
        watcher: Watcher | None = None,
    ) -> Reply:
        """One call, read to its end or stopped by `watcher`.

        `conversation` decides among several servers (see sampling.replicas).
        A server of several that cannot be reached, or fails before its answer begins, is left out
        from then on, and the call goes to another one; one that falls silent is left out as well,
        and the call has failed. Raises EndpointError; the stream is closed by then, as it is when
        the call is cancelled.
        """
        if endpoint.fault:
            raise EndpointMisconfigured(endpoint.fault)
        tried: set[str] = set()
        while True:
            with self._replicas.taking(
                endpoint, conversation=conversation, avoiding=tried
            ) as address:
                tried.add(address)
                try:
                    return await self._send_to(
                        replace(endpoint, base_url=address),
                        body,
                        request_id=request_id,
                        deadlines=deadlines,
                        watcher=watcher,
                    )
                except EndpointError as error:
                    error.replica = _served_by(endpoint, address)
                    if not (endpoint.replicas and _is_out_of_order(error)):
                        raise
                    self._replicas.take_out(address)
                    if _fell_silent(error) or len(tried) == len(endpoint.replicas):
                        raise

    async def _send_to(
        self,
        endpoint: Endpoint,
        body: Mapping[str, object],
        *,
        request_id: str,
        deadlines: Deadlines,
        watcher: Watcher | None,
    ) -> Reply:
        reading = _Reading(EventStream(watcher=watcher), deadlines)
        started_at = timezone.now()
        opened = self._open(endpoint, body, request_id=request_id, deadlines=deadlines)
        try:
            async with reading.clock, opened as chunks:
                await reading.read(chunks)
        except TimeoutError as error:
            if not reading.stream.done:
                raise reading.timed_out() from error
        except httpx2.RequestError as error:  # of the transport, or of a compression unasked for
            raise _broken(error, reading.stream) from error
        stream = reading.stream
        stream.finish()
        return Reply(
            text=stream.text,
            finish_reason=stream.finish_reason,
            usage=stream.usage,
            body=body,
            request_id=request_id,
            started_at=started_at,
            first_byte_at=reading.first_text_at,
            ended_at=timezone.now(),
            stopped_early=stream.stopped_early,
            replica=_served_by(endpoint, endpoint.base_url),
            logprob=stream.logprob,
        )

    async def fetch(
        self,
        *,
        endpoint: Endpoint,
        path: str,
        body: Mapping[str, object] | None = None,
        request_id: str,
        deadlines: Deadlines,
    ) -> Mapping[str, Any]:
        """One JSON object, asked for with GET, or with POST where there is a body.

        For what is no conversation: lists, probes, scores. The total deadline is the only one after
        connecting. Raises EndpointError.
        """
        if endpoint.fault:
            raise EndpointMisconfigured(endpoint.fault)
        client = self._client(endpoint)
        options: Any = {
            "headers": {"X-Request-Id": request_id},
            "timeout": httpx2.Timeout(None, connect=deadlines.connect, pool=deadlines.connect),
        }
        try:
            async with asyncio.timeout(deadlines.total):
                if body is None:
                    got = await client.get(path, cast_to=httpx2.Response, options=options)
                else:
                    got = await client.post(
                        path, cast_to=httpx2.Response, body=dict(body), options=options
                    )
        except TimeoutError as error:
            said = f"the answer was not whole after {deadlines.total:g} s"
            raise EndpointTimeout(said, deadline="total") from error
        except openai.APIStatusError as error:
            raise _by_status(error) from error
        except openai.APIConnectionError as error:
            raise _by_cause(error, deadlines) from error
        return _json_object(got)

    async def close(self) -> None:
        """Closes every connection; the next send opens new ones."""
        await self._replicas.close()
        clients, self._clients = self._clients, {}
        self._kept_at.clear()
        for client in clients.values():
            await client.close()

    @asynccontextmanager
    async def _open(
        self,
        endpoint: Endpoint,
        body: Mapping[str, object],
        *,
        request_id: str,
        deadlines: Deadlines,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The chunks of an accepted answer that is an event stream."""
        create: Any = self._client(endpoint).chat.completions.with_streaming_response.create
        opening = partial(
            create,
            **_arguments(body),
            extra_headers={"X-Request-Id": request_id, "Accept-Encoding": "identity"},
            timeout=httpx2.Timeout(None, connect=deadlines.connect, pool=deadlines.connect),
        )
        try:
            async with AsyncExitStack() as stack:
                response = await self._accepted(endpoint, opening, stack)
                http = response.http_response
                await _require_event_stream(http)
                async with aclosing(_chunks(http)) as chunks:
                    yield chunks
        except openai.APIStatusError as error:
            raise _by_status(error) from error
        except openai.APIConnectionError as error:
            raise _by_cause(error, deadlines) from error
        except aiohttp.ClientError as error:  # the transport lets this one through as it is
            raise EndpointUnavailable(f"the answer was no HTTP ({_reason(error)})") from error
        finally:
            self._kept_at[endpoint.base_url] = asyncio.get_running_loop().time()

    async def _accepted(
        self, endpoint: Endpoint, opening: Callable[[], Any], stack: AsyncExitStack
    ) -> Any:
        """The response, entered; asked for once more when a kept connection was gone already.

        Some servers (llama.cpp is one) promise to keep a connection and end it with the stream.
        """
        kept_at = self._kept_at.get(endpoint.base_url)
        now = asyncio.get_running_loop().time()
        may_be_kept = kept_at is not None and now - kept_at <= IDLE_SECONDS
        try:
            return await stack.enter_async_context(opening())
        except openai.APIConnectionError as error:
            if not (may_be_kept and any(isinstance(one, GONE) for one in _causes(error))):
                raise
        return await stack.enter_async_context(opening())

    def _client(self, endpoint: Endpoint) -> openai.AsyncOpenAI:
        found = self._clients.get((endpoint.base_url, endpoint.key))
        if found is None:
            try:
                found = _new_client(endpoint)
            except httpx2.InvalidURL as error:
                raise EndpointMisconfigured(NO_URL) from error
            self._clients[endpoint.base_url, endpoint.key] = found
        return found


def _served_by(endpoint: Endpoint, address: str) -> str:
    return place_of(address) if endpoint.replicas else ""


def _is_out_of_order(error: EndpointError) -> bool:
    """Whether a server of several is left out: it is away, fails, or has fallen silent. One that is
    slow to the end of an answer is not.
    """
    if isinstance(error, EndpointTimeout):
        return error.deadline != "total"
    return isinstance(error, EndpointUnavailable)


def _fell_silent(error: EndpointError) -> bool:
    """Whether the server may have begun: the time is spent, and another server is not asked."""
    return isinstance(error, EndpointTimeout) and error.deadline != "connect"


def _new_client(endpoint: Endpoint) -> openai.AsyncOpenAI:
    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, keepalive_expiry=IDLE_SECONDS)
    client = openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.key or "none",
        max_retries=0,
        http_client=openai.DefaultAioHttpClient(
            limits=limits, follow_redirects=False, trust_env=False
        ),
    )
    # The SDK fills these from the environment of whoever started us.
    client.organization = client.project = None
    return client


# Parameters that the SDK's method names itself; every other field of a body goes beside them,
# unchanged.
_NAMED = frozenset(
    "model messages stream stream_options seed temperature top_p max_tokens stop n response_format "
    "logprobs top_logprobs presence_penalty frequency_penalty".split()
)


def _arguments(body: Mapping[str, object]) -> dict[str, object]:
    named = {name: value for name, value in body.items() if name in _NAMED}
    other = {name: value for name, value in body.items() if name not in _NAMED}
    return {**named, "extra_body": other} if other else named


async def _require_event_stream(http: httpx2.Response) -> None:
    """Refuses an answer of another kind: a proxy's page arrives with status 200 as well."""
    kind = http.headers.get("content-type", "no content type")
    if kind.startswith("text/event-stream"):
        return
    raw = b""
    async with aclosing(_chunks(http)) as chunks:
        async for chunk in chunks:
            raw += chunk
            if len(raw) > MAX_RAW_CHARS:
                break
    text = storable(raw.decode("utf-8", "replace"))[:MAX_RAW_CHARS]
    raise BrokenStream(f"the endpoint answered with {kind} and no event stream", raw=text)


def _json_object(http: httpx2.Response) -> Mapping[str, Any]:
    try:
        found = http.json()
    except ValueError as error:
        raw = storable(http.text[:MAX_RAW_CHARS])
        raise BrokenStream("the endpoint answered with something else", raw=raw) from error
    if not isinstance(found, dict):
        raise BrokenStream("the endpoint answered with something else")
    return found


def _chunks(http: httpx2.Response) -> Any:
    """The body's bytes; the decoding reader only for a server that compresses unasked."""
    return http.aiter_bytes() if "content-encoding" in http.headers else http.aiter_raw()


class _Reading:
    """An answer against its deadlines; one clock serves all, and is set again at each text."""

    def __init__(self, stream: EventStream, deadlines: Deadlines) -> None:
        self.stream = stream
        self.first_text_at: datetime | None = None
        self._deadlines = deadlines
        self._now = asyncio.get_running_loop().time
        self._started = self._now()
        self._end = self._started + deadlines.total
        self._is_over = False
        self.clock = asyncio.timeout_at(min(self._started + deadlines.first_byte, self._end))

    async def read(self, chunks: AsyncIterator[bytes]) -> None:
        """Reads until the answer ends, or its watcher has seen enough."""
        stream, gap = self.stream, self._deadlines.between_chunks
        async for chunk in chunks:
            if stream.feed(chunk) and not self._is_over:
                self.first_text_at = self.first_text_at or timezone.now()
                self.clock.reschedule(min(self._now() + gap, self._end))
            if stream.stopped_early:
                return
            if stream.done and not self._is_over:
                self._is_over = True
                self.clock.reschedule(self._now() + AFTER_DONE_SECONDS)

    def timed_out(self) -> EndpointTimeout:
        """The error of the deadline that passed."""
        limits = self._deadlines
        if self._now() >= self._end:
            name, said = "total", f"the answer was not whole after {limits.total:g} s"
        elif self.first_text_at is None:
            name, said = "first_byte", f"no text came within {limits.first_byte:g} s"
        else:
            said = f"the stream stood still for {limits.between_chunks:g} s"
            name = "between_chunks"
        return EndpointTimeout(said, deadline=name, raw=self.stream.raw)


def _broken(error: httpx2.RequestError, stream: EventStream) -> EndpointError:
    reason = _reason(error)
    return BrokenStream(f"the connection broke inside the answer ({reason})", raw=stream.raw)


def _by_cause(error: openai.APIConnectionError, deadlines: Deadlines) -> EndpointError:
    """What kept the connection from being made, and whether anybody was there at all."""
    found = _named_cause(error, deadlines)
    found.absent = any(isinstance(cause, NOBODY_THERE) for cause in _causes(error))
    return found


def _named_cause(error: openai.APIConnectionError, deadlines: Deadlines) -> EndpointError:
    """The transport's own names mislead: a reset is a "connect timeout" there."""
    causes = list(_causes(error))
    if any(isinstance(cause, TimeoutError) for cause in causes):
        said = f"no connection within {deadlines.connect:g} s"
        return EndpointTimeout(said, deadline="connect")
    if any(isinstance(cause, (ssl.SSLError, aiohttp.ClientSSLError)) for cause in causes):
        return EndpointMisconfigured(f"no secure connection ({_reason(error)})")
    if any(isinstance(cause, (httpx2.UnsupportedProtocol, ValueError)) for cause in causes):
        return EndpointMisconfigured(NO_URL)
    return EndpointUnavailable(f"the endpoint could not be reached ({_reason(error)})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__


def _reason(error: BaseException) -> str:
    """The innermost cause in few words, without addresses."""
    innermost = list(_causes(error))[-1]
    if isinstance(innermost, socket.gaierror):
        return "no such name"
    if isinstance(innermost, OSError) and innermost.errno and innermost.errno > 0:
        return os.strerror(innermost.errno)
    return type(innermost).__name__


def _by_status(error: openai.APIStatusError) -> EndpointError:
    """What a status other than 200 means, and whether it may pass."""
    status, raw = error.status_code, storable(error.response.text[:MAX_RAW_CHARS])
    pause = _retry_after(error.response.headers)
    kind, said = _meaning(status, raw, has_pause=pause is not None)
    return kind(f"{said} (status {status})", status=status, raw=raw, retry_after=pause)


def _meaning(status: int, raw: str, *, has_pause: bool) -> tuple[type[EndpointError], str]:
    if status in {401, 403}:
        return EndpointMisconfigured, "the endpoint refused the key"
    if status == 404:
        return EndpointMisconfigured, "the endpoint knows no such model or address"
    if status < 400 or status == 405:
        return EndpointMisconfigured, "the endpoint's address answers with something else"
    if status == 429 or (status == 503 and has_pause):
        return EndpointBusy, "the endpoint asked for a pause"
    if status >= 500 or status in {408, 409, 425}:
        return EndpointUnavailable, "the endpoint failed"
    if _says_too_long(raw):
        return ContextTooLong, "the conversation is too long for the model"
    return RequestRefused, "the endpoint refused the request"


def _says_too_long(raw: str) -> bool:
    said = raw.lower()
    return (
        "exceed_context_size" in said
        or "input_tokens" in said
        or (
            "context" in said
            and any(word in said for word in ("length", "size", "too long", "window"))
        )
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The pause in seconds that the endpoint asked for, as a number or as a date; None without a
    usable one.
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value)
    return min(seconds, MAX_RETRY_AFTER) if seconds > 0 else None


def _until(date: str) -> float:
    try:
        return (parsedate_to_datetime(date) - timezone.now()).total_seconds()
    except (TypeError, ValueError):
        return 0.0
