"""An endpoint that is down for two minutes under load, every time of ours shortened alike."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sampling import breaker, generating, retrying
from sampling.models import CandidateSet, Endpoint, ModelCall, Seat
from tests.sampling.conftest import Engine
from tests.sampling.test_generating import apart, until

SHORTER = 10
DOWN = 120 / SHORTER  # seconds
SECONDS_PER_CALL = 0.25
THREADS = 8
SETS = 24


@pytest.fixture
def shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (breaker, "FIRST_REST"),
        (breaker, "LONGEST_REST"),
        (retrying, "FIRST_PAUSE"),
        (retrying, "LONGEST_PAUSE"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name) / SHORTER)


@pytest.fixture
def down_under_load(engine: Engine, shortened: None) -> list[CandidateSet]:
    """The sets that people asked for while the endpoint was down, all of them made by now."""
    engine.server.order("stall", times=None, after=1, seconds=SECONDS_PER_CALL)
    engine.server.order("refuse", seconds=DOWN)
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.1):
            generating.work()

    with ThreadPoolExecutor(THREADS) as threads:
        plan = engine.another_plan(first_turn={"strategy": "nc_single"})  # a stream for each set
        asked = [engine.ask(plan) for _ in range(SETS // 2)]
        begun = [threads.submit(apart(go_on)) for _ in range(THREADS)]
        for _ in range(SETS // 2):
            asked.append(engine.ask(plan))
            time.sleep(2 * DOWN / SETS)
        unfinished = CandidateSet.objects.filter(state__in=["pending", "generating"])
        until(lambda: not unfinished.exists(), seconds=60)
        over.set()
        for one in begun:
            one.result(10)
    return asked


def whole_calls() -> list[ModelCall]:
    """The calls that were answered, in the order in which they began."""
    return [call for call in ModelCall.objects.order_by("started_at") if not call.error]


def most_open(calls: list[ModelCall]) -> int:
    """How many of the calls were open at once, at most."""
    return max(
        sum(other.started_at <= one.started_at < other.ended_at for other in calls) for one in calls
    )


def test_an_outage_loses_nothing_and_ends_without_a_stampede(
    engine: Engine, down_under_load: list[CandidateSet]
) -> None:
    for one in down_under_load:
        one.refresh_from_db()
    assert [one.reason for one in down_under_load] == [None] * SETS
    assert {one.candidates.count() for one in down_under_load} == {4}
    assert not Seat.objects.exists()

    calls = whole_calls()
    first = calls[0]
    alone = [call for call in calls if call.set_id == first.set_id]
    meanwhile = [call for call in calls if call.started_at < max(c.ended_at for c in alone)]
    assert {call.set_id for call in meanwhile} == {first.set_id}  # half open: one tries it
    assert most_open(alone) == 1
    assert most_open(calls) <= engine.endpoint.seats
    assert Endpoint.objects.get(pk=engine.endpoint.pk).open_until is None

    assert_hardly_asked()


def assert_hardly_asked() -> None:
    """Five open the breaker, with what was under way then; then one tries after each rest."""
    refused = ModelCall.objects.exclude(error=None).filter(error__code="endpoint_unavailable")

    attempts = refused.values("set", "attempt").distinct().count()

    assert 5 <= attempts <= breaker.THRESHOLD + THREADS + 6
