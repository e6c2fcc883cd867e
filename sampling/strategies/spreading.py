"""Which of many texts are kept: those that are good and unlike each other.

The choice is greedy MAP inference for a determinantal point process (Chen, Zhang and Zhou, 2018):
the kernel of two texts is quality x likeness x quality, so that each step takes the text that adds
the most volume. Likeness is that of wording, and quality that of form; neither sees values. The
same texts always give the same choice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sampling.guard.likeness import likeness
from sampling.guard.shapes import error_text, formatted, leaked_marker, loops, special_token
from sampling.guard.words import count_words, ends
from sampling.messages import unusable

# A text with a fault of form is taken only when there is nothing else.
FAULTY = 0.05
# No volume is left: the remaining texts repeat those that were taken.
NOTHING = 1e-12


def choose(texts: Sequence[str], *, k: int, words: int, first: int = 0) -> list[int]:
    """The places of k texts, or of as many as differ at all: the `first` ones, then in each step
    the one that adds the most volume, the earlier one of equals.
    """
    quality = np.array([quality_of(text, words=words) for text in texts])
    kernel = quality[:, None] * likeness(texts) * quality[None, :]
    chosen: list[int] = []
    gains = np.diag(kernel).copy()
    rows = np.zeros((0, len(texts)))
    while len(chosen) < min(k, len(texts)):
        free = [at for at in range(len(texts)) if at not in chosen]
        best = len(chosen) if len(chosen) < first else max(free, key=lambda at: gains[at])
        if gains[best] <= NOTHING and len(chosen) >= first:
            break
        rows, gains = _without(kernel, rows, gains, best)
        chosen.append(best)
    return chosen


def _without(
    kernel: NDArray[np.float64], rows: NDArray[np.float64], gains: NDArray[np.float64], taken: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One step of the Cholesky factor: what each text still adds beside the taken one."""
    own = max(float(gains[taken]), NOTHING)
    row = (kernel[taken] - rows.T @ rows[:, taken]) / np.sqrt(own)
    return np.vstack([rows, row]), np.maximum(gains - row**2, 0.0)


def quality_of(text: str, *, words: int) -> float:
    """From 0 to 1: how near the text's length is to the words asked for; little for one that has a
    fault of form, and 0 for none.
    """
    count = count_words(text)
    if not count or unusable(text):
        return 0.0
    near = min(count / words, words / count)
    shapes = (special_token, leaked_marker, error_text, loops, formatted)
    faulty = not ends(text) or any(found_in(text) for found_in in shapes)
    return FAULTY * near if faulty else float(np.sqrt(near))
