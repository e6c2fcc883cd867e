"""The one claim: limit, priority, fairness."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections, transaction
from django.db.models import Q, Sum
from django.db.models.functions import Now
from django.utils import timezone

from sampling import leasing
from sampling.claiming import LOOKED_AT, Claim, claim_next
from sampling.models import CandidateSet, Endpoint, Plan, PlanEndpoint, Seat
from tests import factories, racing

pytestmark = pytest.mark.django_db(transaction=True)
PERSON, LIKELY, PREFETCH = CandidateSet.Priority.values


def endpoint(seats: int = 8, **fields: object) -> Endpoint:
    return factories.endpoint(seats=seats, **fields)  # type: ignore[arg-type]


def plan_on(*endpoints: Endpoint) -> Plan:
    return factories.plan(endpoints=endpoints)


def pending(
    plan: Plan, *, streams: int = 1, priority: int = PERSON, age: float = 0, **fields: object
) -> CandidateSet:
    """A set that was asked for `age` seconds ago."""
    asked = timezone.now() - timedelta(seconds=age)
    traits: dict[str, Any] = {"requested_at": asked, "not_before": asked, **fields}
    return factories.candidate_set(plan, streams=streams, priority=priority, **traits)


def claimed(**limits: int) -> UUID | None:
    claim = claim_next(**limits)  # type: ignore[arg-type]
    return claim.set_id if claim else None


def finish(claim: Claim) -> None:
    """The set leaves its seats, as if it were stored."""
    Seat.objects.filter(set=claim.set_id).delete()
    CandidateSet.objects.filter(pk=claim.set_id).update(
        state="failed", reason="not_wanted", lease_until=None
    )


def test_a_claim_makes_the_set_ours() -> None:
    asked = pending(plan_on(endpoint()), streams=4)

    claim = claim_next()

    asked.refresh_from_db()
    assert claim
    assert (claim.set_id, claim.attempt, claim.streams) == (asked.pk, 1, 4)
    assert (asked.state, asked.attempt) == ("generating", 1)
    assert asked.lease_until
    assert list(Seat.objects.values_list("streams", "attempt")) == [(4, 1)]


def test_nothing_to_claim_is_none_at_once() -> None:
    assert claim_next() is None


def test_a_set_is_not_claimed_before_its_time() -> None:
    pending(plan_on(endpoint()), not_before=factories.in_hours(1))

    assert claim_next() is None


def test_a_strategy_gets_no_more_streams_than_the_endpoint_has_seats() -> None:
    pending(plan_on(endpoint(seats=2)), streams=4)

    claim = claim_next()

    assert claim
    assert claim.streams == 2


def test_the_claims_of_sixteen_threads_never_exceed_the_seats() -> None:
    rng = random.Random(5)  # noqa: S311
    endpoints = [endpoint(seats=5), endpoint(seats=3)]
    plans = [plan_on(endpoints[0]), plan_on(endpoints[1]), plan_on(*endpoints)]
    for _ in range(60):
        pending(rng.choice(plans), streams=rng.randint(1, 4), priority=rng.choice([0, 1, 2]))
    taken: list[tuple[UUID, int]] = []
    too_many: list[tuple[str, int]] = []
    gate = threading.Barrier(16)

    def work(number: int) -> None:
        gate.wait()
        idle = 0
        while idle < 40:
            claim = claim_next()
            if claim is None:
                idle += 1
                continue
            taken.append((claim.set_id, claim.attempt))
            too_many.extend(over_full())
            finish(claim)
        connections.close_all()

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(work, range(16)))

    assert too_many == []
    assert len({set_id for set_id, _ in taken}) == 60
    # A set that was put back for a person is claimed again, under another number.
    assert len(taken) == len(set(taken))


def over_full() -> list[tuple[str, int]]:
    """Endpoints at which more streams are held than there are seats, in one statement."""
    live = Sum("held_seats__streams", filter=Q(held_seats__lease_until__gt=Now()))
    held = Endpoint.objects.annotate(held=live).values_list("name", "held", "seats")
    return [(name, streams) for name, streams, seats in held if (streams or 0) > seats]


def test_the_more_urgent_goes_first_then_the_older() -> None:
    plan = plan_on(endpoint(seats=40))
    ahead, likely = pending(plan, priority=PREFETCH, age=9), pending(plan, priority=LIKELY, age=5)
    late, early = pending(plan, age=1), pending(plan, age=2)

    order = [claimed() for _ in range(4)]

    assert order == [early.pk, late.pk, likely.pk, ahead.pk]


def test_a_claim_looks_past_the_sets_of_a_plan_that_others_hold() -> None:
    plan = plan_on(endpoint(seats=40))
    held = [pending(plan, age=9) for _ in range(LOOKED_AT - 1)]
    free = pending(plan)
    with racing.runners("anna") as (anna,):
        anna.begin()
        ids = [one.pk for one in held]
        anna.do("SELECT FROM sampling_candidateset WHERE id = ANY(%s) FOR UPDATE", [ids])

        assert claimed() == free.pk
        anna.rollback()


def test_many_sets_of_one_plan_hide_none_of_another() -> None:
    shared = endpoint(seats=1000)
    busy = plan_on(shared)
    for _ in range(LOOKED_AT + 8):
        pending(busy, age=9)
    other = pending(plan_on(shared))

    order = [claimed() for _ in range(LOOKED_AT + 9)]

    assert order.index(other.pk) == 1  # its study holds fewer seats
    assert None not in order


def test_a_study_that_holds_fewer_seats_goes_first() -> None:
    shared = endpoint(seats=40)
    busy, quiet = plan_on(shared), plan_on(shared)
    first = pending(busy, age=9)
    second, other = pending(busy, age=8), pending(quiet, age=1)

    order = [claimed() for _ in range(3)]

    assert order == [first.pk, other.pk, second.pk]


def test_a_set_that_waits_for_room_holds_back_less_urgent_ones() -> None:
    plan = plan_on(endpoint(seats=4))
    pending(plan, streams=3, age=5)
    assert claimed()
    large, small = pending(plan, streams=4), pending(plan, priority=LIKELY)

    assert claimed() is None

    large.delete()
    assert claimed() == small.pk


def test_it_holds_back_nothing_at_another_endpoint() -> None:
    full, free = plan_on(endpoint(seats=1)), plan_on(endpoint(seats=1))
    pending(full, age=5)
    assert claimed()
    pending(full)
    elsewhere = pending(free, priority=PREFETCH)

    assert claimed() == elsewhere.pk


@pytest.mark.parametrize(("age", "passes"), [(1, True), (30, False)])
def test_after_a_while_later_ones_of_its_own_priority_wait_too(age: float, passes: bool) -> None:
    plan = plan_on(endpoint(seats=4))
    pending(plan, streams=3, age=60)
    assert claimed()
    pending(plan, streams=4, age=age)
    small = pending(plan, streams=1)

    assert claimed() == (small.pk if passes else None)


def test_a_quarter_of_the_seats_stays_free_of_sets_made_ahead() -> None:
    plan = plan_on(endpoint(seats=8))
    for _ in range(8):
        pending(plan, priority=PREFETCH)

    taken = [claimed() for _ in range(8)]

    assert sum(1 for one in taken if one) == 6


def test_a_small_endpoint_takes_one_prefetch_set_while_nobody_waits() -> None:
    plan = plan_on(endpoint(seats=4))
    first, _ = (pending(plan, streams=4, priority=PREFETCH, age=9 - n) for n in range(2))

    assert claimed() == first.pk
    assert claimed() is None


def test_a_process_without_room_for_prefetch_takes_none() -> None:
    pending(plan_on(endpoint()), priority=PREFETCH)

    assert claimed(prefetch=False) is None


def test_a_process_takes_no_more_streams_than_it_may_open() -> None:
    plan = plan_on(endpoint())
    pending(plan, streams=4, age=9)
    small = pending(plan, streams=2)

    assert claimed(streams=3) == small.pk


def test_a_person_without_a_seat_sends_the_youngest_prefetch_set_back() -> None:
    plan = plan_on(endpoint(seats=4))
    older = pending(plan, streams=1, priority=PREFETCH, age=9)
    younger = pending(plan, streams=2, priority=PREFETCH, age=5)
    assert [claimed(), claimed()] == [older.pk, younger.pk]
    person = pending(plan, streams=2)

    assert claimed() is None

    younger.refresh_from_db()
    assert (younger.state, younger.attempt_log[-1]["outcome"]) == ("pending", "preempted")
    leasing.leave_seat((younger.pk, 1))  # its worker has closed the streams
    assert claimed() == person.pk
    older.refresh_from_db()
    assert older.state == "generating"


def test_no_more_is_sent_back_than_the_people_need() -> None:
    plan = plan_on(endpoint(seats=4))
    sets = [pending(plan, priority=PREFETCH, age=9 - n) for n in range(3)]
    assert all(claimed() for _ in sets)
    pending(plan, streams=2)

    assert [claimed() for _ in range(3)] == [None] * 3

    states = list(CandidateSet.objects.filter(priority=PREFETCH).values_list("state", flat=True))
    assert sorted(states) == ["generating", "generating", "pending"]


def test_a_set_that_was_sent_back_waits_until_its_streams_are_closed() -> None:
    plan = plan_on(endpoint(seats=2))
    ahead = pending(plan, streams=2, priority=PREFETCH, age=9)
    assert claimed() == ahead.pk
    person = pending(plan, streams=2)
    assert claimed() is None
    person.delete()

    assert claimed() is None

    leasing.leave_seat((ahead.pk, 1))
    again = claim_next()
    assert again
    assert (again.set_id, again.attempt) == (ahead.pk, 2)


def test_people_are_never_sent_back_for_people() -> None:
    plan = plan_on(endpoint(seats=1))
    first = pending(plan, age=5)
    assert claimed() == first.pk
    pending(plan)

    assert claimed() is None

    first.refresh_from_db()
    assert first.state == "generating"


def test_seats_of_a_worker_that_vanished_are_free_after_the_lease() -> None:
    plan = plan_on(endpoint(seats=1))
    pending(plan, age=5)
    second = pending(plan)
    assert claimed()
    Seat.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert claimed() == second.pk


def test_an_open_breaker_keeps_sets_waiting() -> None:
    pending(plan_on(endpoint(open_until=factories.in_hours(1), failures=5)), streams=4)

    assert claimed() is None


def test_a_half_open_breaker_lets_one_stream_try() -> None:
    plan = plan_on(endpoint(open_until=factories.in_hours(-1), failures=5))
    pending(plan, streams=4, age=5)
    pending(plan, streams=4)

    claim = claim_next()

    assert claim
    assert claim.streams == 1
    assert claim_next() is None


def test_while_a_breaker_is_open_the_plans_next_endpoint_serves() -> None:
    broken = endpoint(open_until=factories.in_hours(1), failures=5)
    sound = endpoint()
    asked = pending(plan_on(broken, sound), streams=2)

    claim = claim_next()

    asked.refresh_from_db()
    assert claim
    assert (claim.endpoint_id, claim.rank) == (sound.pk, 1)
    assert asked.endpoint_rank == 1
    assert asked.attempt_log[0]["endpoint"] == sound.name


def test_a_row_that_somebody_else_holds_is_passed_over() -> None:
    plan = plan_on(endpoint())
    held, free = pending(plan, age=9), pending(plan)
    with racing.runners("anna") as (anna,):
        anna.begin()
        anna.do("SELECT FROM sampling_candidateset WHERE id = %s FOR UPDATE", [held.pk])

        assert claimed() == free.pk
        anna.rollback()


def test_two_claims_at_once_wait_for_each_other_and_take_different_sets() -> None:
    plan = plan_on(endpoint(seats=1))
    pending(plan, age=9)
    pending(plan)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        first = anna.do(claim_next)
        bruno.start(claim_next)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert first
        assert bruno.result() is None


def test_a_plan_without_endpoints_is_never_claimed() -> None:
    plan = plan_on(endpoint())
    PlanEndpoint.objects.filter(plan=plan).delete()
    pending(plan)

    assert claimed() is None


def test_a_claim_that_is_rolled_back_leaves_nothing_behind() -> None:
    asked = pending(plan_on(endpoint()))
    with transaction.atomic():
        claim_next()
        transaction.set_rollback(True)

    asked.refresh_from_db()
    assert (asked.state, Seat.objects.count()) == ("pending", 0)
