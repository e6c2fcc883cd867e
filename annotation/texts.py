"""Text at the edge: what an annotator typed is cleaned, or refused with a reason."""

import regex

from annotation.refusals import BadText

MESSAGE_LIMIT = 4000  # graphemes
EXPLANATION_LIMIT = 2000

# Nobody sees these, so a text of nothing else is empty. Joiners belong to Hindi words and emoji.
INVISIBLE = regex.compile(r"[\s\p{Cf}\p{Zl}\p{Zp}\u034F\u115F\u1160\u3164\uFFA0\u2800]+")
CONTROL = regex.compile(r"[\p{Cc}--[\t\n]]", regex.VERSION1)
# No script stacks so many marks on one letter; a page that shows them is unreadable.
STACKED = regex.compile(r"\p{M}{33}")
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
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _refuse_unstorable(text)
    if INVISIBLE.fullmatch(text) or not text:
        raise BadText("empty")
    text = text.strip()
    if len(text) > limit and _is_longer(text, limit):
        raise BadText("too_long", limit=limit)
    return text


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


def _refuse_unstorable(text: str) -> None:
    if "\x00" in text:
        raise BadText("nul")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadText("surrogate") from error
    if CONTROL.search(text) or STACKED.search(text):
        raise BadText("control")


def _is_longer(text: str, limit: int) -> bool:
    # A grapheme may be many characters, but a form does not take them without end.
    if len(text) > limit * 20:
        return True
    return sum(1 for _ in regex.finditer(r"\X", text)) > limit
