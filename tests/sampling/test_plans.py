"""A plan's body: read, refused by path, and hashed."""

from typing import Any

import pytest

from sampling import plans
from sampling.errors import BadRequest
from sampling.strategies import REGISTRY

STEP: dict[str, Any] = {"strategy": "independent"}
PERSONA: dict[str, Any] = {
    "strategy": "persona",
    "stances": [{"name": "a", "text": "You value a."}],
}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "plan: input should be an object"),
        (None, "plan: input should be an object"),
        ({}, "first_turn: field required"),
        ({"first_turn": {}}, "first_turn: names no strategy; known are independent"),
        ({"first_turn": {"strategy": "zork"}}, "first_turn: unknown strategy 'zork'"),
        (
            {"first_turn": {**STEP, "temprature": 1}},
            "first_turn.temprature: unknown field .known are .*temperature",
        ),
        ({"first_turn": {**STEP, "temperature": "hot"}}, "first_turn.temperature: .*number"),
        ({"first_turn": {**STEP, "temperature": 9}}, "first_turn.temperature: .*less than"),
        ({"first_turn": STEP, "later_turns": {**STEP, "bare": 1}}, "later_turns.bare: .*boolean"),
        ({"first_turn": STEP, "k": 9}, "k: input should be less than or equal to 8"),
        ({"first_turn": STEP, "k": True}, "k: input should be a valid integer"),
        ({"first_turn": STEP, "endpoints": ["a"]}, "endpoints: unknown field"),
        ({"first_turn": STEP, "guard": {"duplicate": "mark"}}, "guard.duplicate: .*'fail' or"),
        (
            {"first_turn": STEP, "guard": {"count": "mark"}},
            "guard.count: unknown field .known are empty, dup",
        ),
        ({"first_turn": PERSONA}, "first_turn: 1 stances for 4 candidates"),
        ({"first_turn": {**STEP, "temperature": float("nan")}}, "first_turn.temperature"),
        ({"first_turn": {"strategy": "mix"}}, "first_turn.made_of: field required"),
        (
            {"first_turn": {"strategy": "mix", "made_of": [{"step": STEP, "keep": 3}]}},
            "first_turn: the parts keep 3 candidates in all, not 4",
        ),
        (
            {"first_turn": {"strategy": "mix", "made_of": [{"step": {**STEP, "x": 1}, "keep": 4}]}},
            "first_turn.made_of.0.step.x: unknown field .known are .*temperature",
        ),
        ({"first_turn": STEP, "style": "telegram"}, "style: unknown style 'telegram'; known are"),
        (
            {"first_turn": STEP, "by_category": {"facts": {**STEP, "x": 1}}},
            "by_category.facts.x: unknown field .known are .*temperature",
        ),
        (
            {"first_turn": STEP, "by_category": {"independent": {"strategy": "zork"}}},
            "by_category.independent: unknown strategy 'zork'",
        ),
        ({"first_turn": STEP, "by_category": {"facts": PERSONA}}, "by_category.facts: 1 stances"),
        (
            {"first_turn": {"strategy": "nc_planned", "stances": ["Yes.", "No."]}},
            "first_turn: 2 stances for 4 candidates",
        ),
        (
            {"first_turn": {"strategy": "nc_planned", "stances": ["Yes.", "yes"], "linked": True}},
            "first_turn: stances that the plan fixes are the same in every language",
        ),
        (
            {"k": 2, "first_turn": {"strategy": "nc_planned", "stances": ["Yes.", "yes!"]}},
            "first_turn: two stances are the same",
        ),
        (
            {"first_turn": {"strategy": "pool", "made_of": [{"step": STEP, "ask": 4}]}},
            "first_turn: a pool of 4 leaves nothing to choose for 4 candidates",
        ),
        (
            {"first_turn": {"strategy": "given", "texts": [{"text": "a", "prompt": "p"}]}},
            "first_turn: 1 texts of prompt p in language any for 4 candidates",
        ),
        (
            {
                "first_turn": {
                    "strategy": "mix",
                    "made_of": [{"step": {"strategy": "nc_planned", "linked": True}, "keep": 4}],
                }
            },
            "first_turn: linked stances are those of a whole set",
        ),
        ({"first_turn": {"strategy": {1, 2}}}, "plan: .*not JSON serializable"),
    ],
)
def test_a_plan_that_cannot_be_used_is_refused_by_path(body: object, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        plans.read(body)


def test_several_faults_are_named_at_once() -> None:
    with pytest.raises(BadRequest) as caught:
        plans.read({"first_turn": {**STEP, "x": 1}, "k": 1, "y": 2})

    assert caught.value.message.count(";") == 2


def test_two_stances_of_one_name_are_refused() -> None:
    twice = {**PERSONA, "stances": PERSONA["stances"] * 2}

    with pytest.raises(BadRequest, match="two stances have the same name"):
        plans.read({"k": 2, "first_turn": twice})


def test_a_plan_comes_back_from_its_row_as_it_was() -> None:
    body = plans.read({"first_turn": {**STEP, "temperature": 1}, "style": {"words": 75}})

    again = plans.read(plans.as_json(body))

    assert again == body
    assert plans.sha256(again) == plans.sha256(body)


def test_what_is_written_out_and_what_is_left_to_default_is_one_plan() -> None:
    short = plans.read({"first_turn": STEP})
    written = plans.read({"k": 4, "first_turn": {**STEP, "temperature": 1.0, "bare": False}})

    assert plans.sha256(short) == plans.sha256(written)
    assert plans.sha256(short) != plans.sha256(plans.read({"k": 5, "first_turn": STEP}))


def test_later_turns_are_the_first_turns_way_unless_said_else() -> None:
    alone = plans.read({"first_turn": STEP})
    both = plans.read({"first_turn": STEP, "later_turns": {"strategy": "nc_single"}})

    assert plans.step(alone, 3).strategy == "independent"
    assert [plans.step(both, turn).strategy for turn in (0, 1, 2)] == [
        "independent",
        "nc_single",
        "nc_single",
    ]


@pytest.mark.parametrize("name", sorted(set(REGISTRY) - {"mix", "given"}))
def test_every_strategy_that_needs_nothing_more_makes_a_plan_by_its_name(name: str) -> None:
    body = plans.of_strategy(name)

    assert plans.step(body, 0).strategy == name
    assert plans.step(body, 0).streams(body.k) >= 1


def test_a_name_that_is_no_strategy_is_refused() -> None:
    with pytest.raises(BadRequest, match="unknown strategy 'nc'; known are"):
        plans.of_strategy("nc")


def test_a_category_may_have_a_way_of_its_own_in_all_turns() -> None:
    by_category = {"facts": {**STEP, "temperature": 0.2}}
    body = plans.read({"first_turn": {"strategy": "nc_single"}, "by_category": by_category})

    assert plans.step(body, 0).strategy == "nc_single"
    assert plans.step(body, 0, "family").strategy == "nc_single"
    assert [plans.step(body, turn, "facts").strategy for turn in (0, 2)] == ["independent"] * 2
    assert plans.read(plans.as_json(body)) == body


def test_a_style_by_name_is_kept_as_what_it_stood_for() -> None:
    body = plans.read({"first_turn": STEP, "style": "phone"})

    assert plans.as_json(body)["style"] == {"sentences": 4, "words": 75}
    assert 60 <= body.style.words <= 90
    assert plans.read({"first_turn": STEP, "style": "short"}) == plans.read({"first_turn": STEP})
