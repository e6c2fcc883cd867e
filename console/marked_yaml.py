"""YAML whose every field knows its line: the boundary between what a person typed and the program.

A strict part of YAML 1.2: `true`, `false`, `null`, whole and decimal numbers mean what they look
like; everything else is text, so `no`, `18-34` and `2026-11-24` stay what was typed. Anchors,
aliases and tags are refused: people read a study file, and so do programs that did not write it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import regex
import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

Path = tuple[str | int, ...]
Value = Any  # what YAML can hold: text, numbers, booleans, None, lists and dicts of them

MAX_BYTES = 4_000_000
MAX_DEPTH = 24  # deeper than any study file; the parser's C code would overflow its stack

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = regex.compile(r"[-+]?\d{1,15}(\.\d{1,15})?", regex.ASCII)
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None, "~": None, "": None}
_CONTROL = regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_KEY = regex.compile(r"( *)((?:- +)*)(?:\"([^\"]+)\"|([\w.+-]+)) *:(?: |$)")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file: where, what, and what to do about it."""

    line: int
    field: str
    wrong: str
    todo: str

    def __str__(self) -> str:
        return f"{self.line}: {self.field or '(file)'}: {self.wrong} -> {self.todo}"


class Unreadable(ValueError):
    """The text is no YAML that we read. Holds the problems, in the order of their lines."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass
class Marked:
    """A YAML document as plain values, and the line (from 1) on which each of them starts."""

    value: Value = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of a field, or of the nearest field around it when there is none."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)

    def at(self, path: Path) -> Value:
        """The value at a path that is in the document."""
        value = self.value
        for part in path:
            value = value[part]
        return value


def decode(data: bytes) -> str:
    """The text of a file.

    Raises Unreadable when it is too large, no UTF-8, or holds control characters.
    """
    if len(data) > MAX_BYTES:
        text = data[:MAX_BYTES].decode(errors="replace")
        wrong = f"the file has {len(data) / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read"
        raise _unreadable(text, len(text), wrong, "split the study, or shorten its texts")
    try:
        text = data.decode()
    except UnicodeDecodeError as fault:
        text = data[: fault.start].decode()
        wrong = f"byte 0x{data[fault.start]:02x} is not UTF-8"
        raise _unreadable(text, len(text), wrong, "save the file as UTF-8") from None
    if found := _CONTROL.search(text):
        wrong = f"a control character (U+{ord(found[0]):04X}) stands in the text"
        raise _unreadable(text, found.start(), wrong, "delete it")
    return text


def read(text: str) -> Marked:
    """The values of a document, with their lines. Raises Unreadable with what it found."""
    document = Marked()
    try:
        events = _content(yaml.parse(text, Loader=_LOADER), text)
        first = next(events, None)
        if first is None:
            raise Unreadable(Problem(1, "", "the file is empty", "see docs/study-file.md"))
        document.value = _build(document, first, events, ())
        for extra in events:
            raise _refused(text, extra, "a second document starts here", "keep one per file")
    except yaml.YAMLError as fault:
        raise _syntax(text, fault) from None
    if document.problems:
        raise Unreadable(*document.problems)
    return document


def _content(events: Iterator[Event], text: str) -> Iterator[Event]:
    """The events that carry content; what we do not read raises Unreadable."""
    depth = documents = 0
    for event in events:
        documents += isinstance(event, DocumentStartEvent)
        depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
        depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
        if depth > MAX_DEPTH:
            raise _refused(text, event, "fields are nested too deeply", "close the brackets")
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise _refused(text, event, "anchors (&) and aliases (*) are not read", "write it out")
        if getattr(event, "tag", None):
            raise _refused(text, event, "tags (!) are not read", "take it out, or quote the text")
        if isinstance(event, NodeEvent | MappingEndEvent | SequenceEndEvent):
            yield event


def _build(document: Marked, event: Event, events: Iterator[Event], path: Path) -> Value:
    document.lines.setdefault(path, _line(event))
    if isinstance(event, MappingStartEvent):
        return _build_mapping(document, events, path)
    if isinstance(event, SequenceStartEvent):
        return _build_sequence(document, events, path)
    assert isinstance(event, ScalarEvent)  # noqa: S101 _content lets nothing else through
    return _scalar(document, event, path)


def _build_mapping(document: Marked, events: Iterator[Event], path: Path) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for event in events:
        if isinstance(event, MappingEndEvent):
            break
        key = _key(document, event, events, path)
        below = (*path, key)
        if key in values:
            wrong = f"stands here a second time, after line {document.lines[below]}"
            problem = Problem(_line(event), dotted(below), wrong, "keep one of them")
            document.problems.append(problem)
        document.lines.setdefault(below, _line(event))
        values[key] = _build(document, next(events), events, below)
    return values


def _build_sequence(document: Marked, events: Iterator[Event], path: Path) -> list[Value]:
    values: list[Value] = []
    for event in events:
        if isinstance(event, SequenceEndEvent):
            break
        values.append(_build(document, event, events, (*path, len(values))))
    return values


def _key(document: Marked, event: Event, events: Iterator[Event], path: Path) -> str:
    if isinstance(event, ScalarEvent):
        return str(event.value)
    _build(document, event, events, (*path, "?"))
    document.problems.append(
        Problem(_line(event), dotted(path), "a name of a field is a list", "use a word")
    )
    return "?"


def _scalar(document: Marked, event: ScalarEvent, path: Path) -> Value:
    text = str(event.value)
    if found := _CONTROL.search(text):  # written as an escape, such as "\0"
        wrong = f"the text holds a control character (U+{ord(found[0]):04X})"
        document.problems.append(Problem(_line(event), dotted(path), wrong, "delete it"))
    if not event.implicit[0]:  # quoted, or a block: always text
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def _line(event: Event) -> int:
    mark = event.start_mark
    return int(mark.line) + 1 if mark else 1


def dotted(path: Path) -> str:
    """A path as people write it: `prompts[3].texts.hi`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _refused(text: str, event: Event, wrong: str, todo: str) -> Unreadable:
    return Unreadable(Problem(_line(event), nearest_field(text, _line(event)), wrong, todo))


def _unreadable(text: str, position: int, wrong: str, todo: str) -> Unreadable:
    line = text.count("\n", 0, position) + 1
    return Unreadable(Problem(line, nearest_field(text, line), wrong, todo))


def _syntax(text: str, fault: yaml.YAMLError) -> Unreadable:
    begun = "quoted" in (getattr(fault, "context", None) or "")  # a quote that nobody closed
    mark = getattr(fault, "context_mark" if begun else "problem_mark", None)
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    line = min(line, max(len(lines), 1))
    if lines and "\t" in lines[line - 1][: -len(lines[line - 1].lstrip()) or None]:
        wrong, todo = "a tab stands in the indentation", "indent with spaces"
    else:
        wrong = f"this is no YAML: {getattr(fault, 'problem', None) or fault}"
        todo = (
            "look at this line and the one before: indentation, a missing quote, or ': ' in a text"
            " (a text in double quotes may hold anything)"
        )
    return Unreadable(Problem(line, nearest_field(text, line), wrong, todo))


def nearest_field(text: str, line: int) -> str:
    """The fields around a line, read from the indentation: for text that is no YAML."""
    names: list[str] = []
    indent = None
    for row in reversed(text.split("\n")[:line]):
        found = _KEY.match(row.expandtabs(2))
        if not found:
            continue
        column = len(found[1]) + len(found[2])
        if indent is None or column < indent:
            names.insert(0, found[3] or found[4])
            indent = column
        if indent == 0:
            break
    return ".".join(names)
