"""Small repairs that need no model: a text cut in mid-sentence is brought back to its last whole
sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sampling.guard.cuts import is_cut
from sampling.guard.settings import MAX_CHARS, GuardSettings
from sampling.guard.words import count_words, to_last_sentence
from sampling.strategies.strategy import Draft


def mend(drafts: Sequence[Draft], *, settings: GuardSettings, baseline: bool) -> list[Draft]:
    """The drafts, cut ones trimmed where the plan repairs them. What was taken off stands in the
    provenance.
    """
    if settings.action("cut_off", baseline=baseline) != "repair":
        return list(drafts)
    return [_trimmed(draft, min_words=settings.min_words) for draft in drafts]


def _trimmed(draft: Draft, *, min_words: int) -> Draft:
    if not is_cut(draft.text) or len(draft.text) > MAX_CHARS:
        return draft
    whole = to_last_sentence(draft.text)
    if count_words(whole) < min_words:
        return draft
    tail = draft.text[len(whole) :].strip()
    return replace(draft, text=whole, provenance={**draft.provenance, "trimmed": tail})
