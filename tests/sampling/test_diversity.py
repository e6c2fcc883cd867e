"""How different the wording of a set is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling.diversity import diversity
from sampling.guard.words import words
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


def test_what_is_said_again_lowers_the_share_of_different_words() -> None:
    same, different = diversity([TEXTS[0]] * 4), diversity(TEXTS[:4])

    assert same.distinct_1 == pytest.approx(len({*words(TEXTS[0])}) / (4 * same.words[0]), abs=1e-4)
    assert different.distinct_1 > 3 * same.distinct_1
    assert different.distinct_2 == 1.0
    assert diversity(["one two", "one two"]).distinct_2 == 0.5


def test_what_is_said_again_compresses_better() -> None:
    assert diversity([TEXTS[0]] * 4).compression > 2 * diversity(TEXTS[:4]).compression


def test_the_set_keeps_every_figure_with_it() -> None:
    kept = diversity(TEXTS[:4]).as_json()

    assert {"distance", "vendi", "length_ratio", "words"} < kept.keys()
    assert {"distinct_1", "distinct_2", "compression"} < kept.keys()


@given(st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_figures_stay_within_their_bounds(texts: list[str]) -> None:
    figures = diversity(texts)

    assert 0 <= figures.distance <= 1
    assert 1 - 1e-6 <= figures.vendi <= len(texts) + 1e-6
    assert len(figures.words) == len(texts)
    assert 0 <= figures.distinct_1 <= 1
    assert 0 <= figures.distinct_2 <= 1
    assert figures.compression >= 0
