"""What a browser measured beside a choice, and how far it is believed.

A browser's clock is anybody's. Durations come from a clock that only runs forward, and none can be
longer than the time that the server saw pass; what is out of bounds was not measured.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from annotation.models import Comparison, Turn
from studies.consenting import PASTING

MOST = 1000  # changes or pastes; who does more of it is not measured any finer
SLACK = timedelta(seconds=2)  # a page's clock starts a little before the server knows
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Measures:
    """As posted. Milliseconds count from the showing of the page while it was visible; `reach` says
    how far down each text was on screen, in percent, in display order; None or empty without
    scripting."""

    first_choice_ms: int | None = None
    visible_ms: int | None = None
    changes: int | None = None
    pastes: int | None = None
    reach: Sequence[int] = ()
    layout: str = ""
    viewport: str = ""


def columns(
    measured: Measures,
    *,
    shown_at: datetime,
    now: datetime,
    display_order: Sequence[int],
    purposes: Collection[str],
) -> dict[str, Any]:
    """The columns of a comparison, each within its bounds, or null (empty for names)."""
    first_choice = _duration(measured.first_choice_ms, longest=now - shown_at)
    visible = _duration(measured.visible_ms, longest=now - shown_at)
    return {
        "first_choice_at": None if first_choice is None else min(shown_at + first_choice, now),
        "visible_ms": None if visible is None else visible // MILLISECOND,
        "changes": _count(measured.changes),
        "pastes": _count(measured.pastes) if PASTING in purposes else None,
        "reach": _by_slot(measured.reach, display_order),
        "layout": measured.layout if measured.layout in Turn.Layout.values else "",
        "viewport": measured.viewport if measured.viewport in Comparison.Viewport.values else "",
    }


def _duration(milliseconds: int | None, *, longest: timedelta) -> timedelta | None:
    """Nothing for what cannot have been measured."""
    if milliseconds is None or not 0 < milliseconds <= (longest + SLACK) / MILLISECOND:
        return None
    return min(timedelta(milliseconds=milliseconds), longest)


def _count(number: int | None) -> int | None:
    return None if number is None or number < 0 else min(number, MOST)


def _by_slot(reach: Sequence[int], display_order: Sequence[int]) -> list[int] | None:
    """Percents in display order, put in the order of slots; None unless there is one for each."""
    if len(reach) != len(display_order) or not all(0 <= percent <= 100 for percent in reach):
        return None
    return [percent for _, percent in sorted(zip(display_order, reach, strict=True))]
