"""Sets side by side as plain text: a table of figures, then the texts in columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from sampling.side_by_side import Made

GAP = "   "
NARROWEST = 34  # a column of fewer letters cannot be read; the texts then stand below each other
HEAD = ("strategy", "endpoint", "result", "seconds", "calls", "tokens", "wording", "guard")


def set_out(made: Sequence[Made], *, width: int) -> Iterator[str]:
    """The lines of a comparison on a screen of that width."""
    yield from table([HEAD, *(_row(one) for one in made)])
    yield ""
    yield "wording: mean distance of the texts' wording, 0 to 1; it says nothing about values"
    by_strategy: dict[str, list[Made]] = {}
    for one in made:
        by_strategy.setdefault(one.wanted.strategy, []).append(one)
    for strategy, theirs in by_strategy.items():
        yield f"\n== {strategy} =="
        yield from _columns([list(_texts(one)) for one in theirs], width=width)


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines, each column as wide as its widest cell."""
    widths = [max(map(columns_of, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        cells = (_filled(cell, wide) for cell, wide in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _row(one: Made) -> tuple[str, ...]:
    figures = one.summary()
    passed = figures["passed"]
    verdict = "not asked" if passed is None else "passed" if passed else "refused"
    found, marked = (_joined(figures[name]) for name in ("findings", "marks"))
    return (
        one.wanted.strategy,
        one.wanted.endpoints[0].name,
        str(figures["state"] if one.ready else figures["reason"]),
        *(_number(figures[name]) for name in ("seconds", "calls", "tokens", "wording")),
        f"{verdict}{found and f': {found}'}{marked and f'; marked: {marked}'}",
    )


def _joined(said: object) -> str:
    return "; ".join(said) if isinstance(said, list) else ""


def _number(value: object) -> str:
    return "-" if value is None else f"{value}"


def _texts(one: Made) -> Iterator[str]:
    """A set's texts, or why there are none, as paragraphs."""
    yield f"[{one.wanted.endpoints[0].name}]"
    for candidate in one.told["candidates"]:
        stance = candidate["provenance"].get("stance")
        yield f"{candidate['slot']}{f' ({stance})' if stance else ''}: {candidate['text']}"
    if not one.ready:
        yield f"{one.told['reason']}: {one.told['error']['message']}"


def _columns(paragraphs: Sequence[Sequence[str]], *, width: int) -> Iterator[str]:
    """Lists of paragraphs beside each other, one below the other where there is no room."""
    wide = (width - len(GAP) * (len(paragraphs) - 1)) // len(paragraphs)
    if wide < NARROWEST:
        for one in paragraphs:
            yield from _columns([one], width=max(width, NARROWEST))
        return
    for row in zip_longest(*paragraphs, fillvalue=""):
        blocks = [list(wrap(text, wide)) for text in row]
        for lines in zip_longest(*blocks, fillvalue=""):
            yield GAP.join(_filled(line, wide) for line in lines).rstrip()


def wrap(text: str, wide: int) -> Iterator[str]:
    """Lines of at most `wide` columns, broken between words; a longer word stands alone."""
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if line and columns_of(longer) > wide:
                yield line
                longer = word
            line = longer
        yield line


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes: marks take none, wide letters two."""
    return sum(_columns_of(letter) for letter in text)


def _columns_of(letter: str) -> int:
    if unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1


def _filled(text: str, wide: int) -> str:
    return text + " " * (wide - columns_of(text))
