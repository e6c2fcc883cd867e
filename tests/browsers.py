"""The browser of the tests."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright


@contextmanager
def chromium_browser() -> Iterator[Browser]:
    """The one that `make test` found, else the machine's, else Playwright's own.

    Not for a whole session: its loop runs in the tests' thread, where no other could run then.
    """
    here = shutil.which("chromium") or shutil.which("chromium-browser")
    found = os.environ.get("CHROMIUM") or here
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
