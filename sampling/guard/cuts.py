"""Answers that were cut off: by their own look, or because the endpoint said that it hit the limit.

Of several answers from one generation that hit its limit only the last was being written. A
`length` answer that looks whole may have lost sentences all the same; one that was brought back to
its last whole sentence (mending) says so in its provenance and is fine.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from sampling.guard.language import detect
from sampling.guard.words import AFTER, ends
from sampling.strategies.strategy import Draft

# No sentence ends in one of these, whatever mark stands behind it.
_DANGLING = {
    "en": frozenset("a an the and or your my our".split()),
    "fr": frozenset("et de des du aux".split()),
    "it": frozenset("e di del dello della degli delle nel nella".split()),
    # Not "um", "uma", "com", "para": "Se você me der um." and "O trem para." are whole sentences.
    "pt": frozenset("e de do da dos das a o as os em no na nas ao aos à às num numa".split()),
    "hi": frozenset(["और"]),
}
_LAST_WORD = regex.compile(rf"\s([\p{{L}}\p{{M}}]+)[.!।]{AFTER}$")
_COMMA_BEFORE_THE_END = regex.compile(rf"[,;،、]\p{{L}}?[.!।]{AFTER}$")


def is_cut(text: str) -> bool:
    """Whether the text does not end as a sentence does."""
    return not ends(text) or _breaks_off(text)


def _breaks_off(text: str) -> bool:
    """Whether the closing mark stands behind an article, an "and" or a comma: decoders that are
    held to a sentence pattern close their strings like that ("... and provide a!").
    """
    end = text[-60:]
    if _COMMA_BEFORE_THE_END.search(end):
        return True
    last = _LAST_WORD.search(end)
    return last is not None and last.group(1) in _DANGLING.get(detect(text) or "", ())


def cut_slots(written: Sequence[Draft]) -> list[int]:
    """The slots whose texts are cut off."""
    last_of_call = {draft.call: draft.slot for draft in sorted(written, key=lambda one: one.slot)}
    return [
        draft.slot
        for draft in written
        if is_cut(draft.text) or (last_of_call[draft.call] == draft.slot and _hit_the_limit(draft))
    ]


def _hit_the_limit(draft: Draft) -> bool:
    """Whether the limit may have taken something from this text. In a mix, answers left over stood
    behind it; an array that was closed held it whole.
    """
    told = draft.provenance
    safe = told.get("trimmed") or told.get("left_over") or told.get("array") == "closed"
    return draft.finish_reason == "length" and not safe
