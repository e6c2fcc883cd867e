"""What scripts make of a page afterwards keeps nobody out either: notices, the sheet, the flip."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.pages.axe import AXE, violations
from tests.pages.measures import enlarge_text, small_controls, wider_than_the_window
from tests.pages.stage import stage
from tests.pages.states import STATES

pytestmark = pytest.mark.django_db

NEWER = {"outcome": "newer", "fields": {"text": "And what does she say?"}, "revision": 9}


def type_into(page: Page, answer: dict[str, object]) -> None:
    """Write a message, and let the server say this of its draft."""

    def refuse(route: Route) -> None:
        route.fulfill(status=409, json=answer)

    page.route("**/draft/", refuse)
    page.locator("#text").fill("And what would you say?")
    page.locator("[data-notice]").wait_for()
    page.unroute("**/draft/", refuse)


def newer_draft(page: Page) -> None:
    type_into(page, NEWER)
    assert page.locator("[data-notice=other-draft] button").inner_text()


def late_draft(page: Page) -> None:
    type_into(page, {"outcome": "late"})


def lost_message(page: Page) -> None:
    def lose(route: Route) -> None:
        route.abort()

    page.locator("#text").fill("And what would you say?")
    page.route("**/message/", lose)
    page.locator("#message button").last.click()
    page.locator("#trouble:not(:empty)").wait_for()
    page.unroute("**/message/", lose)


def urgent_lease(page: Page) -> None:
    page.evaluate(
        "document.getElementById('lease').dataset.warnIn = '0';"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.locator("#lease.urgent [data-warning]:not(:empty)").wait_for()


def folded_sheet(page: Page) -> None:
    """A choice is made, and another answer is read again."""
    page.locator(".card .pick").first.click()
    page.locator(".map [data-go=C]").click()
    page.locator(".compare.reading").wait_for()


def open_sheet(page: Page) -> None:
    page.locator(".card .pick").first.click()
    page.locator("#explanation").wait_for()


def flip(page: Page) -> None:
    for at in (1, 3):
        page.locator(".card .rule-out").nth(at).click()
    page.locator(".map .flip").click()


AFTERWARDS: list[tuple[str, Callable[[Page], None]]] = [
    ("message", newer_draft),
    ("message", late_draft),
    ("message", lost_message),
    ("compare", urgent_lease),
    ("compare", open_sheet),
    ("compare", folded_sheet),
    ("compare", flip),
]


def test_what_scripts_add_passes_axe_and_fits_at_320_px_and_at_twice_the_text(
    chromium: Browser,
) -> None:
    found: dict[str, list[str]] = {}
    with stage(chromium, width=390, height=844, has_touch=True) as shown:
        shown.page.add_init_script(path=AXE)
        for state, act in AFTERWARDS:
            page = shown.show(STATES[state], "en")
            act(page)
            wrong = [*violations(page), *small_controls(page)]
            page.set_viewport_size({"width": 320, "height": 640})
            wrong += [f"at 320 px: {one}" for one in wider_than_the_window(page)]
            enlarge_text(page)
            page.set_viewport_size({"width": 360, "height": 640})
            wrong += [f"at 200 %: {one}" for one in wider_than_the_window(page)]
            page.set_viewport_size({"width": 390, "height": 844})
            found[act.__name__] = wrong
        found["the browser"] = shown.complaints

    assert {name: lines for name, lines in found.items() if lines} == {}
