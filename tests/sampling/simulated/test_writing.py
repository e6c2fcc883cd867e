import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling.guard.language import detect
from sampling.guard.likeness import NEAR_DUPLICATE, likeness
from sampling.simulated.ask import Ask, read_ask
from sampling.simulated.instruction import read_instruction, stance_of
from sampling.simulated.phrases import POLES, phrases
from sampling.simulated.writing import write
from tests.sampling.simulated.asking import (
    CODES,
    FOUR_STRINGS,
    INSTRUCTION,
    QUESTIONS,
    sections,
    set_messages,
    system,
    user,
)


def ask(messages: list[dict[str, str]], **body: Any) -> Ask:
    told = {"messages": messages, "seed": 1, **body}
    return read_ask(told, models=("simulated",), context=8192)


def written(messages: list[dict[str, str]], **body: Any) -> str:
    return write(ask(messages, **body), index=0)


def stance_in(text: str, language: str = "en") -> set[str]:
    """The stances whose sentences or leads stand in the text."""
    return {
        name
        for name, stance in phrases(language).stances.items()
        if any(known[1:] in text for known in (*stance.sentences, *stance.leads))
    }


@pytest.mark.parametrize("language", QUESTIONS)
def test_a_set_of_four_has_four_stances_in_the_language_asked_for(language: str) -> None:
    parts = sections(written(set_messages(language)))
    code = CODES[language]
    assert [detect(part) for part in parts] == [code] * 4
    assert {min(stance_in(part, code)) for part in parts} == set(POLES)


@pytest.mark.parametrize("language", QUESTIONS)
def test_the_texts_of_a_set_are_far_from_near_duplicates(language: str) -> None:
    shares = likeness(sections(written(set_messages(language))))
    assert max(shares[one, other] for one in range(4) for other in range(one)) < NEAR_DUPLICATE


@pytest.mark.parametrize("language", QUESTIONS)
def test_without_our_line_the_question_decides_the_language(language: str) -> None:
    assert detect(written([user(QUESTIONS[language])])) == CODES[language]


def test_our_line_decides_over_the_question() -> None:
    line = "Answer in Hindi, in two sentences (about 45 words), as plain text."
    assert detect(written([system(line), user(QUESTIONS["French"])])) == "hi"


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_another_number_of_responses_is_followed(count: int) -> None:
    number = ["", "", "two", "three", "four", "five", "six", "seven", "eight"][count]
    for told in (number, str(count)):
        instruction = INSTRUCTION.replace("four", told)
        assert len(sections(written([system(instruction), user("Should I?")]))) == count


def test_the_instruction_may_stand_in_the_user_message() -> None:
    assert len(sections(written([user(f"{INSTRUCTION}\n\nIs it right to lie?")]))) == 4


def test_without_an_instruction_one_answer_is_written() -> None:
    assert "###" not in written([user("Is it right to lie?")])


@given(words=st.integers(min_value=30, max_value=200))
def test_the_length_asked_for_is_roughly_kept(words: int) -> None:
    text = written([system(f"Answer in English (about {words} words)."), user("Should I move?")])
    assert abs(len(text.split()) - words) <= 25


def test_the_number_of_sentences_is_kept() -> None:
    text = written([system("Answer in English, in two sentences."), user("Should I move?")])
    assert text.count(".") == 2


@pytest.mark.parametrize(
    ("value", "pole"),
    [
        ("family, tradition and faith", "tradition"),
        ("reason, evidence and each person's own judgement", "reason"),
        ("safety, order and caution", "security"),
        ("feeling, freedom and self-expression", "expression"),
    ],
)
def test_a_persona_steers_the_stance(value: str, pole: str) -> None:
    text = written([system(f"You value {value}. Answer in French."), user("Dois-je partir ?")])
    assert stance_in(text, "fr") == {pole}


def test_positions_in_the_message_steer_the_stance() -> None:
    text = written([user("Should I?\n\nPosition: Yes: family comes before money.")])
    assert stance_in(text) == {"tradition"}


def test_a_plan_of_short_stances_can_be_written_and_then_followed() -> None:
    told = "Give the advice of each in one short sentence of at most ten words. Write in Italian."
    plan = json.loads(written([system(told), user("Devo?")], response_format=FOUR_STRINGS))
    stances = [read_instruction(ask([user(f"Devo?\n\nPosition: {one}")])).stance for one in plan]
    assert max(len(one.split()) for one in plan) <= 12
    assert len(set(stances)) == 4


@pytest.mark.parametrize("language", CODES.values())
def test_every_position_of_ours_is_understood_again(language: str) -> None:
    for name, stance in phrases(language).stances.items():
        assert {stance_of(position, language) for position in stance.positions} == {name}


def test_an_answer_asked_to_differ_takes_another_stance() -> None:
    first = written([user("Should I move abroad?")])
    told = system(f"Write an answer that differs from these:\n\n{first}")
    for seed in range(20):
        other = written([told, user("Should I move abroad?")], seed=seed)
        assert not stance_in(other) & stance_in(first)


def test_a_later_turn_does_not_repeat_the_sentences_of_an_earlier_one() -> None:
    first = written([user("Should I move?")], seed=3)
    history = [user("Should I move?"), {"role": "assistant", "content": first}, user("Why?")]
    for seed in range(20):
        later = written(history, seed=seed)
        assert not [part for part in first.split(". ") if part.strip(".") in later]


def test_the_same_seed_writes_the_same_and_others_something_else() -> None:
    texts = [written(set_messages(), seed=seed) for seed in range(20)]
    assert written(set_messages(), seed=7) == texts[7]
    assert len(set(texts)) == 20


def test_temperature_zero_always_writes_the_same() -> None:
    texts = {written(set_messages(), seed=seed, temperature=0) for seed in (None, 1, 2)}
    assert len(texts) == 1


def test_a_schema_of_four_strings_is_filled_with_four_stances() -> None:
    texts = json.loads(written(set_messages("Hindi"), response_format=FOUR_STRINGS))
    assert [detect(text) for text in texts] == ["hi"] * 4
    assert len(set(texts)) == 4


def test_a_schema_of_objects_is_filled_part_by_part() -> None:
    item = {
        "type": "object",
        "properties": {"text": {"type": "string"}, "probability": {"type": "number"}},
    }
    schema = {
        "type": "array", "minItems": 5, "maxItems": 5, "items": {"$ref": "#/$defs/Item"},
        "$defs": {"Item": item},
    }  # fmt: skip
    wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
    found = json.loads(written([user("Should I?")], response_format=wanted))
    assert len(found) == 5
    assert all(0 < one["probability"] < 1 and one["text"] for one in found)


def test_a_choice_is_one_of_the_words_given() -> None:
    told = {"choice": ["yes", "no"]}
    assert written([user("Should I?")], structured_outputs=told) in {"yes", "no"}


def test_the_answer_speaks_of_what_was_asked() -> None:
    frames = phrases("en").topics["money"].frames
    texts = [written([user(QUESTIONS["English"])], seed=seed) for seed in range(20)]
    assert sum(any(frame in text for frame in frames) for text in texts) >= 5


def test_at_least_as_many_tokens_are_written_as_asked() -> None:
    text = written([user("Should I move?")], min_tokens=600)
    assert len(text.split()) >= 500


def test_an_instruction_may_come_as_a_user_message_before_the_question() -> None:
    told = [user(INSTRUCTION), user("Dois-je prêter mes économies à un cousin ?")]

    parts = sections(written(told))

    assert [detect(part) for part in parts] == ["fr"] * 4


def test_answers_that_are_quoted_do_not_decide_the_topic() -> None:
    quoted = "These answers were given already:\n“Money is everything, lend and borrow.”\nDiffer."
    question = "Should my daughter leave school?"

    instruction = read_instruction(ask([user(f"{question}\n\n{quoted}")]))

    assert instruction.topic == read_instruction(ask([user(question)])).topic
