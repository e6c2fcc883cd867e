"""Leases, and what becomes of sets whose worker is gone."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone
from redis import Redis

from sampling import leasing
from sampling.claiming import Claim, claim_next
from sampling.models import CandidateSet, Plan, Seat
from tests import factories, racing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan(redis: Redis) -> Plan:
    return factories.plan(endpoints=[factories.endpoint(seats=20)])


def a_claim(plan: Plan) -> Claim:
    factories.candidate_set(plan)
    claim = claim_next()
    assert claim
    return claim


def key(claim: Claim) -> tuple[UUID, int]:
    return claim.set_id, claim.attempt


def row(claim: Claim) -> CandidateSet:
    return CandidateSet.objects.get(pk=claim.set_id)


def expire(*claims: Claim) -> None:
    past = timezone.now() - timedelta(seconds=1)
    ids = [claim.set_id for claim in claims]
    CandidateSet.objects.filter(pk__in=ids).update(lease_until=past)
    Seat.objects.filter(set__in=ids).update(lease_until=past)


def test_renewing_moves_the_lease_of_set_and_seat(plan: Plan) -> None:
    claim = a_claim(plan)
    expire(claim)

    assert leasing.renew([key(claim)]) == {key(claim): True}

    renewed = row(claim)
    assert renewed.lease_until
    assert renewed.lease_until > timezone.now()
    assert Seat.objects.get().lease_until == renewed.lease_until


def test_what_is_no_longer_ours_does_not_come_back(plan: Plan) -> None:
    dropped, taken_over, ours = a_claim(plan), a_claim(plan), a_claim(plan)
    CandidateSet.objects.filter(pk=dropped.set_id).update(
        state="failed", reason="not_wanted", lease_until=None
    )
    CandidateSet.objects.filter(pk=taken_over.set_id).update(attempt=2)

    held = leasing.renew([key(one) for one in (dropped, taken_over, ours)])

    assert held == {key(ours): True}


def test_a_row_that_somebody_holds_stays_ours_without_waiting(plan: Plan) -> None:
    held, free = a_claim(plan), a_claim(plan)
    with racing.runners("anna") as (anna,):
        anna.begin()
        anna.do("SELECT FROM sampling_candidateset WHERE id = %s FOR UPDATE", [held.set_id])

        assert leasing.renew([key(held), key(free)]) == {key(held): False, key(free): True}
        anna.rollback()


def test_an_expired_set_is_pending_again(plan: Plan) -> None:
    gone, alive = a_claim(plan), a_claim(plan)
    expire(gone)

    assert leasing.return_expired() == 1
    assert leasing.return_expired() == 0

    assert (row(gone).state, row(gone).attempt_log[0]["outcome"]) == ("pending", "expired")
    assert row(alive).state == "generating"


def test_a_set_whose_workers_vanish_each_time_fails_in_the_end(plan: Plan) -> None:
    asked = factories.candidate_set(plan)
    for _ in range(3):
        claim = claim_next()
        assert claim
        expire(claim)
        leasing.return_expired()

    asked.refresh_from_db()
    assert (asked.state, asked.reason, asked.attempt) == ("failed", "interrupted", 3)
    assert claim_next() is None


def test_a_plan_that_cannot_be_used_any_more_holds_nobody_up(plan: Plan) -> None:
    broken, sound = a_claim(plan), a_claim(factories.plan(endpoints=[factories.endpoint()]))
    Plan.objects.filter(pk=plan.pk).update(body={})
    expire(broken, sound)

    assert leasing.return_expired() == 2


def test_attempts_that_were_cut_short_for_others_do_not_count(plan: Plan) -> None:
    asked = factories.candidate_set(plan)
    for _ in range(5):
        claim = claim_next()
        assert claim
        leasing.give_back([key(claim)])

    asked.refresh_from_db()
    assert (asked.state, asked.attempt) == ("pending", 5)


def test_giving_back_frees_the_seats_and_rings(plan: Plan, redis: Redis) -> None:
    claims = [a_claim(plan), a_claim(plan)]
    before = redis.llen("generate")

    assert leasing.give_back(key(one) for one in claims) == 2

    assert {row(one).state for one in claims} == {"pending"}
    assert not Seat.objects.exists()
    assert redis.llen("generate") == before + 2


def test_a_set_that_somebody_took_over_is_not_given_back(plan: Plan) -> None:
    claim = a_claim(plan)
    CandidateSet.objects.filter(pk=claim.set_id).update(attempt=2)

    assert leasing.give_back([key(claim)]) == 0
    assert row(claim).state == "generating"


def test_only_the_own_attempts_seat_is_left(plan: Plan) -> None:
    claim = a_claim(plan)

    leasing.leave_seat((claim.set_id, claim.attempt + 1))
    assert Seat.objects.count() == 1

    leasing.leave_seat(key(claim))
    assert Seat.objects.count() == 0


def test_progress_is_written_only_for_what_is_ours(plan: Plan) -> None:
    ours, lost = a_claim(plan), a_claim(plan)
    CandidateSet.objects.filter(pk=lost.set_id).update(attempt=2)

    assert leasing.write_progress({key(ours): 2, key(lost): 3}) == {key(ours)}

    assert (row(ours).progress, row(lost).progress) == (2, 0)
