"""How the simulated endpoint counts and sends text: in pieces of a few letters."""

from collections.abc import Iterable

import regex

# Joined, the pieces are the text again. Devanagari pieces are shorter because real tokenizers
# spend two to four times as many tokens on a Hindi word.
PIECE = regex.compile(r" ?(?:\p{Devanagari}{1,3}|[^\s\p{Devanagari}]{1,6})|\s")
LONG_TEXT = 50_000
LONG_PIECE = 16_000


def pieces(text: str) -> list[str]:
    """Return the tokens of a text; none for an empty one. Texts of megabytes go in big pieces."""
    if len(text) > LONG_TEXT:
        return [text[at : at + LONG_PIECE] for at in range(0, len(text), LONG_PIECE)]
    return PIECE.findall(text)


def count(texts: Iterable[str]) -> int:
    """Return how many tokens the texts have together; a guess for texts far over any context."""
    return sum(len(text) // 4 if len(text) > LONG_TEXT else len(pieces(text)) for text in texts)
