"""How different the wording of a set is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling.diversity import diversity
from tests.sampling.drawings import TEXTS


def test_four_of_the_same_count_as_one() -> None:
    figures = diversity([TEXTS[0]] * 4)

    assert figures.distance == 0
    assert figures.vendi == pytest.approx(1)
    assert figures.length_ratio == 1


def test_four_different_ones_count_nearly_as_four() -> None:
    figures = diversity(TEXTS[:4])

    assert figures.distance > 0.8
    assert figures.vendi > 3.4


def test_it_is_labelled_as_wording() -> None:
    assert diversity(TEXTS[:2]).as_json()["of"] == "wording"


@given(st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_figures_stay_within_their_bounds(texts: list[str]) -> None:
    figures = diversity(texts)

    assert 0 <= figures.distance <= 1
    assert 1 - 1e-6 <= figures.vendi <= len(texts) + 1e-6
    assert len(figures.words) == len(texts)
