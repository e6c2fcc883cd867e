"""The one claim, where a set asks several endpoints, and where tokens are bounded."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connections
from django.db.models import F, Q, Sum
from django.utils import timezone

from sampling import leasing
from sampling.claiming import Claim, claim_next
from sampling.models import CandidateSet, Endpoint, Seat, TokenBudget, TokenUse
from tests import factories, racing
from tests.sampling.test_claiming import claimed, endpoint, finish, over_full, pending, plan_on

pytestmark = pytest.mark.django_db(transaction=True)
PERSON, LIKELY, PREFETCH = CandidateSet.Priority.values


def seats() -> dict[UUID, int]:
    return dict(Seat.objects.values_list("endpoint_id", "streams"))


# --- Several endpoints at once --------------------------------------------------------------------


def test_a_set_takes_its_seats_at_every_endpoint_that_it_asks() -> None:
    first, second, unused = endpoint(), endpoint(), endpoint()
    pending(plan_on(first, second, unused), streams=4, streams_on=[3, 1, 0])

    claim = claim_next()

    assert claim
    assert (claim.endpoint_id, claim.streams, claim.streams_on) == (first.pk, 4, (3, 1, 0))
    assert seats() == {first.pk: 3, second.pk: 1}


def test_streams_are_counted_from_the_endpoint_that_serves_the_set() -> None:
    first, second, third = endpoint(), endpoint(), endpoint()
    pending(plan_on(first, second, third), streams=3, streams_on=[2, 0, 1], endpoint_rank=1)

    claim = claim_next()

    assert claim
    assert (claim.endpoint_id, claim.rank, claim.streams_on) == (second.pk, 1, (2, 0, 1))
    assert seats() == {second.pk: 2, first.pk: 1}


def test_all_its_seats_or_none() -> None:
    roomy, tight = endpoint(), endpoint(seats=1)
    plan = plan_on(roomy, tight)
    pending(plan_on(tight), age=9)
    both = pending(plan, streams=2, streams_on=[1, 1], age=5)
    assert claimed()

    assert claimed() is None
    assert seats() == {tight.pk: 1}

    Seat.objects.all().delete()
    assert claimed() == both.pk


def test_a_closed_endpoint_keeps_the_whole_set_waiting_and_holds_nobody_back() -> None:
    sound, broken = endpoint(), endpoint(open_until=factories.in_hours(1), failures=5)
    pending(plan_on(sound, broken), streams=2, streams_on=[1, 1], age=60)
    other = pending(plan_on(sound), priority=LIKELY)

    assert claimed() == other.pk
    assert claimed() is None


def test_what_waits_at_one_endpoint_holds_back_less_urgent_sets_at_all_of_them() -> None:
    roomy, tight = endpoint(), endpoint(seats=1)
    pending(plan_on(tight), age=9)
    assert claimed()
    both = pending(plan_on(roomy, tight), streams=2, streams_on=[1, 1], age=5)
    pending(plan_on(roomy), priority=PREFETCH)

    assert claimed() is None

    Seat.objects.all().delete()
    assert claimed() == both.pk


def test_a_process_takes_no_more_streams_than_it_can_open() -> None:
    pending(plan_on(endpoint(), endpoint()), streams=4, streams_on=[2, 2])

    assert claimed(streams=3) is None
    assert claimed(streams=4)


def test_a_lease_covers_the_seats_of_all_endpoints() -> None:
    pending(plan_on(endpoint(), endpoint()), streams=2, streams_on=[1, 1])
    claim = claim_next()
    assert claim
    soon = timezone.now() + timedelta(seconds=1)
    Seat.objects.update(lease_until=soon)

    leasing.renew([(claim.set_id, claim.attempt)])

    assert Seat.objects.filter(lease_until__gt=soon).count() == 2
    leasing.give_back([(claim.set_id, claim.attempt)])
    assert not Seat.objects.exists()


def test_a_set_made_ahead_gives_its_seats_everywhere_to_a_person() -> None:
    first, second = endpoint(seats=4), endpoint(seats=4)
    ahead = pending(plan_on(first, second), streams=4, streams_on=[2, 2], priority=PREFETCH)
    assert claimed() == ahead.pk
    person = pending(plan_on(second), streams=4)

    assert claimed() is None
    ahead.refresh_from_db()
    assert ahead.state == "pending"

    leasing.leave_seat((ahead.pk, 1))
    assert claimed() == person.pk


def test_wide_and_narrow_sets_of_sixteen_threads_never_exceed_the_seats() -> None:
    one, two = endpoint(seats=3), endpoint(seats=4)
    plans = [plan_on(one), plan_on(two)]
    both = plan_on(one, two)
    for number in range(30):
        pending(plans[number % 2], streams=1 + number % 3)
        pending(both, streams=3, streams_on=[1, 2] if number % 2 else [2, 1])
    too_many: list[tuple[str, int]] = []
    taken = work_off(too_many)

    assert too_many == []
    assert len({claim.set_id for claim in taken}) == 60


def work_off(too_many: list[tuple[str, int]]) -> list[Claim]:
    taken: list[Claim] = []

    def work(_: int) -> None:
        idle = 0
        while idle < 40:
            claim = claim_next()
            if claim is None:
                idle += 1
                continue
            taken.append(claim)
            too_many.extend(over_full())
            finish(claim)
        connections.close_all()

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(work, range(16)))
    return taken


# --- Tokens per minute ----------------------------------------------------------------------------


def test_a_set_waits_for_tokens_of_the_minute() -> None:
    plan = plan_on(endpoint(tokens_per_minute=1000))
    first, second = pending(plan, tokens=600, age=5), pending(plan, tokens=600)
    assert claimed() == first.pk

    assert claimed() is None

    TokenUse.objects.update(at=timezone.now() - timedelta(seconds=61))
    assert claimed() == second.pk
    assert TokenUse.objects.count() == 1  # what is older than a minute is gone


def test_what_was_used_counts_in_place_of_the_estimate() -> None:
    plan = plan_on(endpoint(tokens_per_minute=1000))
    pending(plan, tokens=600, age=5)
    second = pending(plan, tokens=600)
    assert claimed()
    TokenUse.objects.update(tokens=300)

    assert claimed() == second.pk


def test_a_set_larger_than_the_minute_goes_alone() -> None:
    plan = plan_on(endpoint(tokens_per_minute=1000))
    large = pending(plan, tokens=5000, age=5)
    pending(plan, tokens=1)

    assert claimed() == large.pk
    assert claimed() is None


def test_a_small_set_does_not_overtake_one_that_waits_for_tokens_for_long() -> None:
    plan = plan_on(endpoint(tokens_per_minute=1000))
    pending(plan, tokens=500, age=60)
    assert claimed()
    pending(plan, tokens=900, age=30)
    pending(plan, tokens=10)

    assert claimed() is None


def test_tokens_are_noted_only_where_they_are_limited() -> None:
    limited, unlimited = endpoint(tokens_per_minute=1000), endpoint()
    pending(plan_on(unlimited, limited), streams=4, streams_on=[3, 1], tokens=800)

    assert claimed()

    assert list(TokenUse.objects.values_list("endpoint_id", "tokens")) == [(limited.pk, 200)]


def test_two_claims_at_once_never_take_more_than_the_minute_has() -> None:
    plan = plan_on(endpoint(seats=100, tokens_per_minute=1000))
    for _ in range(2):
        pending(plan, tokens=600)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        assert anna.do(claim_next)
        bruno.start(claim_next)
        bruno.expect_blocked(by=anna)
        anna.commit()

        assert bruno.result() is None


def test_sixteen_threads_never_take_more_than_the_minute_has() -> None:
    limited = endpoint(seats=500, tokens_per_minute=2500)
    plan = plan_on(limited)
    for _ in range(40):
        pending(plan, tokens=100)
    gate = threading.Barrier(16)

    def work(_: int) -> int:
        gate.wait()
        found = sum(1 for _ in range(5) if claim_next())
        connections.close_all()
        return found

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(work, range(16))) == 25


# --- The budget of a study ------------------------------------------------------------------------


def budget(of: CandidateSet, total: int | None, spent: int = 0) -> None:
    TokenBudget.objects.create(study=of.study, total=total, spent=spent)


def test_a_study_without_tokens_waits_and_holds_nobody_back() -> None:
    shared = endpoint()
    poor = pending(plan_on(shared), tokens=600, age=60)
    budget(poor, 1000, spent=500)
    other = pending(plan_on(shared), priority=PREFETCH)

    assert claimed() == other.pk
    assert claimed() is None
    poor.refresh_from_db()
    assert (poor.state, poor.reason) == ("pending", None)

    TokenBudget.objects.update(total=F("total") + 100)
    assert claimed() == poor.pk


def test_what_is_being_made_counts_against_the_budget() -> None:
    plan = plan_on(endpoint())
    first, second = pending(plan, tokens=600, age=5), pending(plan, tokens=600)
    budget(first, 1000)
    assert claimed() == first.pk

    assert claimed() is None
    assert CandidateSet.objects.filter(Q(pk=second.pk, state="pending")).exists()


def test_a_spent_budget_stops_sets_without_an_estimate_too() -> None:
    budget(pending(plan_on(endpoint())), 1000, spent=1000)

    assert claimed() is None


def test_a_budget_without_a_limit_only_counts() -> None:
    asked = pending(plan_on(endpoint()), tokens=600)
    budget(asked, None, spent=10**9)

    assert claimed() == asked.pk


def test_claims_at_once_never_exceed_a_budget() -> None:
    plan = plan_on(endpoint(seats=500))
    sets = [pending(plan, tokens=100) for _ in range(40)]
    budget(sets[0], 1750)

    def work(_: int) -> int:
        found = sum(1 for _ in range(5) if claim_next())
        connections.close_all()
        return found

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(work, range(16))) == 17
    held = CandidateSet.objects.filter(state="generating").aggregate(sum=Sum("tokens"))["sum"]
    assert held == 1700
    assert Endpoint.objects.count() == 1
