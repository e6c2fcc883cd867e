"""Letters of a script that an answer's language is not written in.

A small model slips into another script in the middle of a sentence or of a word (`नecessर`,
`una家`, `a personal,づ`). Latin loan words that stand apart in Hindi ("EMI और loan") are fine, and
so is what the person wrote first.
"""

from __future__ import annotations

import regex

_LATIN_LANGUAGES = frozenset({"en", "fr", "it", "pt"})
_NOT_LATIN = regex.compile(r"(?V1)[\p{L}--\p{Script=Latin}--\p{Script=Common}]")
_NOT_HINDI = regex.compile(
    r"(?V1)[\p{L}--\p{Script=Latin}--\p{Script=Devanagari}--\p{Script=Common}]"
)
_LATIN = regex.compile(r"\p{Script=Latin}")
_DEVANAGARI = regex.compile(r"\p{Script=Devanagari}")
# One run of letters in two scripts; a hyphen ends a run ("EMI-वाला").
_MIXED = regex.compile(
    r"\p{Script=Devanagari}\p{Script=Latin}|\p{Script=Latin}\p{M}*\p{Script=Devanagari}"
)


def foreign_letters(text: str, *, language: str, said: str = "") -> bool:
    """Whether letters of another script stand in the text. `said`: what the person wrote; letters
    that stand there may be answered with.

    Languages other than the five data languages are only held against words that mix Latin and
    Devanagari: what they are written in is not known here.
    """
    if text.isascii():
        return False
    if mixes_scripts(text):
        return True
    foreign = _foreign_to(language)
    if foreign is None:
        return False
    found = set(foreign.findall("".join(set(text))))
    return bool(found) and not found <= set(said)


def mixes_scripts(text: str) -> bool:
    """Whether Latin and Devanagari letters stand next to each other inside a word."""
    used = "".join(set(text))
    both = _LATIN.search(used) is not None and _DEVANAGARI.search(used) is not None
    return both and _MIXED.search(text) is not None


def _foreign_to(language: str) -> regex.Pattern[str] | None:
    if language in _LATIN_LANGUAGES:
        return _NOT_LATIN
    return _NOT_HINDI if language == "hi" else None
