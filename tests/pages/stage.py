"""Pages in a real browser with no server in between: the test client answers what it asks for.

So a state's rows need not be committed, and a page takes as long as the browser needs for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import regex
from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import transaction
from playwright.sync_api import Browser, Page, Request, Route

from tests.pages.states import State

SITE = "http://testserver"
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
PATIENCE = 10_000  # ms
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true })"
NUMBERED = regex.compile(rb" \(prompt-\d+\)")  # the factories' way to make prompts differ


class Stage:
    """One browser page on which states are shown, one after the other."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []  # of the browser: what broke the policy, faults of scripts
        self._document: Any = None
        page.set_default_timeout(PATIENCE)
        page.route("**/*", self._answer)
        page.on("console", self._listen)
        page.on("pageerror", lambda fault: self.complaints.append(str(fault)))

    def show(self, state: State, locale: str) -> Page:
        """Open a state's page. Its rows are undone at once, so that states cannot meet."""
        with transaction.atomic():
            self._document = state.visit(locale).open()
            transaction.set_rollback(True)
        assert self._document.status_code == state.status, state.name
        self.page.goto(f"{SITE}/{state.name}/", wait_until="load")
        if state.unfolded:
            self.page.evaluate(UNFOLD)
        self.page.evaluate("document.fonts.ready.then(() => true)")
        return self.page

    def _listen(self, said: Any) -> None:
        if "Content Security Policy" in said.text:
            self.complaints.append(said.text)

    def _answer(self, route: Route, request: Request) -> None:
        path = urlsplit(request.url).path
        if path.startswith(settings.STATIC_URL):
            found = finders.find(path.removeprefix(settings.STATIC_URL))
            if found:
                file = Path(str(found))
                route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
                return
        if request.resource_type == "document":
            shown = NUMBERED.sub(b"", self._document.content)
            route.fulfill(body=shown, headers=self._headers())
        else:
            route.fulfill(status=204)  # the live channel: over before it began

    def _headers(self) -> dict[str, str]:
        kept = ("Content-Type", "Content-Security-Policy")
        return {name: self._document[name] for name in kept if self._document.has_header(name)}


@contextmanager
def stage(
    browser: Browser, *, width: int = 1280, height: int = 900, **options: Any
) -> Iterator[Stage]:
    """A stage of this size in a browser context of its own. Options are Playwright's."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    try:
        yield Stage(context.new_page())
    finally:
        context.close()
