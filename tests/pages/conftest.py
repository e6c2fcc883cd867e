"""The pages of tests/pages/states: in the pseudo-language, and in a browser without a server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from playwright.sync_api import Browser

from tests.browsers import chromium_browser
from tests.pages import pseudo

# Playwright's own loop lives in this thread; the tests' few queries do no harm to it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "yes"


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Not for the whole session: its loop runs in the tests' thread, where no other could run."""
    with chromium_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def pseudo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locale")
    pseudo.write(folder)
    return folder


@pytest.fixture
def pseudo_language(pseudo_folder: Path) -> Iterator[str]:
    """Its code. Pages can be asked for in it."""
    with override_settings(
        LANGUAGES=[*settings.LANGUAGES, (pseudo.CODE, pseudo.NAME)],
        LOCALE_PATHS=[*settings.LOCALE_PATHS, pseudo_folder],
    ):
        yield pseudo.CODE
