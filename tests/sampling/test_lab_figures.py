"""The figures of a run: shares with Wilson's interval, amounts with their range."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from console.lab import picture
from sampling.guard.settings import DEFAULTS
from sampling.lab import figures
from sampling.lab.figures import Outcome, groups, wilson
from sampling.models import LabSet
from tests import factories

READY = Outcome(
    endpoint="one",
    simulated=False,
    way="independent",
    language="en",
    ready=True,
    reason=None,
    judged=True,
    language_fault=False,
    seconds=2.0,
    wording=0.8,
    words=(10, 12),
)
REFUSED = replace(READY, ready=False, reason="guard_rejected", seconds=None, wording=None, words=())
AWAY = replace(REFUSED, reason="endpoint_unavailable", judged=False)


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons(count: int, n: int, low: float, high: float) -> None:
    assert wilson(count, n) == pytest.approx((low, high), abs=5e-5)


def test_outcomes_are_grouped_by_endpoint_way_and_language() -> None:
    french, persona = replace(READY, language="fr"), replace(READY, way="persona")
    other = replace(READY, endpoint="two")

    made = groups([READY, french, persona, other, READY])

    assert [(one.endpoint, one.way, one.language, one.ready.n) for one in made] == [
        ("one", "independent", "en", 2),
        ("one", "independent", "fr", 1),
        ("one", "persona", "en", 1),
        ("two", "independent", "en", 1),
    ]


def test_a_set_without_a_whole_answer_counts_as_not_ready_and_says_nothing_of_languages() -> None:
    [group] = groups([READY, replace(REFUSED, language_fault=True), AWAY])

    assert (group.ready.count, group.ready.n) == (1, 3)
    assert group.endpoint_failed == 1
    assert group.language_faults
    assert (group.language_faults.count, group.language_faults.n) == (1, 2)


def test_every_measure_of_language_is_one_that_the_guard_has() -> None:
    assert {*figures.OF_LANGUAGE} <= {*DEFAULTS}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("measure", "count"), [("language", 1), ("foreign_script", 1), ("echo", 0)]
)
@pytest.mark.parametrize("round_no", [0, 1])
def test_a_text_in_another_language_counts_in_every_round(
    measure: str, count: int, round_no: int
) -> None:
    found: dict[str, Any] = {"findings": [{"measure": measure}]}
    guard = found if round_no else {"findings": [], "earlier": [found]}
    factories.lab_set(state="ready", result={"guard": guard}, ended_at=timezone.now())

    [group] = figures.of_sets(LabSet.objects.all())

    assert group.language_faults
    assert (group.language_faults.count, group.language_faults.n) == (count, 1)


def test_amounts_are_of_ready_sets_alone() -> None:
    [group] = groups([READY, replace(READY, seconds=6.0, words=(20,)), REFUSED])

    assert group.seconds
    assert group.words
    assert (group.seconds.median, group.seconds.range, group.seconds.n) == (4.0, (2.0, 6.0), 2)
    assert (group.words.median, group.words.n) == (12, 3)


def test_where_nothing_was_measured_there_is_no_amount() -> None:
    [group] = groups([AWAY])

    assert (group.language_faults, group.wording, group.words, group.seconds) == (None,) * 4


@pytest.mark.parametrize(
    ("value", "end"), [(0, 1), (0.3, 0.5), (1, 1), (1.01, 2), (34, 50), (100, 100), (101, 200)]
)
def test_a_scale_ends_at_a_round_number(value: float, end: float) -> None:
    assert picture.nice(value) == pytest.approx(end)


def test_every_mark_of_a_chart_stands_between_its_ends() -> None:
    made = groups([READY, replace(READY, seconds=9.0), replace(READY, language="fr", seconds=3.0)])

    for chart in picture.charts_of(made):
        for dot in chart.dots:
            places = [float(dot.low), float(dot.middle), float(dot.high)]
            assert places == sorted(places)
            assert places[0] >= picture.LEFT
            assert places[2] <= picture.RIGHT
