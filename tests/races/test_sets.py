"""Invariants 1 and 8: a ready set is whole and stays; an error is a state, never a text."""

import pytest
from django.db import transaction
from django.utils import timezone

from sampling.models import Candidate, CandidateSet
from tests import factories, racing
from tests.breaking import copy, refuser, update

pytestmark = pytest.mark.django_db(transaction=True)


def store(made: CandidateSet, word: str) -> None:
    """The end of a generation, by a worker that does not ask whether the set is still its own."""
    with transaction.atomic():
        Candidate.objects.bulk_create(
            Candidate(set=made, k=4, slot=slot, text=f"{word} {slot}", role="draw")
            for slot in range(4)
        )
        update(made, state="ready", last_slot=3, ready_at=timezone.now(), lease_until=None)


def test_two_workers_store_the_same_set_and_one_of_them_wins_whole() -> None:
    made = factories.candidate_set(state="generating")
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(store, made, "first")
        bruno.start(store, made, "second")
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "candidate_slot"

    texts = list(made.candidates.order_by("slot").values_list("text", flat=True))
    assert texts == ["first 0", "first 1", "first 2", "first 3"]


def test_a_worker_that_dies_at_the_last_moment_leaves_nothing() -> None:
    made = factories.candidate_set(state="generating")
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(store, made, "first")
        bruno.start(store, made, "second")
        bruno.expect_blocked(by=anna)
        anna.rollback()
        bruno.result()

    assert {text.split()[0] for text in made.candidates.values_list("text", flat=True)} == {
        "second"
    }


def test_a_set_that_fails_meanwhile_takes_no_candidates() -> None:
    made = factories.candidate_set(state="generating")
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(update, made, state="failed", reason="budget_spent", lease_until=None)
        bruno.start(store, made, "late")
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "set_asked_once"

    assert Candidate.objects.count() == 0


def test_a_set_that_is_ready_meanwhile_does_not_fail() -> None:
    made = factories.candidate_set(state="generating")
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(store, made, "first")
        bruno.start(update, made, state="failed", reason="too_slow", lease_until=None)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert bruno.fault() is not None

    made.refresh_from_db()
    assert (made.state, made.candidates.count()) == ("ready", 4)


def test_a_set_that_is_not_committed_yet_cannot_be_judged() -> None:
    world = factories.world()
    turn = factories.turn(world, ready=False)
    update(turn, shown_at=timezone.now(), display_order=[0, 1, 2, 3], showing_no=1)
    turn.refresh_from_db()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(store, turn.set, "first")
        bruno.start(factories.comparison, turn, choice=None)
        assert refuser(bruno.fault()) == "comparison_of_ready_set"
        anna.commit()
        bruno.do(factories.comparison, turn, choice=None)


def test_two_people_ask_for_the_same_shared_set_and_there_is_one() -> None:
    made = factories.candidate_set(shared=True, replica=7)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(copy, made, replica=0)
        bruno.start(copy, made, replica=0)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "set_shared_once"
