"""Does a text speak of hurting oneself? By phrases of a data file, which a specialist must review.

The answer leads its writer to a page with people to talk to, once, and is stored nowhere.
"""

import unicodedata
from functools import cache

import regex
import yaml
from django.conf import settings

PHRASES = settings.ROOT / "annotation" / "distress.yaml"
ANYWHERE = "en"  # people write English in every country
BETWEEN = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


def speaks_of_self_harm(text: str, *, language: str) -> bool:
    """Whether the text has one of the phrases of this language, or of English."""
    words = _words(text)
    return any(phrase in words for phrase in phrases(language) | phrases(ANYWHERE))


@cache
def phrases(language: str) -> frozenset[str]:
    """The phrases of a language as `_words` writes them; read once per process."""
    read = yaml.safe_load(PHRASES.read_text(encoding="utf-8"))
    return frozenset(_words(phrase) for phrase in read.get(language, ()))


def _words(text: str) -> str:
    """The words alone, in small letters without accents, with a space before and after each.

    Accents are often left out in a hurry. Vowel signs, which Hindi cannot do without, stay.
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    latin = regex.sub(r"(?<=\p{Latin})\p{M}+", "", plain)
    return f" {BETWEEN.sub(' ', unicodedata.normalize('NFC', latin)).strip()} "
