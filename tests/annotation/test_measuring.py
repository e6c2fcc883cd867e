"""What a browser says that it measured is bounded, or not measured."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as some

from annotation.measuring import MOST, Measures, columns
from studies.consenting import PASTING

NOW = timezone.now()
NUMBERS = some.none() | some.integers(min_value=-(10**12), max_value=10**12)


def measured(said: Measures, *, seconds: float = 60, **agreed: Any) -> dict[str, Any]:
    return columns(
        said,
        shown_at=NOW - timedelta(seconds=seconds),
        now=NOW,
        display_order=[2, 0, 3, 1],
        purposes=agreed.get("purposes", ()),
    )


def test_a_duration_cannot_be_longer_than_the_time_that_passed() -> None:
    year = 365 * 24 * 3600 * 1000
    assert measured(Measures(visible_ms=59_000))["visible_ms"] == 59_000
    assert measured(Measures(visible_ms=61_000))["visible_ms"] == 60_000
    assert measured(Measures(visible_ms=year, first_choice_ms=year)) | {
        "visible_ms": None,
        "first_choice_at": None,
    } == measured(Measures(visible_ms=year, first_choice_ms=year))


def test_the_reach_of_each_text_is_stored_by_slot() -> None:
    assert measured(Measures(reach=(100, 40, 0, 7)))["reach"] == [40, 7, 100, 0]
    for reach in ((), (1, 2, 3), (1, 2, 3, 101), (1, 2, 3, 4, 5)):
        assert measured(Measures(reach=reach))["reach"] is None


def test_paste_events_are_counted_for_those_who_agreed() -> None:
    assert measured(Measures(pastes=2))["pastes"] is None
    assert measured(Measures(pastes=2), purposes=["take_part", PASTING])["pastes"] == 2


@settings(max_examples=60)
@given(NUMBERS, NUMBERS, NUMBERS, some.text(max_size=12))
def test_whatever_is_said_fits_its_column(
    first: int | None, visible: int | None, changes: int | None, name: str
) -> None:
    said = Measures(
        first_choice_ms=first, visible_ms=visible, changes=changes, layout=name, viewport=name
    )
    stored = measured(said)
    assert stored["first_choice_at"] is None or stored["first_choice_at"] <= NOW
    assert stored["visible_ms"] is None or 0 < stored["visible_ms"] <= 60_000
    assert stored["changes"] is None or 0 <= stored["changes"] <= MOST
    assert stored["layout"] in {"", "stack", "grid", "pager"}
    assert stored["viewport"] in {"", "phone", "tablet", "wide"}
