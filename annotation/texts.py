"""Text at the edge: what an annotator typed is cleaned, or refused with a reason."""

import regex

from annotation.refusals import BadText
from studies import texts

MESSAGE_LIMIT = 4000  # graphemes
EXPLANATION_LIMIT = 2000

WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}\u200C\u200D'’-]*")

# Chinese, Japanese, Thai, Lao, Khmer, Burmese, Tibetan: a grapheme with a letter or a number in it.
WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "km", "my", "bo"})
LETTER = regex.compile(r"(?=[\p{L}\p{N}])\X")


def clean(text: str, *, limit: int) -> str:
    """`text` as it is stored: line ends as \\n, no white space around it.

    Raises BadText: nul, surrogate, control (other than tab and line end; or marks without end on
    one letter), empty (nothing but white space or invisible characters), too_long (over `limit`
    graphemes).
    """
    try:
        return texts.clean(text, limit=limit)
    except texts.Unusable as fault:
        raise BadText(fault.code, limit=fault.limit) from fault


def clean_optional(text: str, *, limit: int) -> str:
    """The same for a text that may be left out: nothing but white space becomes ""."""
    try:
        return clean(text, limit=limit)
    except BadText as refusal:
        if refusal.code == "empty":
            return ""
        raise


def count_words(text: str, language: str = "") -> int:
    """Words in any script; graphemes where the language writes no spaces between words."""
    counted = LETTER if language.split("-")[0] in WITHOUT_SPACES else WORD
    return sum(1 for _ in counted.finditer(text))


def storable(text: str) -> str:
    """`text` without what no row can hold (NUL, lone surrogates), so that a draft loses no more."""
    return text.replace("\x00", "").encode(errors="ignore").decode()
