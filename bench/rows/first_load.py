"""What a browser loads for the comparison page, and what a submit costs after that.

The web process serves as in production: static files collected, hashed and compressed by the server
itself. A real Chromium with an empty cache counts the bytes as they came over the line, in English
and in Hindi, whose letters come as fonts of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from playwright.sync_api import Browser

from bench.browser import cookie_of
from bench.report import Row, bounded
from bench.rows.comparisons import ours_once, spend, visits_to
from bench.servers import Servers
from studies.models import Enrolment
from tests.annotation import talking
from tests.browsers import chromium_browser
from tests.factories import World
from tests.pages.states import answered, study

KB = 1024
SUBMITS = 150


@dataclass
class Load:
    """One page as it came over the line: bytes by kind of resource, and the hosts."""

    bytes: dict[str, float] = field(default_factory=dict)
    requests: int = 0
    elsewhere: int = 0

    def kilobytes(self, *, fonts: bool) -> float:
        counted = (size for kind, size in self.bytes.items() if fonts or kind != "Font")
        return sum(counted) / KB


def measure(servers: Servers) -> Iterator[Row]:
    with servers.production_web() as (web, address):
        yield from first_loads(address)
        yield from swaps(address, web.child.pid or 0)


# --- The first load -------------------------------------------------------------------------------


def first_loads(address: str) -> Iterator[Row]:
    visits = {language: in_front_of_answers(language) for language in ("en", "hi")}
    with chromium_browser() as browser:
        loads = {
            language: load(browser, address, person, path)
            for language, (person, path) in visits.items()
        }
    english, hindi = loads["en"], loads["hi"]
    without = english.kilobytes(fonts=False)
    yield bounded(row="first load, without fonts", figure=without, unit="KB", at_most=60)
    with_hindi = hindi.kilobytes(fonts=True)
    yield bounded(row="first load, with Devanagari", figure=with_hindi, unit="KB", at_most=200)
    most = max(english.requests, hindi.requests)
    yield bounded(row="first load, requests", figure=most, unit="requests", at_most=12)
    elsewhere = english.elsewhere + hindi.elsewhere
    yield bounded(row="first load, from elsewhere", figure=elsewhere, unit="requests", at_most=0)


def in_front_of_answers(language: str) -> tuple[Enrolment, str]:
    """An annotator, and the page of a first turn with four answers of some length."""
    world: World = study(language)
    person = talking.joined(world, ui_language=language)
    talk = talking.opened(person)
    answered(world, person, talk)
    return person, f"/conversation/{talk.pk}/"


def load(browser: Browser, address: str, person: Enrolment, path: str) -> Load:
    """The page with an empty cache, until the line is quiet."""
    context = browser.new_context(base_url=address)
    cookie = {"name": settings.ANNOTATOR_COOKIE, "value": cookie_of(person), "url": address}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    line = context.new_cdp_session(page)
    seen, kinds = Load(), dict[str, str]()

    def begin(event: dict[str, Any]) -> None:
        host = urlsplit(event["request"]["url"]).netloc
        if event["request"]["url"].startswith("data:"):
            return
        kinds[event["requestId"]] = event.get("type", "")
        seen.requests += 1
        seen.elsewhere += host != urlsplit(address).netloc

    def end(event: dict[str, Any]) -> None:
        kind = kinds.get(event["requestId"], "")
        seen.bytes[kind] = seen.bytes.get(kind, 0) + event["encodedDataLength"]

    line.on("Network.requestWillBeSent", begin)
    line.on("Network.loadingFinished", end)
    line.send("Network.enable")
    page.goto(path, wait_until="networkidle")
    context.close()
    return seen


# --- A swap after a submit ------------------------------------------------------------------------


def swaps(address: str, web: int) -> Iterator[Row]:
    """Bytes of what is swapped in after a choice, and the web's CPU for both requests."""
    with visits_to(address, 1 + SUBMITS) as (warm_up, *visits):
        ours_once(warm_up)
        size = len(warm_up.browser.get(warm_up.path).text.encode()) / KB
        cpu, _ = spend([web], [partial(ours_once, visit) for visit in visits])
    yield bounded(row="swap after submit", figure=size, unit="KB", at_most=15)
    yield bounded(row="swap after submit, web", figure=cpu, unit="ms", at_most=12)
