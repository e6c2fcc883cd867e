"""Answers whose decoding is constrained to a JSON array: the schema, a watch on the stream, and the
reading of what came.

Exact `minItems` and `maxItems`, no `maxLength` and no `pattern`: at such a bound the decoder writes
whatever fits. Parse first, then judge: `length` came with whole arrays, and `stop` with broken
ones. An array that parses still hides its failures, which are the guard's to find.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import regex

STRING: dict[str, Any] = {"type": "string"}

# An answer's paragraphs are two blanks apart; a decoder that has lost its way writes hundreds.
BLANKS_IN_A_ROW = 40
_FENCE = regex.compile(r"\A\s*```(?:json)?\s*", regex.IGNORECASE)
# The published instruction asks for markers, and some models write them inside the strings.
_MARKERS = regex.compile(r"\A(?:\s*#{3,})+\s*")


class Unreadable(ValueError):
    """What came is no array of the asked shape; its text says what it is instead."""


def array_format(name: str, *, item: Mapping[str, Any], k: int) -> dict[str, Any]:
    """The `response_format` of exactly k items."""
    schema = {"type": "array", "items": dict(item), "minItems": k, "maxItems": k}
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "strict": True, "schema": schema},
    }


def read_array(text: str, *, k: int) -> list[Any]:
    """The k items of an answer. Raises Unreadable for anything else; nothing is guessed."""
    start = found.end() if (found := _FENCE.match(text)) else 0
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start:].lstrip())
    except (ValueError, RecursionError):
        raise Unreadable("the answer was no whole JSON array") from None
    if not isinstance(value, list):
        raise Unreadable("the answer was JSON, but no array")
    if len(value) != k:
        noun = "string" if len(value) == 1 else "strings"
        raise Unreadable(f"the answer held {len(value)} {noun} where {k} were asked for")
    return value


def read_strings(text: str, *, k: int) -> tuple[str, ...]:
    """The k strings of an answer, as they came. Raises Unreadable."""
    values = read_array(text, k=k)
    if not all(isinstance(value, str) for value in values):
        raise Unreadable("the answer's array held something else than strings")
    return tuple(values)


def without_markers(text: str) -> tuple[str, bool]:
    """The text without the markers that it begins with, and whether it had any."""
    bare = _MARKERS.sub("", text).strip()
    return bare, bare != text.strip()


class ArrayWatch:
    """Watches an array while it is written: tells how many items are whole, and stops the stream
    when blanks run on. Reads each character once. An array that has ended is left to end by itself,
    because its token counts come last.
    """

    def __init__(self, *, k: int, tell: Callable[[int], None]) -> None:
        self._k = k
        self._tell = tell
        self._depth = 0
        self._whole = 0
        self._in_string = False
        self._escaped = False
        self._blanks = 0

    def watch(self, piece: str) -> str | None:
        """Why the stream should be closed now, or None to read on."""
        for character in piece:
            self._count_blanks(character)
            if self._blanks >= BLANKS_IN_A_ROW:
                return "blanks ran on"
            self._read(character)
        return None

    def _count_blanks(self, character: str) -> None:
        """Blanks in a row, also those that are written as escapes inside a string."""
        if self._escaped:
            self._blanks = self._blanks + 1 if character in "nrt" else 0
        elif character.isspace():
            self._blanks += 1
        elif character != "\\":
            self._blanks = 0

    def _read(self, character: str) -> None:
        if self._escaped:
            self._escaped = False
        elif self._in_string:
            self._escaped = character == "\\"
            if character == '"':
                self._in_string = False
                self._close()
        elif character == '"':
            self._in_string = True
        elif character in "[{":
            self._depth += 1
        elif character in "]}":
            self._depth -= 1
            self._close()

    def _close(self) -> None:
        """Something ended; it is an item where it stood in the array itself."""
        if self._depth == 1 and self._whole < self._k:
            self._whole += 1
            self._tell(self._whole)
