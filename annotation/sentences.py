"""The sentences of a raw text, as stretches of its characters. Pure, and the same every time.

A sentence ends at its stop and the quotes that close after it, or at a line's end. What only draws
(marks of lists and headings, white space) belongs to none.
"""

from functools import lru_cache

import regex

Span = tuple[int, int]

# A stop ends a sentence only before white space: "3.5" and "z.B." go on. The danda and its double
# end one in Hindi; the full-width stops need no space after them.
END = regex.compile(r"[.!?…؟।॥]+[\"'”’»)\]]*(?=\s|$)|[。！？]+[」』”]*|\n+")
DRAWN = regex.compile(r"\A(?:[\s>#]|[-*+](?=\s)|\p{N}{1,3}[.)](?=\s))+")
SPOKEN = regex.compile(r"[\p{L}\p{N}]")
# What Markdown draws with inside a line.
MARKUP = regex.compile(r"[*_`~#]+")


@lru_cache(maxsize=4096)
def sentences(text: str) -> tuple[Span, ...]:
    """The sentences in order, each as (start, end) in characters, the end excluded."""
    found = []
    start = 0
    for stop in END.finditer(text):
        # With the white space after it, which tells the number of a list from a sentence.
        if SPOKEN.search(without_drawing(text[start : stop.end() + 1])):
            found.append((start, stop.end()))
            start = stop.end()
    found.append((start, len(text)))
    trimmed = (_trimmed(text, span) for span in found)
    return tuple(span for span in trimmed if SPOKEN.search(text[slice(*span)]))


def without_drawing(text: str) -> str:
    """The words of a stretch, without the marks that Markdown draws from."""
    return MARKUP.sub("", DRAWN.sub("", text)).strip()


def _trimmed(text: str, span: Span) -> Span:
    start, end = span
    drawn = DRAWN.match(text[start:end])
    start += drawn.end() if drawn else 0
    return start, max(start, start + len(text[start:end].rstrip()))
