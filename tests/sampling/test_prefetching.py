"""Asking ahead, within a budget of each endpoint."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis import Redis

from sampling.messages import message
from sampling.models import CandidateSet, Endpoint, Plan
from sampling.prefetching import Wish, fill
from sampling.requesting import request_candidate_set
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
Priority = CandidateSet.Priority


@pytest.fixture
def plan(redis: Redis) -> Plan:
    return factories.plan(endpoints=[factories.endpoint(seats=6)])


def wishes(plan: Plan, count: int) -> list[Wish]:
    return [Wish(plan, [message("user", f"Question {n}?")], "en") for n in range(count)]


def test_wishes_are_asked_for_until_the_budget_is_spent(plan: Plan) -> None:
    assert fill(wishes(plan, 10)) == 3
    assert fill(wishes(plan, 10)) == 0

    sets = CandidateSet.objects.values_list("shared", "priority", "state").distinct()
    assert list(sets) == [(True, Priority.PREFETCH, "pending")]


@pytest.mark.parametrize("kind", [{}, {"group": 1, "groups": 3}, {"spares": 1}])
def test_the_number_of_queries_does_not_grow_with_the_wishes(
    plan: Plan, kind: dict[str, Any]
) -> None:
    Endpoint.objects.update(seats=100)
    counts = []
    for count in (2, 40):
        wanted = [replace(wish, **kind) for wish in wishes(plan, count)]
        with CaptureQueriesContext(connection) as queries:
            assert fill(wanted) > 0
        counts.append(len(queries))

    assert counts[1] <= counts[0]


def test_the_same_wish_twice_is_one_set(plan: Plan) -> None:
    assert fill(wishes(plan, 1) * 2) == 1


def test_spare_sets_are_unshared_and_have_numbers_and_seeds_of_their_own(plan: Plan) -> None:
    (wish,) = wishes(plan, 1)

    assert fill([replace(wish, spares=1), replace(wish, spares=2), wish]) == 3

    sets = CandidateSet.objects.order_by("replica").values_list("replica", "spare", "shared")
    assert list(sets) == [(0, True, False), (1, True, False), (2, False, True)]
    assert CandidateSet.objects.values("seed").distinct().count() == 3


def test_each_group_gets_one_replica_of_its_own(plan: Plan) -> None:
    (wish,) = wishes(plan, 1)
    groups = [replace(wish, group=group, groups=2) for group in (1, 0, 1)]

    assert (fill(groups), fill(groups)) == (2, 0)
    assert {one.replica % 2 for one in CandidateSet.objects.all()} == {0, 1}


def test_a_set_that_failed_is_asked_for_under_another_number(plan: Plan) -> None:
    fill(wishes(plan, 1))
    CandidateSet.objects.update(state="failed", reason="endpoint_timeout")

    assert fill(wishes(plan, 1)) == 1
    assert set(CandidateSet.objects.values_list("replica", flat=True)) == {0, 1}


def test_the_first_wishes_come_first(plan: Plan) -> None:
    fill(wishes(plan, 10))

    asked = CandidateSet.objects.order_by("requested_at").values_list("context", flat=True)
    assert [context[0]["content"] for context in asked] == [f"Question {n}?" for n in range(3)]


def test_a_set_that_is_there_costs_nothing(plan: Plan) -> None:
    for wish in wishes(plan, 2):
        request_candidate_set(
            plan=plan,
            context=wish.context,
            language="en",
            shared=True,
            priority=Priority.PERSON,
        )

    assert fill(wishes(plan, 4)) == 2


def test_finished_sets_free_the_budget(plan: Plan) -> None:
    fill(wishes(plan, 3))
    CandidateSet.objects.update(state="failed", reason="endpoint_timeout")

    assert fill(wishes(plan, 10)) == 3


def test_a_small_endpoint_gets_a_few(plan: Plan) -> None:
    Endpoint.objects.update(seats=1)

    assert fill(wishes(plan, 10)) == 2


def test_an_endpoint_in_trouble_gets_none(plan: Plan) -> None:
    Endpoint.objects.update(open_until=factories.in_hours(1))

    assert fill(wishes(plan, 10)) == 0


def test_plans_of_one_endpoint_share_its_budget(plan: Plan) -> None:
    other = factories.plan(endpoints=[Endpoint.objects.get()])

    assert fill(wishes(plan, 2) + wishes(other, 10)) == 3
