"""Annotators at a stress pace, on one loop: each reads, chooses, writes, and waits as a page does.

They do what browsers do with the scripts on: one request at a time on kept lines, a draft every few
seconds of typing, the live channel while answers are being made. Every request is timed.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import aiohttp
from django.conf import settings

from bench.browser import SEE_OTHER, Answer, cookie_of
from bench.listening import LoopThread
from bench.waiting import Waiter, WaitingPage
from studies.models import Enrolment
from tests.annotation.visiting import Form, Page

READING, WRITING = 17.0, 8.0  # seconds; with the wait for answers a turn takes about 30
DRAFT_EVERY = 3.0  # seconds
UNEVEN = (0.6, 1.4)  # times a pause
SAID = "And what would you say if they never thank me for it? I have often thought about that."


@dataclass
class Seen:
    """What all of them met. Moments are seconds since 1970."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waits: dict[UUID, tuple[float, float]] = field(default_factory=dict)  # from asking to reading
    first_waits: int = 0  # first turns whose answers were not there
    comparisons: int = 0
    errors: list[str] = field(default_factory=list)

    def so_far(self) -> "Seen":
        """A copy, because they go on."""
        times = {kind: took.copy() for kind, took in self.times.copy().items()}
        return replace(self, times=times, waits=self.waits.copy(), errors=self.errors.copy())

    def forget(self) -> None:
        """Begin to count; what was met before belongs to the start."""
        self.times.clear()
        self.waits.clear()
        self.first_waits = self.comparisons = 0


class Stress(LoopThread):
    """Opens the site for so many people, who come one after the other within `arriving` seconds."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.seen = Seen()
        self._address = address
        self._connector: aiohttp.TCPConnector | None = None

    def come(self, people: Sequence[Enrolment], *, arriving: float) -> None:
        for number, person in enumerate(people):
            self.begin(self._work(person, number * arriving / len(people)))

    async def _work(self, person: Enrolment, after: float) -> None:
        if self._connector is None:
            # Kept for less than the server keeps them, as browsers know to ask again.
            self._connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
        session = aiohttp.ClientSession(
            connector=self._connector,
            connector_owner=False,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            cookies={settings.ANNOTATOR_COOKIE: cookie_of(person)},
            trace_configs=[timing(self.seen)],
        )
        async with session:
            await asyncio.sleep(after)
            await Annotator(self._address, person, session, self.seen).work()

    async def _stop(self) -> None:
        await super()._stop()
        if self._connector:
            await self._connector.close()


class Annotator:
    """One person, who goes on until the loop ends."""

    def __init__(
        self, address: str, person: Enrolment, session: aiohttp.ClientSession, seen: Seen
    ) -> None:
        self._address, self._session, self._seen = address, session, seen
        self._cookie = cookie_of(person)
        self._dice = random.Random(person.pk.int)

    async def work(self) -> None:
        answer = await self._get("/work/")
        while True:
            try:
                answer = await self._act(Page(answer.text), answer)
            except (OSError, RuntimeError, aiohttp.ClientError) as fault:
                self._seen.errors.append(repr(fault))
                await asyncio.sleep(READING)
                answer = await self._get("/work/")

    async def _act(self, shown: Page, answer: Answer) -> Answer:
        """Do what the page asks for: wait, choose, or say something; returns the next page."""
        if any(shown.having("data-poll")):
            self._seen.first_waits += 1
            return await self._wait(shown, answer, asked=time.time())
        forms = {form.action.rstrip("/").rpartition("/")[2]: form for form in shown.forms}
        if "message" in forms:
            return await self._say(forms["message"], shown)
        if "comparison" not in forms:
            raise RuntimeError(f"nothing to do on {answer.path}: {shown.words[:200]}")
        await self._pause(READING)
        form = forms["comparison"]
        options = form.options["choice"]
        choice = self._dice.choice([one for one in options if one not in ("none", "tie")])
        self._seen.comparisons += 1
        return await self._post(form.action, {**form.fields, "choice": choice})

    async def _say(self, form: Form, shown: Page) -> Answer:
        keeps = next(one for one in shown.having("data-draft") if one.get("id") == "message")
        writer, until = uuid4().hex, time.monotonic() + self._length(WRITING)
        revision = 0
        while (left := until - time.monotonic()) > DRAFT_EVERY:
            await asyncio.sleep(DRAFT_EVERY)
            revision += 1
            draft = {
                "csrfmiddlewaretoken": form.fields["csrfmiddlewaretoken"],
                "text": SAID[: 20 * revision],
                "form": keeps["data-form"],
                "writer": writer,
                "seen": str(revision - 1),
                "draft_revision": str(revision),
            }
            await self._ask("POST", keeps["data-draft"], draft)
        await asyncio.sleep(max(0.0, left))
        asked = time.time()
        answer = await self._post(form.action, {**form.fields, "text": SAID})
        waiting = Page(answer.text)
        if not any(waiting.having("data-poll")):
            return answer
        return await self._wait(waiting, answer, asked=asked)

    async def _wait(self, shown: Page, answer: Answer, *, asked: float) -> Answer:
        """As the page does, until the answers are there."""
        set_id = UUID(next(shown.having("data-set"))["data-set"])
        talk = UUID(answer.path.strip("/").split("/")[1])
        page = WaitingPage(self._address, Waiter(self._cookie, talk, set_id))
        await page.stay(self._session)
        self._seen.waits[set_id] = (asked, time.time())
        return Answer(answer.path, 200, "", page.text)

    async def _get(self, path: str) -> Answer:
        answer = await self._ask("GET", path)
        while answer.status in SEE_OTHER:
            answer = await self._ask("GET", answer.location)
        return answer

    async def _post(self, path: str, fields: dict[str, str]) -> Answer:
        return await self._get((await self._ask("POST", path, fields)).location)

    async def _ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> Answer:
        """One request. Raises RuntimeError for anything but a page or a way to one."""
        whole = self._address + path
        sent = self._session.request(method, whole, data=fields, allow_redirects=False)
        async with sent as response:
            text = await response.text()
        if response.status not in (200, 204, *SEE_OTHER):
            raise RuntimeError(f"{method} {path} was answered with {response.status}")
        return Answer(path, response.status, response.headers.get("Location", ""), text)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(self._length(seconds))

    def _length(self, seconds: float) -> float:
        return seconds * self._dice.uniform(*UNEVEN)


def timing(seen: Seen) -> aiohttp.TraceConfig:
    """Notes how long each request took until its answer began, in seconds, by what it asked for."""

    async def begin(_session: object, context: SimpleNamespace, _about: object) -> None:
        context.begun = time.perf_counter()

    async def end(
        _session: object, context: SimpleNamespace, about: aiohttp.TraceRequestEndParams
    ) -> None:
        took = time.perf_counter() - context.begun
        seen.times[kind_of(about.method, str(about.url))].append(took)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(begin)
    trace.on_request_end.append(end)
    return trace


def kind_of(method: str, url: str) -> str:
    """What was asked for, without whose it is: `POST comparison`, `GET look`, `GET page`."""
    parts = urlsplit(url)
    if method == "GET" and parts.query:
        return "GET look"
    last = parts.path.rstrip("/").rpartition("/")[2]
    return f"{method} {'page' if '-' in last else last}"
