"""How different the wording of a set is: stored with each ready set.

Wording, never values: on real sets this figure was the same for strategies whose answers spread
over values very differently. It is labelled so wherever it is shown, and never ranks strategies.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sampling.guard.likeness import likeness
from sampling.guard.words import count_words
from sampling.guard.words import words as words_of


@dataclass(frozen=True)
class Diversity:
    """`distance`: mean over pairs of 1 - the share of common character grams. `vendi`: 1 (all
    alike) to k.

    `length_ratio`: the longest text's words over the shortest's; every figure here grows with
    length.

    `distinct_1`, `distinct_2`: the share of different words, and of different pairs of words, among
    those of the whole set (0 to 1; Li et al. 2016). `compression`: bytes of the set over its
    compressed bytes; more is more of the same (Shaib et al., arXiv 2403.00553).
    """

    distance: float
    vendi: float
    length_ratio: float
    words: tuple[int, ...]
    distinct_1: float = 0.0
    distinct_2: float = 0.0
    compression: float = 0.0

    def as_json(self) -> dict[str, object]:
        return {
            "of": "wording",
            "distance": self.distance,
            "vendi": self.vendi,
            "length_ratio": self.length_ratio,
            "words": list(self.words),
            "distinct_1": self.distinct_1,
            "distinct_2": self.distinct_2,
            "compression": self.compression,
        }


def diversity(texts: Sequence[str]) -> Diversity:
    """The figures of a set of at least one text."""
    shares = likeness(texts)
    words = tuple(count_words(text) for text in texts)
    return Diversity(
        distance=round(_mean_distance(shares), 4),
        vendi=round(_vendi(shares), 4),
        length_ratio=round(max(words) / max(1, min(words)), 3),
        words=words,
        distinct_1=round(_distinct(words_of(text) for text in texts), 4),
        distinct_2=round(_distinct([*pairwise(words_of(text))] for text in texts), 4),
        compression=round(_compression(texts), 3),
    )


def _distinct(listed: Iterable[Sequence[object]]) -> float:
    """The share of different ones among all; 0 where there is none."""
    every = [one for items in listed for one in items]
    return len(set(every)) / max(1, len(every))


def _compression(texts: Sequence[str]) -> float:
    joined = "\n".join(texts).encode("utf-8", "replace")
    return len(joined) / len(zlib.compress(joined, 6))


def _mean_distance(shares: NDArray[np.float64]) -> float:
    pairs = shares[np.triu_indices(len(shares), 1)]
    return float(1.0 - pairs.mean()) if len(pairs) else 0.0


def _vendi(shares: NDArray[np.float64]) -> float:
    """The exponential of the entropy of the eigenvalues of the likeness matrix over k."""
    values = np.linalg.eigvalsh(shares / len(shares))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))
