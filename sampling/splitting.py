"""Splits a generation with `###` markers into its responses.

Rules, each from an output that a model really wrote (tests/sampling/samples): markers in a row are
one; a marker may stand inside a line; numbers and labels (`1.`, `First Response:`) are no part of a
text, and a label alone is no response; text before the first marker is never a response. What
remains is counted and never guessed at: a wrong count is for the caller to refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import regex

# Four hashes in a row count as well: whichever heading level a model falls into, it must not end up
# inside a text.
MARKER = regex.compile(r"#{3,}")

# "1.", "2)", "(3)", "4:" at the start of a response.
_NUMBER = regex.compile(r"\s*(?:\*\*)?\(?\d{1,2}[.):](?:\*\*)?(?=\s|$)")

_NOUN = (
    r"(?:response|answer|option|reply|r[ée]ponse|risposta|resposta|op[çc][ãa]o|उत्तर|जवाब|प्रतिक्रिया)"
)
_ORDINAL = (
    r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth"
    r"|premi[èe]re|deuxi[èe]me|seconde|troisi[èe]me|quatri[èe]me|cinqui[èe]me"
    r"|prima|seconda|terza|quarta|quinta"
    r"|primeira|segunda|terceira"
    r"|पहला|पहली|दूसरा|दूसरी|तीसरा|तीसरी|चौथा|चौथी|पाँचवाँ|पांचवां)"
)
_COUNT = r"(?:n[°ºo.]?\s*)?(?:\d{1,2}|[A-H]|one|two|three|four|five|six|seven|eight)"
# A label ends in a colon or dash, or with its line.
_LABEL = regex.compile(
    rf"\s*[*_]*(?:{_ORDINAL}\s+{_NOUN}|{_NOUN}\s+#?{_COUNT}|{_NOUN})[*_]*"
    r"\s*(?:[:：][*_]*|[-–—](?=\s)|\.?(?=\n|$))",
    regex.IGNORECASE,
)
_RULE = regex.compile(r"-{3,}|\*{3,}|_{3,}")

# A last response that is still being written counts once it is longer than any label.
_LONGER_THAN_A_LABEL = 40
_LONG_ENOUGH_TO_TELL = 400
# Two in a row are normal.
MARKERS_IN_A_ROW = 4
# While a stream is written, a run of hashes may still grow.
_FINISHED_MARKER = regex.compile(r"(?<!#)#{3,}+(?=[^#])")


@dataclass(frozen=True)
class Split:
    """The responses in order, and what was taken away to find them."""

    responses: tuple[str, ...]
    notes: tuple[str, ...] = ()


def split(text: str) -> Split:
    """The responses of a generation; none when it holds no marker."""
    before, *sections = MARKER.split(text)
    notes = {"text before the first marker"} if before.strip() else set()
    responses = []
    for section in sections:
        response, taken = _clean(section)
        notes |= taken
        if response:
            responses.append(response)
    return Split(tuple(responses), tuple(sorted(notes)))


def _clean(section: str) -> tuple[str, set[str]]:
    """A section without its number and label, and what was taken away."""
    taken = set()
    for pattern, name in ((_NUMBER, "number"), (_LABEL, "label"), (_NUMBER, "number")):
        if found := pattern.match(section):
            section = section[found.end() :]
            taken.add(name)
    return _without_rules(section.strip()), taken


def _without_rules(text: str) -> str:
    """The text without the horizontal rules that models draw below a response."""
    lines = text.split("\n")
    while len(lines) > 1 and (not lines[-1].strip() or _RULE.fullmatch(lines[-1].strip())):
        lines.pop()
    return "\n".join(lines).strip()


class Markers:
    """Watches a generation: tells how many responses are whole, and when the rest cannot help.

    Reads each piece once; a stream may hold a quarter of a million characters.
    """

    def __init__(self, *, k: int, tell: Callable[[int], None]) -> None:
        self._k = k
        self._tell = tell
        self._tail = ""  # what stands behind the last marker
        self._scanned = 0
        self._started = False
        self._whole = 0
        self._empty_in_a_row = 0

    def watch(self, piece: str) -> str | None:
        """Why the stream should be closed now, or None to read on."""
        self._tail += piece
        if not piece.strip("#"):
            return None
        while found := _FINISHED_MARKER.search(self._tail, self._scanned):
            self._close(self._tail[: found.start()])
            self._tail, self._scanned = self._tail[found.end() :], 0
            if self._empty_in_a_row >= MARKERS_IN_A_ROW - 1:
                return "four markers in a row without text"
        self._scanned = len(self._tail.rstrip("#"))
        if self._whole >= self._k and self._next_has_begun():
            return f"response {self._k + 1} began"
        return None

    def _close(self, section: str) -> None:
        """The section before a marker is finished; the one before the first is no response."""
        if not self._started:
            self._started = True
            return
        self._empty_in_a_row = 0 if section.strip() else self._empty_in_a_row + 1
        if _clean(section)[0]:
            self._whole += 1
            self._tell(min(self._whole, self._k))

    def _next_has_begun(self) -> bool:
        start = self._tail[:_LONG_ENOUGH_TO_TELL]
        return self._whole > self._k or len(_clean(start)[0]) > _LONGER_THAN_A_LABEL
