"""Text at the edge: what a person typed is cleaned, or refused with a reason."""

import regex

# Nobody sees these, so a text of nothing else is empty. Joiners belong to Hindi words and emoji.
INVISIBLE = regex.compile(r"[\s\p{Cf}\p{Zl}\p{Zp}\u034F\u115F\u1160\u3164\uFFA0\u2800]+")
CONTROL = regex.compile(r"[\p{Cc}--[\t\n]]", regex.VERSION1)
# No script stacks so many marks on one letter; a page that shows them is unreadable.
STACKED = regex.compile(r"\p{M}{33}")
# What stands in a decoded form where its bytes were no text, lone surrogates among them.
REPLACEMENT = "\ufffd"


class Unusable(ValueError):
    """A text that is not taken: `code` is empty, too_long, nul, surrogate or control."""

    def __init__(self, code: str, *, limit: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.limit = limit


def clean(text: str, *, limit: int) -> str:
    """`text` as it is stored: line ends as \\n, no white space around it.

    Raises Unusable: nul, surrogate, control (other than tab and line end; or marks without end on
    one letter), empty (nothing but white space or invisible characters), too_long (over `limit`
    graphemes).
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _refuse_unstorable(text)
    if INVISIBLE.fullmatch(text) or not text:
        raise Unusable("empty")
    text = text.strip()
    if len(text) > limit and _is_longer(text, limit):
        raise Unusable("too_long", limit=limit)
    return text


def _refuse_unstorable(text: str) -> None:
    if "\x00" in text:
        raise Unusable("nul")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Unusable("surrogate") from error
    if CONTROL.search(text) or STACKED.search(text):
        raise Unusable("control")


def _is_longer(text: str, limit: int) -> bool:
    # A grapheme may be many characters, but a form does not take them without end.
    if len(text) > limit * 20:
        return True
    return sum(1 for _ in regex.finditer(r"\X", text)) > limit
