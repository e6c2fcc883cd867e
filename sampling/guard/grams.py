"""The arithmetic of likeness: sets of hashed character grams, on whole arrays.

Apart from `likeness`, which reads and validates plans need: pages never pay for numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

SIZES = (3, 4, 5)


def shares_of(texts: Sequence[str]) -> NDArray[np.float64]:
    """The symmetric matrix of the shares of grams in common; it cannot be changed."""
    grams = [_grams(text) for text in texts]
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
