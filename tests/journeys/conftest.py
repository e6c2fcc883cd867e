"""Journeys: a real Chromium against a real web process, a real worker and a simulated endpoint."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import signing
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.plugin import DjangoDbBlocker

from annotation import access
from annotation.models import Conversation
from sampling import simulated
from tests import factories, forking
from tests.browsers import chromium_browser
from tests.factories import World
from tests.sampling.workers import Worker, until
from tests.studies.asking import YEAR
from tests.studies.test_practising import TUTORIAL

# Playwright's own loop lives in this thread; the tests' few queries do no harm to it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "yes"
expect.set_options(timeout=30_000)  # the five seconds of the library are few on busy cores


class Site:
    """The processes behind the pages. Each may be killed and started again."""

    def __init__(self, directory: Path, endpoint: simulated.Endpoint) -> None:
        self.directory = directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "BASE_URL": self.url,
            "SIMULATED_URL": endpoint.base_url,
            "SIMULATED_KEY": endpoint.key,
        }
        self.web: forking.Forked | None = None
        self.worker: Worker | None = None

    def start_web(self) -> None:
        command = ["-m", "uvicorn", "config.asgi:application"]
        place = [
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--timeout-graceful-shutdown",
            "1",
        ]
        log = self.directory / "web.log"
        environment = {**os.environ, **self.environment}
        self.web = forking.start([*command, *place], env=environment, output=log)
        until(self._answers, what=log.read_text)

    def _answers(self) -> bool:
        line = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            line.request("GET", "/help/")
            return line.getresponse().status == 200
        except (ConnectionError, TimeoutError):
            return False
        finally:
            line.close()

    def kill_web(self) -> None:
        if self.web and self.web.poll() is None:
            self.web.send_signal(signal.SIGKILL)
            self.web.wait()

    def start_worker(self) -> None:
        log = self.directory / "journeys.log"
        self.worker = Worker(log, environment=self.environment).wait_ready()

    def kill_worker(self) -> None:
        if self.worker and self.worker.process.poll() is None:
            self.worker.kill()


@pytest.fixture(scope="package")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    valkey_url: str,
) -> Iterator[Site]:
    """Not for the whole session: its worker would make the sets of other tests, too."""
    with simulated.running() as endpoint:
        made = Site(tmp_path_factory.mktemp("site"), endpoint)
        made.start_web()
        made.start_worker()
        yield made
        made.kill_worker()
        made.kill_web()


@pytest.fixture
def world(transactional_db: None, site: Site) -> World:
    """An open study of two conversations of two turns that always asks why, with an open link."""
    return open_world(prompts=3)


@pytest.fixture
def short_world(transactional_db: None, site: Site) -> World:
    """The same with one conversation."""
    return open_world(conversations=1)


@pytest.fixture
def whole_world(transactional_db: None, site: Site) -> World:
    """One conversation that begins with words of one's own, after all that may come before it."""
    made = open_world(
        conversations=1,
        own_prompt_share=1.0,
        after_none="continue_from",
        purposes=["take_part", "conversations"],
        questions=[YEAR],
        tutorial=TUTORIAL,
    )
    quota = factories.quota_set(made.cohort)
    factories.quota_cell(quota, position=0, criteria={"age_band": ["18-34", "35+"]})
    return made


def open_world(**rules: Any) -> World:
    made = factories.world(
        turns={"min": 2, "max": 2},
        explanation={
            "rule": "always",
            "min_words": 2,
            "question": {"en": "What made you choose this answer?"},
            "none_question": {"en": "What is missing?"},
        },
        **rules,
    )
    made.endpoint.base_url = "$SIMULATED_URL"
    made.endpoint.notice = {"en": "These answers are made up."}
    made.endpoint.save(update_fields=["base_url", "notice"])
    factories.invitation(made.cohort, token="open-token")
    return made


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Not for the whole session: its loop runs in the tests' thread, where no other could run."""
    with chromium_browser() as browser:
        yield browser


@pytest.fixture
def plain(chromium: Browser, site: Site) -> Iterator[Page]:
    """A phone with scripting off."""
    yield from _page(
        chromium.new_context(
            base_url=site.url,
            java_script_enabled=False,
            viewport={"width": 390, "height": 844},
        )
    )


@pytest.fixture
def scripted(chromium: Browser, site: Site) -> Iterator[Page]:
    """A wide screen with scripting on."""
    yield from _page(
        chromium.new_context(base_url=site.url, viewport={"width": 1280, "height": 900})
    )


def _page(context: BrowserContext) -> Iterator[Page]:
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@contextmanager
def opened_at(site: Site, browser: Browser, talk: Conversation, **device: Any) -> Iterator[Page]:
    """The annotator's browser at a conversation, on a wide screen unless another is given."""
    device = {"viewport": {"width": 1280, "height": 900}, **device}
    context = browser.new_context(base_url=site.url, **device)
    person = {"enrolment": str(talk.assignment.enrolment_id), "return_token": "its-own"}
    value = signing.dumps(person, salt=access.SALT)
    context.add_cookies([{"name": settings.ANNOTATOR_COOKIE, "value": value, "url": site.url}])
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(f"/conversation/{talk.pk}/")
    yield page
    context.close()
