"""Steps through the pages that every journey takes, by what the controls are."""

from playwright.sync_api import Page

from tests.journeys.hands import Mouse
from tests.journeys.walks import Walk


def join(page: Page) -> None:
    """From the link to the first conversation."""
    walk = Walk(page, Mouse())
    walk.begin()
    while "/conversation/" not in page.url:
        walk.answer()


def choose(page: Page, letter: str, why: str = "It sounds like me") -> None:
    """Wait for the answers, choose one, say why, and send it."""
    form = page.locator("main form").first
    form.locator("input[name=choice]").nth("ABCDEF".index(letter)).check()
    form.locator("textarea[name=explanation]").fill(why)
    form.locator("button:not([type=button])").last.click()


def say(page: Page, text: str) -> None:
    form = page.locator("main form").first
    form.locator("textarea[name=text]").fill(text)
    form.locator("button:not([type=button])").last.click()
