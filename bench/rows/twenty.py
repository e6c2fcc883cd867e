"""Twenty comparisons in a row on a slow phone: what piles up in the page, and on the line.

Five conversations of four turns: choose, say why, write on. The stand-in of bench.annotators makes
the answers, so that nothing waits for a model.
"""

from collections.abc import Iterator

from playwright.sync_api import Locator

from bench.annotators import Writer
from bench.phone import MB, USUAL, Phone, phone_of
from bench.report import Row, bounded
from bench.servers import Servers
from bench.worlds import ready_world
from tests.annotation import talking
from tests.browsers import chromium_browser

COMPARISONS, TURNS = 20, 4
SAID = "My sister would say so."
STAGES = "form[data-compare], #message, main form[action$='/finish/']"
SETTLE = 1000  # milliseconds for the last inputs to be told


def measure(servers: Servers) -> Iterator[Row]:
    world = ready_world(prompts=COMPARISONS, turns={"min": TURNS, "max": TURNS})
    person = talking.joined(world)
    with (
        servers.production_web() as (_, address),
        Writer().at_work(),
        chromium_browser() as browser,
        phone_of(browser, address, person, line=USUAL) as phone,
    ):
        heaps = compare(phone)
        phone.page.wait_for_timeout(SETTLE)
    growth = max(heaps) - heaps[0]
    yield bounded(row="twenty comparisons, heap grown by", figure=growth, unit="MB", at_most=10)
    delay = max(phone.noted.delays)
    yield bounded(row="twenty comparisons, input delay", figure=delay, unit="ms", at_most=100)
    sent = phone.noted.bytes / MB
    yield bounded(row="twenty comparisons, transferred", figure=sent, unit="MB", at_most=2)


def compare(phone: Phone) -> list[float]:
    """Work until so many choices were sent; the heap in front of each, in MB."""
    heaps: list[float] = []
    phone.page.goto("/work/")
    while True:
        form = phone.page.locator(STAGES).first
        form.wait_for()
        if form.get_attribute("data-compare") is not None:
            if len(heaps) == COMPARISONS:
                return heaps
            heaps.append(phone.heap_mb())
            choose(phone, form, len(heaps))
        elif form.get_attribute("id") == "message":
            phone.write(form.locator("textarea"), SAID)
        phone.send(form)


def choose(phone: Phone, form: Locator, number: int) -> None:
    choices = form.locator(".card .pick")
    choices.nth(number % choices.count()).tap()
    why = form.locator("textarea[name=explanation]")
    if why.is_visible():
        phone.write(why, SAID)
