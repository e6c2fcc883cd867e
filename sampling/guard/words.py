"""Words, endings and scripts of a text, in any language."""

from __future__ import annotations

from functools import lru_cache

import regex

# Marks belong to words: without \p{M} a Devanagari word breaks at every vowel sign.
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*")
_CLOSING = r"[.!?…。！？।॥]"
AFTER = r"[\"'”’»)\]*_\s\p{So}\p{Sk}\uFE0F\u200D]*"
_ENDS = regex.compile(rf"{_CLOSING}{AFTER}$")
# The end of a sentence: a closing mark, perhaps quotes after it, then a blank or a line.
_LAST_SENTENCE = regex.compile(rf"^.*{_CLOSING}[\"'”’»)\]*_]*(?=\s)", regex.DOTALL)


@lru_cache(maxsize=32)
def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case."""
    return tuple(_WORD.findall(text.casefold()))


@lru_cache(maxsize=32)
def pieces(text: str) -> tuple[str, ...]:
    """The words, taken apart at apostrophes and hyphens: "l'ami" has an article."""
    joined = " ".join(words(text))
    return tuple(joined.replace("'", " ").replace("’", " ").replace("-", " ").split())


def count_words(text: str) -> int:
    return len(words(text))


def ends(text: str) -> bool:
    """Whether the text ends as a sentence does: with a closing mark, whatever quotes, brackets or
    emoji follow it.
    """
    return _ENDS.search(text[-40:]) is not None


def to_last_sentence(text: str) -> str:
    """The text up to the end of its last whole sentence; empty when it holds none."""
    found = _LAST_SENTENCE.match(text)
    return found.group().strip() if found else ""
