"""How alike texts are in wording, in any language: the share of character 3-5-grams that two texts
have in common.

Wording only. Two texts that say the same in other words are far apart here, and a "yes" and a "no"
may be close. Shares of sets, not cosines of counts: the cosine of two unrelated texts grows with
their length, this stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sampling.guard.words import pieces

SIZES = (3, 4, 5)

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
    grams = [_grams(normalised(text)) for text in texts]
    shares = np.eye(len(texts))
    for one, other in combinations(range(len(texts)), 2):
        shares[one, other] = shares[other, one] = _share(grams[one], grams[other])
    shares.setflags(write=False)
    return shares


def _share(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    if not len(one) or not len(other):
        return 0.0
    both = np.concatenate((one, other))
    both.sort()
    common = int(np.count_nonzero(both[1:] == both[:-1]))
    return common / (len(one) + len(other) - common)


def _grams(text: str) -> NDArray[np.uint64]:
    """The distinct grams of a text, hashed to 64 bits, in order."""
    codes = np.frombuffer(f" {text} ".encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    hashed = np.concatenate([_hashed(codes, size) for size in SIZES])
    hashed.sort()
    first = np.ones(len(hashed), dtype=np.bool_)
    first[1:] = hashed[1:] != hashed[:-1]
    distinct: NDArray[np.uint64] = hashed[first]
    return distinct


def _hashed(codes: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """A multiplicative hash of every window, on whole arrays: a loop over the grams costs fifty
    times as much.
    """
    windows = max(0, len(codes) - size + 1)
    value = np.full(windows, size, dtype=np.uint64)
    for offset in range(size):
        value = (value ^ codes[offset : offset + windows]) * np.uint64(0x100000001B3)
    return value
