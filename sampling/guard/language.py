"""Which of the five data languages a text is written in: by script, then by its commonest words.

Cheap and coarse: it tells Hindi from Latin letters and the four Latin languages from each other in
texts of a dozen words or more. It does not see invented words in the right language; nothing of
form does.
"""

from __future__ import annotations

from functools import lru_cache

import regex

from sampling.guard.words import words

_DEVANAGARI = regex.compile(r"\p{Script=Devanagari}")
_LATIN = regex.compile(r"\p{Script=Latin}")
# Unlike a word, a piece ends at an apostrophe: "l'ami" has an article.
_PIECE = regex.compile(r"[\p{L}\p{M}]+")

# The commonest words of each language that the others do not write the same way.
COMMON = {
    "en": """the and to of you your is it that for with are this be have can not but or if they what
        will do from we our when how my should would more about there their which than""",
    "fr": """le les des est et vous votre vos pour pas que qui dans une avec sur ce cette mais ou il
        elle sont être avoir plus peut nous je tu ton ta aux du au ne si leur faire d l c n qu""",
    "it": """il lo gli di che è e un una per non con sono del della dei delle alla nel nella tuo tua
        suo sua più ma anche come questo questa se può essere tuoi ti si perché ai al""",
    "pt": """o os as de que é e um uma para não com são do da dos das ao no na nos nas seu sua seus
        você mais mas também como este esta isso se pode ser por pelo ele ela sem muito""",
}
_COMMON = {language: frozenset(listed.split()) for language, listed in COMMON.items()}


@lru_cache(maxsize=32)
def detect(text: str) -> str | None:
    """The language, or None when the text is too short or too mixed to tell."""
    devanagari, latin = len(_DEVANAGARI.findall(text)), len(_LATIN.findall(text))
    if devanagari > latin:
        return "hi" if devanagari >= 10 else None
    if latin < 20:
        return None
    return _by_words(_PIECE.findall(text.casefold()))


def _by_words(pieces: list[str]) -> str | None:
    counts = {
        language: sum(piece in common for piece in pieces) for language, common in _COMMON.items()
    }
    best, second = sorted(counts, key=lambda name: counts[name], reverse=True)[:2]
    clear = counts[best] >= 2 and counts[best] > 1.25 * counts[second]
    return best if clear else None


def mixes_scripts(text: str) -> bool:
    """Whether a word changes its script inside: letters of another script that a model slipped
    into.
    """
    return any(_DEVANAGARI.search(word) and _LATIN.search(word) for word in words(text))
