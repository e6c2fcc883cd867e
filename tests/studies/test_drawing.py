"""Chance that can be repeated."""

from hypothesis import given
from hypothesis import strategies as some

from studies.drawing import unit


@given(some.text(), some.lists(some.integers() | some.text(), max_size=4))
def test_a_draw_is_a_unit_and_stays(seed: str, purpose: list[int | str]) -> None:
    drawn = unit(seed, *purpose)
    assert 0 <= drawn < 1
    assert unit(seed, *purpose) == drawn


def test_draws_are_spread_evenly() -> None:
    drawn = [unit("seed", "own", n) for n in range(10_000)]
    assert 0.48 < sum(drawn) / len(drawn) < 0.52
    assert 2300 < sum(number < 0.25 for number in drawn) < 2700
