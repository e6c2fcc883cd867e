"""How different the wording of a set is: stored with each ready set.

Wording, never values: on real sets this figure was the same for strategies whose answers spread
over values very differently. It is labelled so wherever it is shown, and never ranks strategies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sampling.guard.likeness import likeness
from sampling.guard.words import count_words


@dataclass(frozen=True)
class Diversity:
    """`distance`: mean over pairs of 1 - the share of common character grams. `vendi`: 1 (all
    alike) to k.

    `length_ratio`: the longest text's words over the shortest's; every figure here grows with
    length.
    """

    distance: float
    vendi: float
    length_ratio: float
    words: tuple[int, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "of": "wording",
            "distance": self.distance,
            "vendi": self.vendi,
            "length_ratio": self.length_ratio,
            "words": list(self.words),
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
    )


def _mean_distance(shares: NDArray[np.float64]) -> float:
    pairs = shares[np.triu_indices(len(shares), 1)]
    return float(1.0 - pairs.mean()) if len(pairs) else 0.0


def _vendi(shares: NDArray[np.float64]) -> float:
    """The exponential of the entropy of the eigenvalues of the likeness matrix over k."""
    values = np.linalg.eigvalsh(shares / len(shares))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))
