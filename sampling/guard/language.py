"""Which of the five data languages a text is written in: by script, then by its commonest words.

Cheap and coarse: it tells Hindi from Latin letters and the four Latin languages from each other in
texts of a dozen words or more. It does not see invented words in the right language; nothing of
form does. Hindi is written in Devanagari here: in Latin letters it counts as another language.
"""

from __future__ import annotations

from functools import lru_cache

import regex

from sampling.guard.scripts import mixes_scripts as mixes_scripts
from sampling.guard.words import pieces

_DEVANAGARI = regex.compile(r"\p{Script=Devanagari}+")
_LATIN = regex.compile(r"\p{Script=Latin}+")

# The commonest words of each language that the others do not write the same way.
COMMON = {
    "en": """the and to of you your is it that for with are this be have can not but or if they what
        will do from we our when how my should would more about there their which than""",
    "fr": """le les des est et vous votre vos pour pas que qui dans une avec sur ce cette mais ou il
        elle sont être avoir plus peut nous je tu ton ta aux du au ne si leur faire d l c n qu""",
    "it": """il lo gli di che è e un una per non con sono del della dei delle alla nel nella tuo tua
        suo sua più ma anche come questo questa se può essere tuoi ti si perché ai al
        le tu tue meglio cosa quello chi""",
    "pt": """o os as de que é e um uma para não com são do da dos das ao no na nos nas seu sua seus
        você mais mas também como este esta isso se pode ser por pelo ele ela sem muito""",
}
# Hindi in Latin letters, as phones write it: what annotators of Hindi sets did not ask for.
ROMANISED = "hi-Latn"
_ROMANISED_WORDS = """hai hain hoon nahi nahin aap aapko aapke aapki aapka kya kyunki lekin
    mein chahiye karna karen karke kar ka ki ke ko bhi toh apne apni apna hota hoti hona raha rahi
    rahe agar aur liye sakte sakta sakti unke unki uske mujhe tum hum yeh woh jab
    koi kuch sab pehle baad"""
_COMMON = {
    language: frozenset(listed.split())
    for language, listed in {**COMMON, ROMANISED: _ROMANISED_WORDS}.items()
}
# The commonest words of any of them; a run of nothing else says nothing about where it comes from.
COMMON_WORDS = frozenset().union(*_COMMON.values())


@lru_cache(maxsize=32)
def detect(text: str) -> str | None:
    """The language, `hi-Latn` for romanised Hindi, or None when the text is too short or too mixed
    to tell.
    """
    found = pieces(text)
    if not text.isascii() and _DEVANAGARI.search(text):
        devanagari, latin = _letters(_DEVANAGARI, text), _letters(_LATIN, text)
        if devanagari > latin:
            return "hi" if devanagari >= 10 else None
    if sum(map(len, found)) < 20:
        return None
    return _by_words(found)


def _letters(script: regex.Pattern[str], text: str) -> int:
    return sum(map(len, script.findall(text)))


def _by_words(found: tuple[str, ...]) -> str | None:
    counts = {
        language: sum(map(common.__contains__, found)) for language, common in _COMMON.items()
    }
    best, second = sorted(counts, key=lambda name: counts[name], reverse=True)[:2]
    clear = counts[best] >= 2 and counts[best] > 1.25 * counts[second]
    return best if clear else None


def in_another_language(text: str, language: str) -> bool:
    """Whether the text is surely not in the language: told by its words, or in another script.

    A text of Latin letters under a Hindi question is wrong whatever its words are; loan words
    inside Devanagari are not.
    """
    found = detect(text)
    if found is not None:
        return found != language
    return language == "hi" and _letters(_LATIN, text) >= 20 and not _DEVANAGARI.search(text)
