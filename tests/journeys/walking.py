"""Steps through the pages that every journey takes, by what people see and press."""

from playwright.sync_api import Page


def join(page: Page) -> None:
    """From the link to the first conversation."""
    page.goto("/join/open-token/")
    page.get_by_label("Yes, I am 18 or older").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("18 to 34").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Start").click()


def choose(page: Page, letter: str, why: str = "It sounds like me") -> None:
    """Wait for the answers, choose one, say why, and send it."""
    page.get_by_label(f"Choose {letter}", exact=True).check()
    page.get_by_label("What made you choose this answer?").fill(why)
    page.get_by_role("button", name="Continue").click()


def say(page: Page, text: str) -> None:
    page.get_by_label("What would you say next?").fill(text)
    page.get_by_role("button", name="Send").click()
