"""The estimate of a wait, from rows."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sampling.models import CandidateSet, Plan
from sampling.waiting import RECENT, estimate_wait
from tests import factories

pytestmark = pytest.mark.django_db
SEATS = 8


@pytest.fixture
def plan() -> Plan:
    """A plan at an endpoint of eight seats, whose sets open four streams."""
    return factories.plan(endpoints=[factories.endpoint(seats=SEATS)])


def ask(plan: Plan, **fields: Any) -> CandidateSet:
    return factories.candidate_set(plan, streams=4, **fields)


def made(plan: Plan, seconds: float, *, ago: float = 0) -> None:
    """A set of the plan that took so long, `ago` seconds before now."""
    ready = factories.ready_set(plan)
    ready.ready_at = timezone.now() - timedelta(seconds=ago)
    started = ready.ready_at - timedelta(seconds=seconds)
    ready.attempt_log = [{"attempt": 1, "started_at": started.isoformat(), "outcome": "ready"}]
    ready.save(update_fields=["ready_at", "attempt_log"])


def seconds(one: CandidateSet) -> float | None:
    found = estimate_wait(one.pk)
    return None if found is None else found.total_seconds()


def test_without_a_set_that_was_made_nothing_is_known(plan: Plan) -> None:
    assert seconds(ask(plan)) is None


def test_a_set_that_is_next_takes_as_long_as_others_did(plan: Plan) -> None:
    for took in (10, 20, 90):
        made(plan, took)

    assert seconds(ask(plan)) == pytest.approx(20)


def test_whoever_is_further_back_waits_longer(plan: Plan) -> None:
    made(plan, 10)
    queue = [ask(plan) for _ in range(10)]

    # Four streams each at eight seats: two sets at a time.
    assert [seconds(one) for one in queue] == [
        pytest.approx(10 * max(1, 4 * place / SEATS)) for place in range(1, 11)
    ]


def test_streams_that_are_being_written_count(plan: Plan) -> None:
    made(plan, 10)
    running = ask(plan, state="generating")
    running.seats.create(
        endpoint=plan.plan_endpoints.get().endpoint,
        attempt=1,
        streams=SEATS,
        lease_until=factories.in_hours(1),
    )

    assert seconds(ask(plan)) == pytest.approx(10 * (SEATS + 4) / SEATS)


def test_sets_made_ahead_and_later_ones_hold_nobody_up(plan: Plan) -> None:
    made(plan, 10)
    for _ in range(20):
        ask(plan, priority=2)
    first = ask(plan)
    for _ in range(20):
        ask(plan)

    assert seconds(first) == pytest.approx(10)


def test_the_queue_of_another_endpoint_does_not_count(plan: Plan) -> None:
    made(plan, 10)
    other = factories.plan(endpoints=[factories.endpoint()])
    for _ in range(20):
        ask(other)

    assert seconds(ask(plan)) == pytest.approx(10)


def test_only_recent_sets_count(plan: Plan) -> None:
    made(plan, 1000, ago=3600)
    for _ in range(RECENT):
        made(plan, 10)

    assert seconds(ask(plan)) == pytest.approx(10)


@pytest.mark.parametrize("state", ["generating", "failed"])
def test_a_set_that_does_not_wait_has_no_estimate(plan: Plan, state: str) -> None:
    made(plan, 10)

    assert seconds(ask(plan, state=state)) is None


def test_an_endpoint_that_is_away_makes_no_promises(plan: Plan) -> None:
    made(plan, 10)
    endpoint = plan.plan_endpoints.get().endpoint
    endpoint.open_until = factories.in_hours(1)
    endpoint.save(update_fields=["open_until"])

    assert seconds(ask(plan)) is None


def test_an_estimate_is_one_query(plan: Plan) -> None:
    made(plan, 10)
    one = ask(plan)
    with CaptureQueriesContext(connection) as captured:
        estimate_wait(one.pk)

    assert len(captured) == 1
