"""Every type of question reads what a form sent into a value, or says what is wrong with it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from studies import bank
from studies.file_fields import DATA_LANGUAGES
from studies.questions import (
    REFUSED,
    AnyQuestion,
    AskIf,
    ChoiceQuestion,
    Faulty,
    MultipleQuestion,
    Posted,
    as_json,
    read_questions,
)

LABEL = {"en": "What?"}


def options(*values: str, **traits: Any) -> list[dict[str, Any]]:
    return [{"value": value, "label": LABEL, **traits} for value in values]


def question(kind: str, **fields: Any) -> AnyQuestion:
    return read_questions([{"key": "it", "kind": kind, "label": LABEL, **fields}])[0]


SINGLE = question("single", options=options("a", "b", REFUSED))
MULTIPLE = question(
    "multiple",
    options=[*options("a", "b", "c"), *options("none", alone=True), *options(REFUSED)],
    at_most=2,
)
YEAR = question(
    "number",
    min=1900,
    max=2020,
    year_of_birth=True,
    under=18,
    bands={"key": "age_band", "values": ["18-34", "35-45", "46-54", "55+"]},
)
WORDS = question("text", max_length=20)
OFFERED = ["a", "b", "c", "none", REFUSED]


def read(one: AnyQuestion, *posted: str) -> Any:
    return one.read(Posted(posted, OFFERED))


@pytest.mark.parametrize(
    ("asked", "posted", "value"),
    [
        (SINGLE, ["b"], "b"),
        (SINGLE, [REFUSED], REFUSED),
        (MULTIPLE, ["b", "a"], ["a", "b"]),
        (MULTIPLE, ["none"], ["none"]),
        (YEAR, [" 1985 "], 1985),
        (YEAR, ["१९८५"], 1985),
        (YEAR, ["1985", REFUSED], REFUSED),
        (WORDS, [" my\r\nwords "], "my\nwords"),
        (WORDS, ["", REFUSED], REFUSED),
        (WORDS, ["<b>&amp;</b>"], "<b>&amp;</b>"),
        (WORDS, ["👩‍👩‍👧‍👦" * 20], "👩‍👩‍👧‍👦" * 20),
        (question("text", required=False), ["  "], None),
        (question("single", options=options("a", "b"), required=False), [], None),
    ],
)
def test_an_answer_is_read_into_a_value(asked: AnyQuestion, posted: list[str], value: Any) -> None:
    assert read(asked, *posted) == value


@pytest.mark.parametrize(
    ("asked", "posted", "code"),
    [
        (SINGLE, [], "missing"),
        (SINGLE, ["d"], "unknown"),
        (SINGLE, ["a\x00"], "unknown"),
        (MULTIPLE, [], "missing"),
        (MULTIPLE, ["a", "d"], "unknown"),
        (MULTIPLE, ["a", "none"], "alone"),
        (MULTIPLE, ["a", REFUSED], "alone"),
        (MULTIPLE, ["a", "b", "c"], "too_many"),
        (YEAR, [""], "not_a_number"),
        (YEAR, ["next year"], "not_a_number"),
        (YEAR, ["19.85"], "not_a_number"),
        (YEAR, ["\u202e5891"], "not_a_number"),
        (YEAR, ["9" * 400], "not_a_number"),
        (YEAR, ["1899"], "too_small"),
        (YEAR, ["2021"], "too_large"),
        (question("number", refusable=False), [REFUSED], "not_a_number"),
        (WORDS, [" \u200b\n"], "empty"),
        (WORDS, ["x" * 21], "too_long"),
        (WORDS, ["a\x00b"], "nul"),
        (WORDS, ["a\x07b"], "control"),
        (WORDS, ["\ud800"], "surrogate"),
        (WORDS, ["a\ufffd"], "surrogate"),
        (WORDS, ["a" + "\u0301" * 10_000], "control"),
    ],
)
def test_what_is_no_answer_is_told_by_its_code(
    asked: AnyQuestion, posted: list[str], code: str
) -> None:
    with pytest.raises(Faulty) as fault:
        read(asked, *posted)
    assert fault.value.code == code


@given(st.sampled_from([SINGLE, MULTIPLE, YEAR, WORDS]), st.lists(st.text(), max_size=4))
def test_any_form_is_read_or_refused_and_a_value_is_always_allowed(
    asked: AnyQuestion, posted: list[str]
) -> None:
    try:
        value = read(asked, *posted)
    except Faulty:
        return
    if isinstance(asked, ChoiceQuestion):
        assert set(value if isinstance(value, list) else [value]) <= set(OFFERED)
    assert value == REFUSED or isinstance(value, int | list | str)
    assert "\x00" not in str(value)
    assert str(value).encode()


@given(st.lists(st.sampled_from(OFFERED), min_size=1))
def test_choices_are_stored_in_the_order_of_the_question_whatever_the_order_sent(
    posted: list[str],
) -> None:
    assert isinstance(MULTIPLE, MultipleQuestion)
    try:
        value = read(MULTIPLE, *posted)
    except Faulty:
        return
    assert value == [one for one in OFFERED if one in posted]


@pytest.mark.parametrize(
    ("year", "band", "out"),
    [(2008, "18-34", False), (2009, None, True), (1991, "35-45", False), (1926, "55+", False)],
)
def test_a_year_of_birth_gives_the_band_of_the_age_reached_in_the_year_of_the_answer(
    year: int, band: str | None, out: bool
) -> None:
    assert YEAR.derived(year, year=2026) == ({"age_band": band} if band else {})
    assert YEAR.screens_out(year, year=2026) is out


def test_who_refuses_a_number_has_refused_its_band_and_is_not_screened_out() -> None:
    assert YEAR.derived(REFUSED, year=2026) == {"age_band": REFUSED}
    assert not YEAR.screens_out(REFUSED, year=2026)


@pytest.mark.parametrize(
    ("condition", "answer", "holds"),
    [
        ({"one_of": ["a"]}, "a", True),
        ({"one_of": ["a"]}, ["b", "a"], True),
        ({"one_of": ["a"]}, None, False),
        ({"one_of": ["7"]}, 7, True),
        ({"at_least": 3}, 3, True),
        ({"at_least": 3, "at_most": 5}, 6, False),
        ({"at_least": 3}, REFUSED, False),
    ],
)
def test_a_condition_holds_for_the_answers_that_it_names(
    condition: dict[str, Any], answer: Any, holds: bool
) -> None:
    assert AskIf(key="it", **condition).holds({"it": answer}) is holds


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "single", "options": options("a")},
        {"kind": "number", "min": 3, "max": 2},
        {"kind": "number", "bands": {"key": "b", "values": ["old"]}},
        {"kind": "text", "quota": True, "sensitive": True},
        {"kind": "text", "ask_if": {"key": "other"}},
        {"kind": "essay"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        question(**fields)


def test_the_bank_speaks_every_language_and_comes_back_from_a_row() -> None:
    questions = list(bank.questions("community_alignment").values())

    assert read_questions(as_json(questions)) == questions
    for one in questions:
        choices = one.options if isinstance(one, ChoiceQuestion) else []
        for texts in (one.label, *(choice.label for choice in choices)):
            assert texts.keys() == DATA_LANGUAGES.keys(), one.key


def test_every_value_of_a_value_set_is_an_option_of_the_bank() -> None:
    questions = bank.questions("community_alignment")
    for key, names in bank.value_sets("community_alignment").items():
        asked = questions[key]
        assert isinstance(asked, ChoiceQuestion)
        assert names.keys() <= {option.value for option in asked.options}


@pytest.mark.parametrize("country", ["US", "FR", "IT", "BR", "IN", "DE"])
def test_ethnicity_is_asked_in_the_words_of_a_country_or_not_at_all(country: str) -> None:
    asked = bank.questions("community_alignment")["ethnicity"]
    assert isinstance(asked, ChoiceQuestion)
    offered = {option.value for option in asked.offered_in(country)}

    assert asked.is_asked_in(country) is (country != "DE")
    assert ("indo_aryan" in offered) is (country == "IN")
    assert REFUSED in offered
