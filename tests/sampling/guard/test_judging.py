"""The verdict on a set: measures, actions and what can never pass."""

from typing import Any

import pytest

from sampling.guard import GuardSettings, Verdict, judge, mend
from sampling.strategies import Draft
from tests.sampling.drawings import TEXTS
from tests.sampling.guard.test_likeness import recorded_sets


def drafts(*texts: str) -> list[Draft]:
    return [
        Draft(slot=slot, text=text, role="test", finish_reason="stop", call=slot)
        for slot, text in enumerate(texts)
    ]


def judged(*texts: str, baseline: bool = False, **changes: Any) -> Verdict:
    settings = GuardSettings(**changes.pop("settings", {}))
    asked = {"k": 4, "language": "en", "settings": settings, "baseline": baseline}
    return judge(drafts(*texts), **{**asked, **changes})


def found(verdict: Verdict) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {one.measure: (one.action, one.slots) for one in verdict.findings}


def test_four_different_answers_pass_with_their_values_measured() -> None:
    verdict = judged(*TEXTS[:4])

    assert verdict.passed
    assert verdict.findings == ()
    assert verdict.measured["words"] == {"0": 15, "1": 14, "2": 12, "3": 13}
    assert verdict.as_json()["passed"] is True


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("NUL \x00 is in this answer here.", "empty"),
        ("A lone \ud800 is in this answer.", "empty"),
        ("An endless answer. " * 2000, "too_long"),
        (TEXTS[0], "duplicate"),
        (TEXTS[0].upper(), "duplicate"),
        (TEXTS[0].replace("would do", "did"), "near_duplicate"),
        ('{"error": {"message": "overloaded"}}', "error_text"),
        ("I would lend it to him.<|end_of_text|>", "special_tokens"),
        ("I would lend it. ### Or else keep it.", "markers"),
        ("I would lend him the whole sum and", "cut_off"),
        ("Yes, lend it.", "too_short"),
        ("Lend it. " * 12, "loop"),
    ],
)
def test_each_fault_of_one_text_is_found_in_its_slot(text: str, measure: str) -> None:
    verdict = judged(*TEXTS[:3], text)

    assert found(verdict)[measure] == ("repair", (3,))
    assert not verdict.passed
    assert verdict.repairable
    assert 3 in verdict.bad_slots


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("Prestagli la somma, perché la famiglia viene prima di tutto il denaro.", "language"),
        ("Lend him **all** of it, and be glad that you can.", "formatting"),
        (
            "Lend it to him, my friend, and do not ask for papers. " + " ".join(TEXTS),
            "length_spread",
        ),
    ],
)
def test_what_is_only_marked_stops_nothing(text: str, measure: str) -> None:
    verdict = judged(*TEXTS[:3], text, settings={"likeness": 1.0})

    assert found(verdict)[measure] == ("mark", (3,))
    assert verdict.passed


def test_fewer_answers_than_asked_never_pass() -> None:
    verdict = judged(*TEXTS[:3])

    assert found(verdict) == {"count": ("repair", (3,))}
    assert not judged().passed


def test_more_answers_than_asked_never_pass() -> None:
    verdict = judged(*TEXTS[:5])

    assert found(verdict)["count"][0] == "fail"
    assert not verdict.repairable


def test_a_plan_says_what_a_finding_leads_to() -> None:
    short = (*TEXTS[:3], "Yes, lend it.")

    assert found(judged(*short, settings={"too_short": "fail"}))["too_short"][0] == "fail"
    assert judged(*short, settings={"too_short": "mark"}).passed
    assert found(judged(*short, baseline=True, settings={"too_short": "fail"}))["too_short"] == (
        "fail",
        (3,),
    )


def test_a_baseline_is_marked_for_likeness_and_length_but_never_for_twins() -> None:
    near = TEXTS[0].replace("would do", "did")

    assert judged(*TEXTS[:3], near, baseline=True).passed
    assert not judged(*TEXTS[:3], TEXTS[0], baseline=True).passed


@pytest.mark.parametrize("sample", recorded_sets())
def test_recorded_sets_are_flagged_as_a_reader_flagged_them(sample: dict[str, Any]) -> None:
    verdict = judged(*sample["expected"], language=sample["language"])

    names = {
        "identical": "duplicate",
        "near_duplicate": "near_duplicate",
        "markdown": "formatting",
        "length_spread": "length_spread",
    }
    wanted = {names[flag] for flag in sample["guard"] if flag in names}
    assert wanted <= {finding.measure for finding in verdict.findings}
    if not sample["guard"]:
        assert verdict.passed


def test_reasons_never_quote_the_text() -> None:
    verdict = judged(
        "secret words stand here without an end", "secret", "", "Internal Server Error"
    )

    assert "secret" not in verdict.why()
    assert "an answer was cut off" in verdict.why()


def test_mending_leaves_whole_texts_alone_and_keeps_what_it_takes() -> None:
    cut = f"{TEXTS[0]} And then"

    whole, mended = mend(drafts(TEXTS[1], cut), settings=GuardSettings(), baseline=False)

    assert whole.text == TEXTS[1]
    assert mended.text == TEXTS[0]
    assert mended.provenance == {"trimmed": "And then"}


@pytest.mark.parametrize("text", ["Yes. And then I", "no end at all in this one here"])
def test_a_text_with_too_little_left_is_not_mended(text: str) -> None:
    (same,) = mend(drafts(text), settings=GuardSettings(), baseline=False)

    assert same.text == text
