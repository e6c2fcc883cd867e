"""Does a text speak of hurting oneself? By phrases of a data file, which a specialist must review.

The answer leads its writer to a page with people to talk to, once, and is stored nowhere.
"""

import unicodedata
from functools import cache

import regex
import yaml
from django.conf import settings

PHRASES = settings.ROOT / "annotation" / "distress.yaml"
FIGURES = "figures of speech"  # the data file's key for what is not meant
ANYWHERE = "en"  # people write English in every country
BETWEEN = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
# Accents after Latin letters, the dot under Hindi ones, and marks that nobody sees.
LEFT_OUT = regex.compile(r"(?<=\p{Latin})\p{M}+|\N{DEVANAGARI SIGN NUKTA}|\p{Cf}")
MOON, DOT = "\N{DEVANAGARI SIGN CANDRABINDU}", "\N{DEVANAGARI SIGN ANUSVARA}"


def speaks_of_self_harm(text: str, *, language: str) -> bool:
    """Whether the text has one of the phrases of this language, or of English.

    A figure of speech that holds one ("to kill myself working") does not count.
    """
    words = _words(text)
    for figure in phrases(language, FIGURES) | phrases(ANYWHERE, FIGURES):
        words = words.replace(figure, " / ")
    return any(phrase in words for phrase in phrases(language) | phrases(ANYWHERE))


@cache
def phrases(language: str, part: str = "") -> frozenset[str]:
    """The phrases of a language as `_words` writes them, or those under another key of the file;
    read once per process.
    """
    read = yaml.safe_load(PHRASES.read_text(encoding="utf-8"))
    listed = (read[part] if part else read).get(language, ())
    return frozenset(_words(phrase) for phrase in listed)


def _words(text: str) -> str:
    """The words alone, in small letters without accents, with a space before and after each.

    Accents are often left out in a hurry, and so is the dot that Hindi puts under borrowed letters
    (ख़ुद, खुद); its two signs for a nasal are one here. Vowel signs, which Hindi cannot do without,
    stay.
    """
    plain = LEFT_OUT.sub("", unicodedata.normalize("NFKD", text.casefold())).replace(MOON, DOT)
    return f" {BETWEEN.sub(' ', unicodedata.normalize('NFC', plain)).strip()} "
