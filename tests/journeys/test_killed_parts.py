"""An annotator waits while a part of the site dies under `kill -9`: the page recovers by itself."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.config.supervisor.conftest import passable
from tests.config.supervisor.started import Started
from tests.journeys.own_endpoint import OwnEndpoint
from tests.journeys.visiting import Visitor
from tests.sampling.workers import until

PATIENCE_MS = 60_000  # a lease has to run out when a worker dies
CALLS = 2  # of an attempt of `community_alignment`
ATTEMPTS = 3


@pytest.fixture(scope="module")
def endpoint() -> Iterator[OwnEndpoint]:
    with OwnEndpoint(pause=3.0) as running:
        yield running


@pytest.fixture(scope="module")
def demo(endpoint: OwnEndpoint) -> Iterator[Started]:
    own = {"MODEL_BASE_URL": endpoint.base_url, "MODEL_NAME": "inventor"}
    with passable() as directory:
        started = Started(directory / "killed", **own)
        started.wait()
        yield started
        started.stop()


def waiting(visitor: Visitor, chromium: Browser) -> Page:
    """The visitor's page in a browser, on a turn that no prefetch answers."""
    visitor.judge(turns=1)
    visitor.ask()
    context = chromium.new_context()
    context.add_cookies(
        [
            {"name": one.name, "value": one.value or "", "url": visitor.url}
            for one in visitor.cookies
        ]
    )
    page = context.new_page()
    page.goto(visitor.url)
    return page


def explained(demo: Started, set_id: str) -> dict[str, Any]:
    return dict(json.loads(demo.command("manage.py", "explain_set", set_id, "--json").stdout))


@pytest.mark.parametrize("part", ["worker generate", "web", "Valkey", "PostgreSQL"])
def test_a_waiting_page_recovers_when_a_part_is_killed(
    demo: Started, endpoint: OwnEndpoint, chromium: Browser, part: str
) -> None:
    page = waiting(Visitor(demo.links()["cohorts"][0]["join_url"]), chromium)
    before = page.locator("[data-set]").get_attribute("data-set") or ""
    until(lambda: any(name.startswith(before) for name in endpoint.asked))
    os.kill(demo.pids()[part], signal.SIGKILL)

    expect(page.get_by_label("Choose A", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    shown = page.locator("[data-candidate]").evaluate_all(
        "all => all.map(e => e.dataset.candidate)"
    )
    told = explained(demo, before)
    asked = [name for name in endpoint.asked if name.startswith(before)]
    assert sorted(shown) == sorted(one["id"] for one in told["candidates"])
    assert len(asked) == len(set(asked)) <= CALLS * len(told["attempts"])
    assert len(told["attempts"]) <= ATTEMPTS
    page.context.close()
    log = demo.data_dir / "logs" / "worker-generate.log"
    assert "Unrecoverable" not in log.read_text()  # it outlives every other part
