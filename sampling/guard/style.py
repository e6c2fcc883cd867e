"""How a text is set: Markdown and lines, counted. Style sways choices, so the counts are kept with
each candidate as controls for those who model the choices.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import regex

_COUNTED = {
    "bold": regex.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__"),
    "headings": regex.compile(r"^\s{0,3}#{1,6}\s", regex.MULTILINE),
    "list_items": regex.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)])\s", regex.MULTILINE),
    "code": regex.compile(r"```|`[^`\n]+`"),
    "table_rows": regex.compile(r"^.*\|.*\|.*$", regex.MULTILINE),
}
# None of the patterns can match without one of these.
_MARKS = regex.compile(r"[*_#•`|\n]|^\s*(?:-|\d)")
_EMPTY = dict.fromkeys(_COUNTED, 0)


@lru_cache(maxsize=32)
def style(text: str) -> Mapping[str, int]:
    """Counts of bold runs, headings, list items, code and table rows, and of lines with text."""
    counts = dict(_EMPTY)
    if _MARKS.search(text):
        counts = {name: len(pattern.findall(text)) for name, pattern in _COUNTED.items()}
    counts["lines"] = sum(1 for line in text.split("\n") if line.strip())
    return MappingProxyType(counts)
