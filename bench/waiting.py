"""Pages that wait for their answers: each does what static/js/waiting.js does in a browser.

It follows its set on the live channel, fetches its fragment at every event, and by itself when the
channel is away or has been quiet for long.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import aiohttp
from django.conf import settings

from bench.listening import LoopThread, events

QUIET = 15.0  # seconds after which an open channel that says nothing is not believed
POLLS = (2.0, 3.0, 5.0)  # seconds between looks while the channel is away
RETRY = 2.0  # seconds after which a browser connects again
LOOKS = {"open", "set", "refetch"}  # events after which a page fetches its fragment


@dataclass(frozen=True)
class Waiter:
    """Who waits for which set in which conversation."""

    cookie: str
    conversation_id: UUID
    set_id: UUID


class WaitingPage:
    """One open page. Times are on the monotonic clock."""

    def __init__(self, address: str, waiter: Waiter) -> None:
        self.waiter = waiter
        self.looks = 0
        self.looked = 0.0  # when the last look that was answered began
        self.restored = 0.0  # when the channel last said that it hears again; 0 while it is away
        self.over = False
        self.text = ""  # of the last look
        self._address = address
        self._open = False
        self._heard: asyncio.Queue[str] = asyncio.Queue()

    def current_since(self, moment: float) -> bool:
        """Whether it is over, or has looked after the channel was restored after that moment."""
        return self.over or self.looked >= self.restored > moment

    async def stay(self, session: aiohttp.ClientSession) -> None:
        """Until the answers are there."""
        listening = asyncio.create_task(self._listen())
        try:
            while not self.over:
                await self._until_due()
                with suppress(aiohttp.ClientConnectionError):  # asked again when it is due
                    await self._look(session)
        finally:
            listening.cancel()

    async def _listen(self) -> None:
        while True:
            try:
                async for name, _ in events(self._address, self.waiter.set_id):
                    self._hear(name)
            except OSError:
                pass  # as an EventSource: it connects again
            self._hear("away")
            await asyncio.sleep(RETRY)

    def _hear(self, name: str) -> None:
        if name in ("open", "refetch", "away"):
            self._open = name != "away"
            self.restored = time.monotonic() if self._open else 0.0
        self._heard.put_nowait(name)

    async def _until_due(self) -> None:
        """Until an event asks for a look, or the time is over; every event starts it anew."""
        while True:
            pause = QUIET if self._open else POLLS[min(self.looks, len(POLLS) - 1)]
            try:
                name = await asyncio.wait_for(self._heard.get(), pause)
            except TimeoutError:
                return
            if name in LOOKS:
                # What came meanwhile is answered by the same look, as htmx queues one request.
                self._heard = asyncio.Queue()
                return

    async def _look(self, session: aiohttp.ClientSession) -> None:
        begun = time.monotonic()
        path = f"/conversation/{self.waiter.conversation_id}/?seen={min(self.looks, 3)}"
        headers = {
            "HX-Request": "true",
            "HX-Target": "turn",
            "Cookie": f"{settings.ANNOTATOR_COOKIE}={self.waiter.cookie}",
        }
        async with session.get(self._address + path, headers=headers) as response:
            text = await response.text()
            if response.status != 200 or 'id="turn"' not in text:
                raise RuntimeError(f"{path} was answered with {response.status}")
        self.looked, self.looks = begun, self.looks + 1
        self.text, self.over = text, "data-poll" not in text


class WaitingPages(LoopThread):
    """All open pages of one site."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.opened: list[WaitingPage] = []
        self.faults: list[BaseException] = []
        self._address = address
        self._session: aiohttp.ClientSession | None = None

    @property
    def waiting(self) -> list[WaitingPage]:
        return [page for page in self.opened if not page.over]

    def open(self, waiter: Waiter) -> None:
        """Open a page; returns at once."""
        page = WaitingPage(self._address, waiter)
        self.opened.append(page)
        self.begin(self._stay(page))

    async def _stay(self, page: WaitingPage) -> None:
        if self._session is None:
            # Kept for less than the server keeps them, as browsers know to ask again.
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
            self._session = aiohttp.ClientSession(connector=connector)
        try:
            await page.stay(self._session)
        except (aiohttp.ClientError, RuntimeError) as fault:
            self.faults.append(fault)

    async def _stop(self) -> None:
        await super()._stop()
        if self._session:
            await self._session.close()
