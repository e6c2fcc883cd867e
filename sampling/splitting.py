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
_RULE_AT_END = regex.compile(r"(?:\s*\n\s*(?:-{3,}|\*{3,}|_{3,}))+\s*$")

# A last response that is still being written counts once it is longer than any label.
_LONGER_THAN_A_LABEL = 40
_LOOP = regex.compile(r"(?:#{3,}\s*){4,}$")


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
    return _RULE_AT_END.sub("", section).strip(), taken


class Markers:
    """Watches a generation as it is written: tells how many responses are whole, and when the rest
    cannot help.
    """

    def __init__(self, *, k: int, tell: Callable[[int], None]) -> None:
        self._k = k
        self._tell = tell
        self._text = ""
        self._markers = 0

    def watch(self, piece: str) -> str | None:
        """Why the stream should be closed now, or None to read on."""
        self._text += piece
        if "#" in piece:
            self._markers = len(MARKER.findall(self._text))
            if _LOOP.search(self._text[-200:]):
                return "four markers in a row without text"
            whole = len(split(self._text[: self._text.rindex("#")]).responses)
            self._tell(min(whole, self._k))
        if self._markers > self._k and self._begun() > self._k:
            return f"response {self._k + 1} began"
        return None

    def _begun(self) -> int:
        """How many responses have begun; the last one only when it is surely no label."""
        sections = MARKER.split(self._text)
        last_is_sure = len(sections[-1].strip()) > _LONGER_THAN_A_LABEL
        known = self._text if last_is_sure else self._text[: -len(sections[-1]) or None]
        return len(split(known).responses)
