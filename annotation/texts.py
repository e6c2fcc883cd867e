"""Text at the edge: what an annotator typed is cleaned, or refused with a reason."""

import regex

from annotation.refusals import BadText
from studies import texts

MESSAGE_LIMIT = 4000  # graphemes
EXPLANATION_LIMIT = 2000

WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}\u200C\u200D'’-]*")


def clean(text: str, *, limit: int) -> str:
    """`text` as it is stored: line ends as \\n, no white space around it.

    Raises BadText: nul, surrogate, control (other than tab and line end), empty (nothing but white
    space or invisible characters), too_long (over `limit` graphemes).
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


def count_words(text: str) -> int:
    """Words in any script."""
    return sum(1 for _ in WORD.finditer(text))


def storable(text: str) -> str:
    """`text` without what no row can hold (NUL, lone surrogates), so that a draft loses no more."""
    return text.replace("\x00", "").encode(errors="ignore").decode()
