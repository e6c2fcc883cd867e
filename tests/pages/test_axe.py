"""No page in any state keeps anybody out: in English, on a phone. Whole: `make journeys`."""

from collections import defaultdict

import pytest
from playwright.sync_api import Browser

from tests.pages.axe import AXE, violations
from tests.pages.measures import (
    enlarge_text,
    lost_without_sight,
    small_controls,
    wider_than_the_window,
)
from tests.pages.stage import stage
from tests.pages.states import STATES

pytestmark = pytest.mark.django_db


def test_every_page_passes_axe_with_large_controls_at_320_px_and_at_twice_the_text(
    chromium: Browser,
) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    with stage(chromium, width=390, height=844) as shown:
        shown.page.add_init_script(path=AXE)
        for name, state in STATES.items():
            page = shown.show(state, "en")
            found[name] += violations(page)
            found[name] += [*small_controls(page), *lost_without_sight(page)]
            page.set_viewport_size({"width": 320, "height": 640})
            found[name] += [f"at 320 px: {one}" for one in wider_than_the_window(page)]
            page.set_viewport_size({"width": 360, "height": 640})
            enlarge_text(page)
            found[name] += [f"at 200 %: {one}" for one in wider_than_the_window(page)]
            page.set_viewport_size({"width": 390, "height": 844})
        found["the browser"] = shown.complaints

    assert {name: lines for name, lines in found.items() if lines} == {}
