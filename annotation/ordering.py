"""In which order one person sees the candidates of a set. Pure: no rows, no chance.

Blocks of a Williams square: in the first m orders of a seed, the counts of each candidate in each
position differ by at most one; over whole blocks each ordered pair of neighbours is equally
frequent. A square balances neighbours for even k only; for odd k, a block is a square and its
mirror image, one whole after the other.
"""

import hashlib
from functools import lru_cache


@lru_cache(maxsize=4096)
def display_order(*, seed: str, k: int, n: int) -> tuple[int, ...]:
    """The slots in display order at the n-th showing (from 1) under this seed."""
    squares = 1 if k % 2 == 0 else 2
    block, row = divmod(n - 1, k * squares)
    square, row = divmod(row, k)
    slots = _shuffled(k, f"{seed}:{block}:slots")
    start = _shuffled(k, f"{seed}:{block}:rows:{square}")[row]
    zigzag = _zigzag(k)
    order = tuple(slots[(step + start) % k] for step in zigzag)
    return order[::-1] if square else order


@lru_cache(maxsize=16)
def _zigzag(k: int) -> tuple[int, ...]:
    """0, 1, k-1, 2, k-2, ...: the first row of a Williams square; the others add a constant."""
    return tuple((i + 1) // 2 if i % 2 else (k - i // 2) % k for i in range(k))


def _shuffled(k: int, seed: str) -> list[int]:
    # By hashes, so that the order is the same under every version of Python.
    return sorted(range(k), key=lambda i: hashlib.sha256(f"{seed}:{i}".encode()).digest())
