"""The simulation, where its answer is known without it."""

import random
from statistics import mean

import pytest

from bench.queueing import Habits, Making, Outcome, Population, poisson, predicted_waits

EXACT = Making(plan_tokens=0, answer_tokens=41, spread=0, overhead=0.6)  # 2 s a set
NEVER_AHEAD = Habits(prefetched=0.0)


def crowd(*, people: int, seats: int, habits: Habits = NEVER_AHEAD, seed: int = 1) -> Outcome:
    population = Population(people=people, seats=seats, habits=habits, making=EXACT, seed=seed)
    return population.run(warm_up=200, seconds=2000)


def test_sets_that_find_free_seats_take_only_their_making() -> None:
    waits = predicted_waits([0.0, 0.5, 2.1], seats=8, making=EXACT, seed=1)
    assert waits == pytest.approx([2.0, 2.0, 2.0])


def test_sets_wait_in_order_for_the_seats_of_those_before_them() -> None:
    waits = predicted_waits([0.0, 0.5, 1.0], seats=4, making=EXACT, seed=1)
    assert waits == pytest.approx([2.0, 3.5, 5.0])


def test_half_loaded_single_server_waits_as_queueing_theory_says() -> None:
    # M/D/1: the mean time in the queue is load / (2 (1 - load)) of a service.
    arrivals = list(poisson(0.25, seconds=100_000, dice=random.Random(3)))  # noqa: S311
    waits = predicted_waits(arrivals, seats=4, making=EXACT, seed=1)
    assert mean(waits) == pytest.approx(2.0 + 0.5 * 2.0, rel=0.05)


def test_sets_asked_are_people_over_their_cycle() -> None:
    seen = crowd(people=200, seats=4000)
    # A pause to write comes after all but the last of 3.5 turns on average.
    cycle = 2.0 + 60.0 + 30.0 * 2.5 / 3.5
    assert seen.asked / seen.seconds == pytest.approx(200 / cycle, rel=0.05)
    assert seen.late == 0


def test_seats_are_busy_for_as_long_as_sets_are_made() -> None:
    seen = crowd(people=200, seats=4000)
    assert seen.busy * 1000 == pytest.approx(2.0 * seen.asked / seen.seconds, rel=0.02)


def test_first_turns_made_ahead_ask_nothing_of_those_who_wait() -> None:
    without = crowd(people=200, seats=4000)
    ahead = crowd(people=200, seats=4000, habits=Habits(prefetched=1.0, sharing=3.0))
    assert ahead.asked / ahead.comparisons == pytest.approx(2.5 / 3.5, rel=0.03)
    assert ahead.made_ahead / ahead.comparisons == pytest.approx(1 / 3.5 / 3, rel=0.05)
    assert without.made_ahead == 0


def test_too_few_seats_fail_people_after_their_patience() -> None:
    seen = crowd(people=200, seats=4)
    assert seen.busy == pytest.approx(1.0, abs=0.01)
    assert seen.late > 0


def test_the_same_seed_gives_the_same_outcome() -> None:
    assert crowd(people=50, seats=8, seed=5) == crowd(people=50, seats=8, seed=5)
    assert crowd(people=50, seats=8, seed=5) != crowd(people=50, seats=8, seed=6)
