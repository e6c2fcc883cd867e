"""The comparison page on a slow phone: when it is there, and how soon a choice shows.

Chromium with a processor four times as slow as this machine's, in English and in Hindi; the slower
of both counts. A choice must show without the network, so it is made on the worst line.
"""

from collections.abc import Iterator

from playwright.sync_api import Browser

from bench.phone import BAD, USUAL, Line, Noted, phone_of
from bench.report import Row, bounded
from bench.rows.first_load import in_front_of_answers
from bench.servers import Servers
from studies.models import Enrolment
from tests.browsers import chromium_browser

CHOICES = 12
SETTLE = 1000  # milliseconds for a paint or an input to be told

Visit = tuple[Enrolment, str]


def measure(servers: Servers) -> Iterator[Row]:
    visits = [in_front_of_answers(language) for language in ("en", "hi")]
    with servers.production_web() as (_, address), chromium_browser() as browser:
        largest = max(
            load(browser, address, visit, line=USUAL).paints[-1] / 1000 for visit in visits
        )
        yield bounded(row="slow phone, largest paint", figure=largest, unit="s", at_most=2.5)
        readable = max(
            load(browser, address, visit, line=BAD).answers[0] / 1000 for visit in visits
        )
        yield bounded(row="bad line, answers readable", figure=readable, unit="s", at_most=4)
        shown = max(slowest_choice(browser, address, visit) for visit in visits)
        yield bounded(row="bad line, choice until it shows", figure=shown, unit="ms", at_most=100)


def load(browser: Browser, address: str, visit: Visit, *, line: Line) -> Noted:
    """The page with an empty cache, until the line is quiet."""
    person, path = visit
    with phone_of(browser, address, person, line=line) as phone:
        phone.page.goto(path, wait_until="networkidle")
        phone.page.wait_for_timeout(SETTLE)
    return phone.noted


def slowest_choice(browser: Browser, address: str, visit: Visit) -> float:
    """Milliseconds from a tap on an answer's choice to the frame that says what was chosen."""
    person, path = visit
    with phone_of(browser, address, person, line=BAD) as phone:
        phone.page.goto(path, wait_until="networkidle")
        choices = phone.page.locator(".card .pick")
        said = phone.page.locator(".said-choice > [data-for]:visible")
        phone.noted.shown.clear()
        for number in range(CHOICES):
            place = number % choices.count()
            choices.nth(place).tap()
            if said.get_attribute("data-for", timeout=SETTLE) != str(place + 1):
                raise RuntimeError("the page does not say what was chosen")
        phone.page.wait_for_timeout(SETTLE)
    return max(phone.noted.shown)
