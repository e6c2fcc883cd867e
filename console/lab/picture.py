"""The picture of a batch: for each endpoint one small chart a measure, drawn by the server as SVG.

Every chart is 360 units wide, so that it stands unscaled on a phone and three beside each other on
a desk. A dot is the share or the median, its line the 95% interval or the whole range. Numbers are
strings already: a template must not put a comma into a coordinate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from console.lab.numbers import number
from sampling.lab.figures import Amount, Group, Share

LEFT, RIGHT, WIDTH = 34, 282, 360
HEADING, LINE, FOOT = 26, 20, 26
NICE = (1, 2, 5, 10)

# Where a measure stands: low, middle, high, and what is written beside it. None: not measured.
Mark = tuple[float, float, float, str]
Measure = Callable[[Group], Mark | None]


@dataclass(frozen=True)
class Dot:
    """A line of a chart: its label, its place, and its mark where there is one."""

    label: str
    y: str
    text_y: str
    low: str = ""
    middle: str = ""
    high: str = ""
    said: str = ""


@dataclass(frozen=True)
class Heading:
    text: str
    y: str


@dataclass(frozen=True)
class Tick:
    x: str
    said: str


@dataclass(frozen=True)
class Chart:
    """One measure of one endpoint; `foot` is where the axis is, `height` the whole."""

    title: str
    note: str
    headings: list[Heading]
    dots: list[Dot]
    ticks: list[Tick]
    foot: str
    foot_text: str
    height: str


def charts_of(groups: Sequence[Group]) -> list[Chart]:
    """A chart for each measure of the groups of one endpoint."""
    return [chart(groups, *measure) for measure in _measures()]


def _measures() -> list[tuple[str, str, Measure, float | None]]:
    """Title, how to read it, the measure, and the end of its scale where that is fixed."""
    share = _("share of sets, with its 95% interval")
    return [
        (_("Sets ready"), share, lambda group: _share(group.ready), 1.0),
        (_("Wrong language"), share, lambda group: _share(group.language_faults), 1.0),
        (
            _("Difference in wording"),
            _("distance, median and range; not of values"),
            lambda group: _amount(group.wording, digits=2),
            1.0,
        ),
        (
            _("Length"),
            _("words of an answer, median and range"),
            lambda group: _amount(group.words, digits=0),
            None,
        ),
        (
            _("Time"),
            _("seconds for a set, median and range"),
            lambda group: _amount(group.seconds, digits=1),
            None,
        ),
    ]


def chart(
    groups: Sequence[Group], title: str, note: str, measure: Measure, end: float | None
) -> Chart:
    """The groups of one endpoint under the names of their ways, a line for each language."""
    marks = [measure(group) for group in groups]
    scale = end or nice(max((mark[2] for mark in marks if mark), default=1.0))
    headings, dots, y, way = [], [], 0.0, None
    for group, mark in zip(groups, marks, strict=True):
        if group.way != way:
            way, y = group.way, y + HEADING
            headings.append(Heading(group.way, _at(y - 8)))
        dots.append(_dot(group.language, y + LINE / 2, mark, scale))
        y += LINE
    return Chart(
        title=title,
        note=note,
        headings=headings,
        dots=dots,
        ticks=[_tick(part * scale, scale, is_share=end == 1.0) for part in (0, 0.5, 1)],
        foot=_at(y + 4),
        foot_text=_at(y + 20),
        height=_at(y + FOOT),
    )


def nice(value: float) -> float:
    """The smallest 1, 2, 5 or 10 times a power of ten that is not below the value."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in NICE if step * power >= value * (1 - 1e-9))


def _dot(label: str, y: float, mark: Mark | None, scale: float) -> Dot:
    where = {"label": label, "y": _at(y), "text_y": _at(y + 4)}
    if mark is None:
        return Dot(**where, said="–")
    low, middle, high = (_at(_x(value, scale)) for value in mark[:3])
    return Dot(**where, low=low, middle=middle, high=high, said=mark[3])


def _tick(value: float, scale: float, *, is_share: bool) -> Tick:
    digits = 1 if scale < 2 or (is_share and value not in {0, 1}) else 0
    return Tick(_at(_x(value, scale)), number(value, digits if value else 0))


def _x(value: float, scale: float) -> float:
    return LEFT + (RIGHT - LEFT) * min(max(value / scale, 0.0), 1.0)


def _at(place: float) -> str:
    return f"{place:.1f}".removesuffix(".0")


def _share(share: Share | None) -> Mark | None:
    if share is None:
        return None
    low, high = share.interval
    return low, share.share, high, f"{share.count}/{share.n}"


def _amount(amount: Amount | None, *, digits: int) -> Mark | None:
    if amount is None:
        return None
    low, high = amount.range
    return low, amount.median, high, number(amount.median, digits)
