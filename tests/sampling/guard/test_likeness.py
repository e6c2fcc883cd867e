"""Likeness of wording, on real sets and as a measure."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling.guard.likeness import NEAR_DUPLICATE, likeness
from tests.sampling.guard.samples import recorded_sets


@pytest.mark.parametrize("sample", recorded_sets())
def test_the_threshold_parts_recorded_sets_as_a_reader_did(sample: dict[str, Any]) -> None:
    shares = likeness(sample["expected"])

    highest = shares[np.triu_indices(4, 1)].max()
    assert (highest >= NEAR_DUPLICATE) == bool({"near_duplicate", "identical"} & {*sample["guard"]})


@given(st.lists(st.text(max_size=80), min_size=1, max_size=5))
def test_likeness_is_symmetric_and_between_nothing_and_one(texts: list[str]) -> None:
    shares = likeness(texts)

    assert (shares == shares.T).all()
    assert shares.min() >= 0
    assert (np.diag(shares) == 1).all()


def test_case_marks_and_blanks_make_no_difference() -> None:
    assert likeness(["Lend it -- now!", "lend  it: NOW"])[0, 1] == 1.0


def test_texts_in_other_words_share_little_in_any_script() -> None:
    english = likeness(["Lend it to him today.", "Keep your savings for a rainy season."])
    hindi = likeness(["उसे आज ही पैसे दे दीजिए।", "अपनी बचत सँभालकर रखना बेहतर है।"])

    assert max(english[0, 1], hindi[0, 1]) < 0.15
