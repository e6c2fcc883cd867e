"""How alike texts are in wording, in any language: the share of character 3-5-grams that two texts
have in common.

Wording only. Two texts that say the same in other words are far apart here, and a "yes" and a "no"
may be close. Shares of sets, not cosines of counts: the cosine of two unrelated texts grows with
their length, this stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import regex
from numpy.typing import NDArray

SIZES = (3, 4, 5)

# On the recorded sets of a real model, texts that a reader called near-duplicates share at least
# 0.50 of their grams (`For those who value safety, extra money should ...` four times), and others
# at most 0.32. Half way.
NEAR_DUPLICATE = 0.42

_NOT_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


def normalised(text: str) -> str:
    """The text as it is compared: letters, marks and digits in lower case, single blanks."""
    return _NOT_WORD.sub(" ", text.casefold()).strip()


def likeness(texts: Sequence[str]) -> NDArray[np.float64]:
    """The symmetric matrix of shares: 1 on the diagonal, 0 where no gram is in common."""
    grams = [_grams(normalised(text)) for text in texts]
    shares = np.eye(len(texts))
    for one, other in combinations(range(len(texts)), 2):
        shares[one, other] = shares[other, one] = _share(grams[one], grams[other])
    return shares


def _share(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    if not len(one) or not len(other):
        return 0.0
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)


def _grams(text: str) -> NDArray[np.uint64]:
    """The distinct grams of a text, hashed to 64 bits, in order."""
    codes = np.frombuffer(f" {text} ".encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    return np.unique(np.concatenate([_hashed(codes, size) for size in SIZES]))


def _hashed(codes: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """A multiplicative hash of every window, on whole arrays: a loop over the grams costs fifty
    times as much.
    """
    windows = max(0, len(codes) - size + 1)
    value = np.full(windows, size, dtype=np.uint64)
    for offset in range(size):
        value = (value ^ codes[offset : offset + windows]) * np.uint64(0x100000001B3)
    return value
