"""The web side of the live channel: one subscription per process, fanned out to the open pages.

A bare ASGI application in front of Django: an open page costs one small task, no thread and no
database connection. A page names its set by a signed token (sampling.live) and gets server-sent
events:

    set       {"set", "state", "progress"}: something changed
    refetch   {}: something may have been missed; fetch what you show once
    away      {}: the channel hears nothing at the moment; poll until `refetch` comes
    closed    {}: the set is ready or has failed; nothing more will come

A page fetches its fragment on every (re)connect, which closes the gap before the subscription.
"""

import asyncio
import json
import logging
import random
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast
from urllib.parse import parse_qs
from uuid import UUID

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from sampling.live import set_of_token
from sampling.publishing import CHANNEL

logger = logging.getLogger(__name__)

HEARTBEAT = 15.0  # seconds between comments that keep proxies from closing a quiet stream
RECONNECT = 2000  # milliseconds after which a browser connects again
SILENCE = 10.0  # seconds without a message after which the subscription is tested
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds between tries to subscribe
MAX_PAGES = 5000
BACKLOG = 8  # events that a slow page may be behind; then it fetches the truth instead
REMEMBERED = 4096  # finished sets, for pages that connect again
FINAL = {"ready", "failed"}

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
Event = bytes


def event(name: str, data: object = None) -> Event:
    return f"event: {name}\ndata: {json.dumps(data or {})}\n\n".encode()


REFETCH, AWAY, CLOSED = event("refetch"), event("away"), event("closed")


class Page:
    """One open page: the events that it has not been sent yet. None ends it."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[Event | None] = asyncio.Queue()

    def tell(self, *events: Event | None) -> None:
        if self.events.qsize() >= BACKLOG:
            self.events = asyncio.Queue()
            self.events.put_nowait(REFETCH)
        for one in events:
            self.events.put_nowait(one)


class LiveChannel:
    """The ASGI application of `/live/`. It belongs to the event loop of its process."""

    def __init__(self) -> None:
        self._pages: defaultdict[UUID, set[Page]] = defaultdict(set)
        self._finished: OrderedDict[UUID, Event] = OrderedDict()
        self._reader: asyncio.Task[None] | None = None
        self._subscribed = False

    async def lifespan(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Subscribe when the server starts; let go of every page when it stops."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._listen()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def __call__(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one page until its set is finished, or it goes away."""
        set_id = _asked_for(scope)
        if set_id is None:
            await _refuse(send, 403, b"this address is not valid")
        elif sum(map(len, self._pages.values())) >= MAX_PAGES:
            await _refuse(send, 503, b"too many open pages")
        else:
            # A server that stops cancels its open pages: they connect again by themselves.
            with suppress(asyncio.CancelledError):
                async with self._page(set_id) as page:
                    await _serve(page, receive, send)

    async def close(self) -> None:
        for page in self._all_pages():
            page.tell(None)
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None

    @asynccontextmanager
    async def _page(self, set_id: UUID) -> AsyncIterator[Page]:
        self._listen()
        page = Page()
        self._pages[set_id].add(page)
        if not self._subscribed:
            page.tell(AWAY)
        if set_id in self._finished:
            page.tell(self._finished[set_id], CLOSED, None)
        try:
            yield page
        finally:
            self._pages[set_id].discard(page)
            if not self._pages[set_id]:
                del self._pages[set_id]

    def _all_pages(self) -> list[Page]:
        return [page for pages in self._pages.values() for page in pages]

    def _listen(self) -> None:
        if self._reader is None:
            self._reader = asyncio.create_task(self._keep_reading())

    async def _keep_reading(self) -> None:
        """Subscribe, for as long as the process lives; a broker that is away is tried again."""
        pause = FIRST_PAUSE
        while True:
            try:
                async for message in _messages():
                    pause = FIRST_PAUSE
                    self._take(message)
            except (RedisError, OSError) as fault:
                logger.warning("the live channel lost its broker: %s", type(fault).__name__)
            except Exception:  # every open page depends on this task: it goes on
                logger.exception("the live channel met a fault")
            self._lose()
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 spreads reconnections
            pause = min(pause * 2, LONGEST_PAUSE)

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._subscribed = True
            for page in self._all_pages():
                page.tell(REFETCH)
        elif message["type"] == "message":
            self._fan_out(message["data"])

    def _lose(self) -> None:
        if self._subscribed:
            self._subscribed = False
            for page in self._all_pages():
                page.tell(AWAY)

    def _fan_out(self, data: bytes) -> None:
        """Tell the pages of one set. What is not ours on this channel is dropped."""
        try:
            note = json.loads(data)
            set_id, final = UUID(str(note["set"])), str(note["state"]) in FINAL
        except (ValueError, KeyError, TypeError):
            logger.warning("the live channel heard something that is not a note")
            return
        told = event("set", note)
        if final:
            self._remember(set_id, told)
        for page in self._pages.get(set_id, ()):
            page.tell(told, *((CLOSED, None) if final else ()))

    def _remember(self, set_id: UUID, told: Event) -> None:
        self._finished[set_id] = told
        if len(self._finished) > REMEMBERED:
            self._finished.popitem(last=False)


async def _messages() -> AsyncIterator[dict[str, Any]]:
    """What the subscription brings, from its confirmation on. Raises RedisError when it breaks.

    No retries of the library's own: it would subscribe again without telling us of the gap.
    """
    client = Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=2,
        socket_timeout=None,
        retry=Retry(NoBackoff(), 0),
    )
    async with client, client.pubsub() as subscription:
        await subscription.subscribe(CHANNEL)
        while True:
            yield await _next(subscription)


async def _next(subscription: PubSub) -> dict[str, Any]:
    """The next message; a subscription that is silent is asked whether it is still there."""
    message = await subscription.get_message(timeout=SILENCE)
    if message is None:
        await subscription.ping()
        message = await subscription.get_message(timeout=SILENCE)
    if message is None:
        raise RedisError("no answer")
    return cast("dict[str, Any]", message)


def _asked_for(scope: HTTPScope) -> UUID | None:
    if scope["method"] != "GET":
        return None
    asked = parse_qs(scope["query_string"].decode("latin-1"))
    return set_of_token(asked.get("token", [""])[0])


async def _serve(page: Page, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await send(
        {"type": "http.response.start", "status": 200, "headers": HEADERS, "trailers": False}
    )
    await _send(send, f"retry: {RECONNECT}\n\n".encode())
    leaving = asyncio.create_task(_until_gone(page, receive))
    try:
        while (told := await _next_event(page)) is not None:
            await _send(send, told)
        await _send(send, b"", more=False)
    finally:
        leaving.cancel()


async def _next_event(page: Page) -> Event | None:
    try:
        return await asyncio.wait_for(page.events.get(), HEARTBEAT)
    except TimeoutError:
        return b":\n\n"


async def _until_gone(page: Page, receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    page.tell(None)


async def _send(send: ASGISendCallable, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _refuse(send: ASGISendCallable, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send(
        {"type": "http.response.start", "status": status, "headers": headers, "trailers": False}
    )
    await _send(send, body, more=False)
