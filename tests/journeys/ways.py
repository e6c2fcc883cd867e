"""The ways of walking: which hand, on which screen, with or without scripting."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser

from tests.journeys.conftest import Site
from tests.journeys.hands import Finger, Hand, Keys, Mouse
from tests.journeys.walks import Walk

WIDE = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}


@dataclass(frozen=True)
class Way:
    """A hand, and the browser it works: options are Playwright's for a new context."""

    hand: Hand
    options: dict[str, Any] = field(default_factory=dict)


WAYS = {
    "mouse": Way(Mouse(), WIDE),
    "keys": Way(Keys(), WIDE),
    "touch": Way(Finger(), PHONE),
    "no-script": Way(Mouse(), {**WIDE, "java_script_enabled": False}),
}


def walk_by(way: Way, *, chromium: Browser, site: Site, language: str, none: bool = False) -> str:
    """The completion code at the end of a walk in which every page is loaded twice."""
    context = chromium.new_context(base_url=site.url, **way.options)
    context.set_default_timeout(20_000)
    try:
        walk = Walk(context.new_page(), way.hand, language=language, reload=True, none=none)
        walk.begin()
        return walk.to_the_code()
    finally:
        context.close()
