"""The verdict on a set: measures, actions and what can never pass."""

from dataclasses import replace
from typing import Any

import pytest

from sampling.guard import Asked, GuardSettings, Verdict, judge, mend
from sampling.guard.cuts import cut_slots, is_cut
from sampling.strategies import Draft
from tests.sampling.drawings import QUESTION, TEXTS
from tests.sampling.guard.samples import recorded, recorded_sets

ASKED = Asked(
    message=QUESTION,
    said=(QUESTION,),
    ours=dict.fromkeys(range(4), ("Write in two sentences, as plain text: no title.",)),
)


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
        ("Lend it, brother of mine, and provide a!", "cut_off"),
        ("Sorry, the service is busy. Try again later.", "error_text"),
        ("3) Lend it to him, and do not count it.", "markers"),
        ("Here is a response for you: lend it to him.", "preamble"),
        ("to make an informed decision.", "run_on"),
        ("I'm sorry, but I can't help with that request.", "refusal"),
        ("As an AI, I see two sides of it.", "self_identification"),
        ("It is a decision for both, and for una家.", "foreign_script"),
        ("It is good to write in two sentences as plain text.", "echo"),
        ("My brother wants to open a shop. Should I lend the money?", "question_back"),
    ],
)
def test_each_fault_of_one_text_is_found_in_its_slot(text: str, measure: str) -> None:
    verdict = judged(*TEXTS[:3], text, asked=ASKED)

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


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that request.",
        "As an AI, I see two sides of it.",
        "Yes, lend it.",
    ],
)
def test_a_baseline_keeps_its_refusals(text: str) -> None:
    assert judged(*TEXTS[:3], text, baseline=True).passed
    assert not judged(*TEXTS[:3], text).passed


NEW = "preamble run_on echo question_back refusal self_identification foreign_script".split()


@pytest.mark.parametrize("measure", NEW)
@pytest.mark.parametrize("action", ["fail", "repair", "mark"])
def test_each_measure_does_what_the_plan_says(measure: str, action: str) -> None:
    settings = GuardSettings.model_validate({measure: action})

    assert settings.action(measure, baseline=True) == action
    assert settings.action(measure, baseline=False) == action


def test_of_a_generation_at_its_limit_only_the_last_answer_is_suspect() -> None:
    one_call = [replace(draft, call=0, finish_reason="length") for draft in drafts(*TEXTS[:4])]
    of_a_mix = [replace(draft, provenance={"left_over": ["x"]}) for draft in one_call]
    of_its_own = [replace(draft, finish_reason="length") for draft in drafts(*TEXTS[:4])]
    mended = [replace(draft, provenance={"trimmed": "And"}) for draft in of_its_own]

    assert cut_slots(one_call) == [3]
    assert cut_slots(of_a_mix) == []
    assert cut_slots(of_its_own) == [0, 1, 2, 3]
    assert cut_slots(mended) == []


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("You could marry him in the spring and provide a!", True),
        ("The decision to marry is a personal,.", True),
        ("Choisissez un homme avec des amis et.", True),
        ("पहले माँ से बात कीजिए और सोचिए और।", True),
        ("Converse com a sua mãe antes de decidir, e pense na.", True),
        ("Você deveria guardar o dinheiro e ajudar os.", True),
        ("Depois de tantos anos, o trem para.", False),
        ("Entre os dois caminhos, eu ficaria com o plano A.", False),
        ("That is what I would do.", False),
        ("Of the two, take plan A.", False),
        ("Il en a.", False),
        ("Une fois par an.", False),
        ("É isso que eu faria, se você me der um.", False),
    ],
)
def test_a_mark_where_no_sentence_can_end_is_a_cut(text: str, *, cut: bool) -> None:
    assert is_cut(text) is cut


def test_a_set_of_nothing_but_questions_answers_none() -> None:
    headings = [
        "How can I prepare my child for it?",
        "Should I look for other rites?",
        "Can I talk to my parents about it?",
        "Is a later date better for all?",
    ]

    assert found(judged(*headings))["question_back"] == ("repair", (0, 1, 2, 3))
    assert "question_back" not in found(judged(*headings[:3], TEXTS[0]))


def test_how_a_text_is_set_is_counted_as_a_control() -> None:
    listed = "# Do this\n- **First**: ask.\n- **Then**: lend.\n\nThat is all."

    measured = judged(*TEXTS[:3], listed).measured

    controls: Any = measured["style"]
    assert controls["3"] == {
        "bold": 2,
        "headings": 1,
        "list_items": 2,
        "code": 0,
        "table_rows": 0,
        "lines": 4,
    }
    assert set(controls["0"].values()) == {0, 1}
    assert measured["characters"] == {str(n): len(t) for n, t in enumerate([*TEXTS[:3], listed])}


@pytest.mark.parametrize("sample", recorded_sets())
def test_recorded_sets_are_flagged_as_a_reader_flagged_them(sample: dict[str, Any]) -> None:
    verdict = judged(*sample["expected"], language=sample["language"])

    names = {
        "identical": "duplicate",
        "near_duplicate": "near_duplicate",
        "markdown": "formatting",
        "length_spread": "length_spread",
        "refusal": "refusal",
    }
    wanted = {names[flag] for flag in sample["guard"] if flag in names}
    assert wanted <= {finding.measure for finding in verdict.findings}
    controls: Any = verdict.measured["style"]
    is_multiline = max(one["lines"] for one in controls.values()) > 1
    assert is_multiline or "multiline" not in sample["guard"]
    if not sample["guard"]:
        assert verdict.passed


# By row: what the guard must find (a measure, or one of several), and in which slots. The rest of
# what a reader noted is about meaning ("no opposing position"), which no form check sees.
STRUCTURED: dict[int, dict[str, set[int]]] = {
    0: {"run_on": {1, 2, 3}, "cut_off": {0, 1, 2}},
    1: {"foreign_script": {0}, "cut_off": {0, 1, 2, 3}},
    2: {"cut_off": {0}, "run_on": {0}, "too_short": {0}},
    3: {"markers": {0, 1, 2, 3}, "cut_off": {0, 1, 2, 3}},
    4: {},
    5: {},
    6: {"run_on": {1, 2}, "cut_off": {0, 1}},
    7: {"run_on": {1, 2}},
    8: {},
    9: {"cut_off": {3}},
    10: {"language": {0, 1, 2, 3}},
    11: {"cut_off": {0, 1, 2, 3}, "too_short": {0, 1, 2, 3}},
    12: {"markers": {0, 1, 2, 3}},
    13: {"cut_off": {0, 1, 2, 3}, "duplicate": {1, 2, 3}},
    14: {"foreign_script": {3}, "cut_off": {3}},
}


@pytest.mark.parametrize(("row", "sample"), [*enumerate(recorded("nc_structured_raw.jsonl"))])
def test_recorded_arrays_are_looked_into_though_they_are_valid(
    row: int, sample: dict[str, Any]
) -> None:
    asked_in = "en" if "Write in English" in sample["messages"][0]["content"] else None
    verdict = judged(*sample["expected"], language=asked_in or sample["language"])

    slots = {finding.measure: set(finding.slots) for finding in verdict.findings}
    assert {measure: slots.get(measure) for measure in STRUCTURED[row]} == STRUCTURED[row]
    assert verdict.passed is not bool(STRUCTURED[row]) or set(STRUCTURED[row]) == {"language"}


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
