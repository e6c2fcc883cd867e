"""How alike texts are in wording, in any language: the share of character 3-5-grams that two texts
have in common.

Wording only. Two texts that say the same in other words are far apart here, and a "yes" and a "no"
may be close. Shares of sets, not cosines of counts: the cosine of two unrelated texts grows with
their length, this stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from sampling.guard.words import pieces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# On the recorded sets of a real model, texts that a reader called near-duplicates share at least
# 0.50 of their grams (`For those who value safety, extra money should ...` four times), and others
# at most 0.32. Half way.
NEAR_DUPLICATE = 0.42


def normalised(text: str) -> str:
    """The text as it is compared: letters, marks and digits in lower case, single blanks."""
    return " ".join(pieces(text))


def likeness(texts: Sequence[str]) -> NDArray[np.float64]:
    """The symmetric matrix of shares: 1 on the diagonal, 0 where no gram is in common."""
    return _likeness(tuple(texts))


@lru_cache(maxsize=8)
def _likeness(texts: tuple[str, ...]) -> NDArray[np.float64]:
    """Kept for a moment: the verdict and the diversity of a set ask for the same matrix."""
    from sampling.guard.grams import shares_of  # numpy, which pages never pay for

    return shares_of([normalised(text) for text in texts])
