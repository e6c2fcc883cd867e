"""The first turn where its set was made ahead: no call after the annotator came, only the page."""

import time
from collections.abc import Iterator
from statistics import quantiles

from annotation.prefetching import fill_open_cohorts
from bench.browser import Browser
from bench.generation import known, must_be_ready, paced
from bench.report import Row, bounded, reported
from bench.servers import Servers
from sampling.models import CandidateSet, Endpoint
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import Page
from tests.factories import World

PEOPLE = PROMPTS = 30
FILLINGS = 20


def measure(servers: Servers) -> Iterator[Row]:
    with paced() as endpoint, servers.worker(known(endpoint)), servers.web() as (_, address):
        world = factories.world(prompts=PROMPTS, overlap=1, conversations=1)
        Endpoint.objects.filter(pk=world.endpoint.pk).update(
            base_url=endpoint.base_url,
            seats=4 * PEOPLE,
            secret_name="BENCH_KEY",  # noqa: S106
        )
        people = [talking.joined(world) for _ in range(PEOPLE)]
        fill(world)
        before = len(endpoint.log()) + len(endpoint.open())
        waits = []
        for person in people:
            with Browser(address, person) as browser:
                started = time.perf_counter()
                shown = Page(browser.get("/work/").text)
                waits.append(time.perf_counter() - started)
            if not any(form.action.endswith("/comparison/") for form in shown.forms):
                raise RuntimeError("the answers of a prompt with a ready set were not shown")
        calls = len(endpoint.log()) + len(endpoint.open()) - before
    yield bounded(row="first turn made ahead, calls", figure=calls, unit="calls", at_most=0)
    p95 = 1000 * quantiles(waits, n=20)[-1]
    yield reported(row="first turn made ahead, p95 of the page", figure=p95, unit="ms")


def fill(world: World) -> None:
    """What beat does every few seconds, until every prompt has its set."""
    for _ in range(FILLINGS):
        fill_open_cohorts()
        sets = list(CandidateSet.objects.filter(plan=world.plan))
        must_be_ready(sets)
        if len(sets) == PROMPTS:
            return
    raise RuntimeError(f"only {len(sets)} of {PROMPTS} prompts got a set ahead of time")
