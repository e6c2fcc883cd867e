"""Every page in every state and language: axe in every setting, and its script.

Run by `make journeys`.
"""

from collections import defaultdict
from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page

from tests.pages.axe import violations
from tests.pages.measures import enlarge_text, small_controls, space_text, wider_than_the_window
from tests.pages.scripts import IN_SCRIPT, SCRIPTS, wrong_texts
from tests.pages.stage import stage
from tests.pages.states import STATES

pytestmark = pytest.mark.django_db


def as_it_is(page: Page) -> list[str]:
    return [*violations(page), *small_controls(page)]


def dark(page: Page) -> list[str]:
    page.emulate_media(color_scheme="dark")
    return violations(page)


def forced_colours(page: Page) -> list[str]:
    page.emulate_media(color_scheme="light", forced_colors="active")
    return [*violations(page), *small_controls(page)]


def without_motion(page: Page) -> list[str]:
    page.emulate_media(color_scheme="light", forced_colors="none")
    moving: int = page.evaluate("document.getAnimations().length")
    return [f"{moving} animations"] if moving else []


def narrow(page: Page) -> list[str]:
    page.set_viewport_size({"width": 320, "height": 640})
    return [*violations(page), *wider_than_the_window(page)]


def spaced_text(page: Page) -> list[str]:
    enlarge_text(page, percent=100)
    space_text(page)
    return wider_than_the_window(page)


def large_text(page: Page) -> list[str]:
    page.set_viewport_size({"width": 360, "height": 640})
    enlarge_text(page)
    return [*violations(page), *wider_than_the_window(page)]


SETTINGS: tuple[Callable[[Page], list[str]], ...] = (
    as_it_is,
    dark,
    forced_colours,
    without_motion,
    narrow,
    large_text,
    spaced_text,
)


@pytest.mark.parametrize("language", dict(settings.INTERFACE_LANGUAGES))
def test_every_page_is_open_to_everybody_in_every_setting(chromium: Browser, language: str) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    # With less motion throughout: no colour is measured while it changes into another.
    with stage(chromium, reduced_motion="reduce") as shown:
        for name, state in STATES.items():
            shown.page.set_viewport_size({"width": 1280, "height": 900})
            page = shown.show(state, language)
            for setting in SETTINGS:
                found[name] += [f"{setting.__name__}: {one}" for one in setting(page)]

    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("locale", IN_SCRIPT)
def test_every_page_is_in_the_script_of_its_language(locale: str) -> None:
    assert wrong_texts(STATES.values(), locale, SCRIPTS[locale]) == {}
