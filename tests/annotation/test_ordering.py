"""The order in which candidates are shown: balanced, and the same every time."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from annotation.ordering import display_order

SIZES = some.integers(min_value=2, max_value=8)
SEEDS = some.text(max_size=20)


def orders(seed: str, k: int, count: int) -> list[tuple[int, ...]]:
    return [display_order(seed=seed, k=k, n=n) for n in range(1, count + 1)]


def whole_block(k: int) -> int:
    return k if k % 2 == 0 else 2 * k


@given(seed=SEEDS, k=SIZES, n=some.integers(min_value=1, max_value=10_000))
def test_an_order_holds_every_slot_once_and_stays(seed: str, k: int, n: int) -> None:
    order = display_order(seed=seed, k=k, n=n)
    assert sorted(order) == list(range(k))
    display_order.cache_clear()
    assert display_order(seed=seed, k=k, n=n) == order


@given(seed=SEEDS, k=SIZES, showings=some.integers(min_value=1, max_value=60))
def test_each_candidate_stands_in_each_place_equally_often(
    seed: str, k: int, showings: int
) -> None:
    counts = Counter(
        (place, slot) for order in orders(seed, k, showings) for place, slot in enumerate(order)
    )
    found = [counts[place, slot] for place in range(k) for slot in range(k)]
    assert max(found) - min(found) <= 1


@given(seed=SEEDS, k=SIZES, blocks=some.integers(min_value=1, max_value=3))
def test_each_pair_of_neighbours_is_equally_frequent_over_whole_blocks(
    seed: str, k: int, blocks: int
) -> None:
    pairs = Counter(
        pair for order in orders(seed, k, whole_block(k) * blocks) for pair in pairwise(order)
    )
    expected = blocks * whole_block(k) // k
    assert set(pairs.values()) == {expected}
    assert len(pairs) == k * (k - 1)


def test_sets_do_not_begin_with_the_same_candidate() -> None:
    firsts = Counter(display_order(seed=f"set-{n}", k=4, n=1)[0] for n in range(4000))
    assert all(850 < count < 1150 for count in firsts.values())
