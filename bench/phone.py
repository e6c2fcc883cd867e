"""A slow phone: Chromium on a small screen with touch, a slow processor and a slow line.

What it notes comes from the browser's own clocks: paints, and for every input how long it waited
and how long it took until the next frame showed what it did.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.conf import settings
from playwright.sync_api import Browser, Page

from bench.browser import cookie_of
from studies.models import Enrolment

SLOWER = 4  # times
SCREEN = {"width": 360, "height": 640}
MB = 1024 * 1024


class Line(NamedTuple):
    """A connection: milliseconds to the server and back, and bits a second."""

    latency: int
    speed: float


USUAL = Line(150, 1.6e6)
BAD = Line(400, 400e3)

# An answer's first words are marked as soon as they are parsed, so that their paint is told.
NOTE = """
(() => {
  const mark = () => document
    .querySelectorAll(".card .text > :first-child:not([elementtiming])")
    .forEach((words) => words.setAttribute("elementtiming", "answer"));
  new MutationObserver(mark).observe(document, { childList: true, subtree: true });
  const tell = (list) => list.getEntries().forEach((entry) => note({
    kind: entry.entryType,
    at: entry.renderTime || entry.startTime,
    delay: entry.interactionId ? entry.processingStart - entry.startTime : 0,
    took: entry.interactionId ? entry.duration : 0,
  }));
  const kinds = ["largest-contentful-paint", "element", "event", "first-input"];
  for (const type of kinds) {
    new PerformanceObserver(tell).observe({ type, buffered: true, durationThreshold: 16 });
  }
})();
"""


@dataclass
class Noted:
    """What the browser told, in milliseconds; paints are counted from the navigation."""

    paints: list[float] = field(default_factory=list)  # the last one is the largest
    answers: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)  # from an input to what it shows
    bytes: float = 0.0

    def note(self, _source: object, entry: dict[str, Any]) -> None:
        if entry["kind"] == "largest-contentful-paint":
            self.paints.append(entry["at"])
        elif entry["kind"] == "element":
            self.answers.append(entry["at"])
        elif entry["took"]:
            self.delays.append(entry["delay"])
            self.shown.append(entry["took"])


class Phone:
    """One page of somebody's phone, with an empty cache."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.noted = Noted()
        self._cdp = page.context.new_cdp_session(page)
        page.expose_binding("note", self.noted.note)
        page.add_init_script(NOTE)
        self._cdp.on("Network.loadingFinished", self._count)
        self._cdp.send("Network.enable")
        self._cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})

    def _count(self, event: dict[str, Any]) -> None:
        self.noted.bytes += event["encodedDataLength"]

    def connect(self, line: Line) -> None:
        speed = line.speed / 8
        self._cdp.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": line.latency,
                "downloadThroughput": speed,
                "uploadThroughput": speed,
            },
        )

    def heap_mb(self) -> float:
        """What the page's scripts hold once the garbage is collected."""
        self._cdp.send("HeapProfiler.collectGarbage")
        return float(self._cdp.send("Runtime.getHeapUsage")["usedSize"]) / MB


@contextmanager
def phone_of(browser: Browser, address: str, person: Enrolment, *, line: Line) -> Iterator[Phone]:
    """An annotator's phone on this line."""
    context = browser.new_context(
        base_url=address, viewport=SCREEN, device_scale_factor=2, is_mobile=True, has_touch=True
    )
    cookie = {"name": settings.ANNOTATOR_COOKIE, "value": cookie_of(person), "url": address}
    context.add_cookies([cookie])  # type: ignore[list-item]
    phone = Phone(context.new_page())
    phone.connect(line)
    yield phone
    context.close()
