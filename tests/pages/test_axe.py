"""axe finds nothing on any page in any state. The whole matrix: `make journeys`."""

import pytest
from playwright.sync_api import Browser

from tests.pages.axe import violations
from tests.pages.stage import stage
from tests.pages.states import STATES

pytestmark = pytest.mark.django_db


def test_axe_finds_nothing_on_any_page_and_the_browser_keeps_to_the_policy(
    chromium: Browser,
) -> None:
    found = {}
    with stage(chromium, width=390, height=844) as shown:
        for name, state in STATES.items():
            found[name] = violations(shown.show(state, "en"))
        complaints = shown.complaints

    assert {name: lines for name, lines in found.items() if lines} == {}
    assert complaints == []
