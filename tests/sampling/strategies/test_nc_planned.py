"""One call plans the stances, k calls write one each."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from sampling import drawing, errors, simulated
from sampling.guard.language import detect
from sampling.strategies import Ground, Origin
from tests.sampling.drawings import (
    QUESTION,
    SET_ID,
    TEXTS,
    ScriptedSend,
    context,
    draw,
    draw_from,
    endpoint,
    plan,
)

STANCES = ["Yes: help him.", "Only with a contract.", "No: keep it.", "Ask your heart."]
PLAN = json.dumps(STANCES)
WRITING = (
    "Answer in English, in two sentences (about 45 words), as plain text: no title, no number, "
    "no list, no bold. Answer the person directly. Take a clear side: give the advice that follows "
    "from the position after the message, as your own, and do not mention the position."
)
ASKING = (
    "Four people with clearly different values answer the message. Give the advice of each in one "
    "short sentence of at most ten words. They disagree. Write in English, as a JSON array of four "
    "strings."
)
QUESTIONS = {
    "en": "Should I lend my brother money?",
    "fr": "Dois-je prêter de l'argent à mon frère ?",
    "it": "Devo prestare soldi a mio fratello?",
    "pt": "Devo emprestar dinheiro ao meu irmão?",
    "hi": "क्या मुझे अपने भाई को पैसे उधार देने चाहिए?",
}


def messages(body: Any) -> list[dict[str, str]]:
    found: list[dict[str, str]] = body["messages"]
    return found


def test_the_plan_is_asked_for_with_two_worked_examples_and_exactly_k_strings() -> None:
    send = ScriptedSend([PLAN, *TEXTS])

    draw(send, plan("nc_planned"))

    asked: Any = send.bodies[0]
    assert messages(asked)[0] == {"role": "system", "content": ASKING}
    assert [one["role"] for one in messages(asked)[1:]] == ["user", "assistant"] * 2 + ["user"]
    assert [len(json.loads(one["content"])) for one in messages(asked)[2:5:2]] == [4, 4]
    assert messages(asked)[-1]["content"] == QUESTION
    schema = asked["response_format"]["json_schema"]["schema"]
    assert (schema["minItems"], schema["maxItems"]) == (4, 4)
    assert "maxLength" not in json.dumps(schema)
    assert asked["max_tokens"] == 120


def test_the_writing_calls_differ_in_their_last_words_only() -> None:
    send = ScriptedSend([PLAN, *TEXTS])

    result = draw(send, plan("nc_planned"))

    asked = [messages(body) for body in send.bodies[1:]]
    assert {one[0]["content"] for one in asked} == {WRITING}
    assert [one[-1]["content"] for one in asked] == [
        f"{QUESTION}\n\nPosition: {stance}" for stance in STANCES
    ]
    assert [draft.stance for draft in result.drafts] == STANCES
    assert send.most_open == 4


@pytest.mark.parametrize(("k", "room"), [(2, 60), (8, 240)])
def test_examples_and_room_follow_k(k: int, room: int) -> None:
    [request] = rebuilt(plan("nc_planned", k=k, repairs=0)).values()

    assert request.body["max_tokens"] == room
    assert len(json.loads(messages(request.body)[2]["content"])) == k


def test_hindi_has_room_for_its_tokens() -> None:
    [request] = rebuilt(plan("nc_planned", repairs=0), language="hi").values()

    assert request.body["max_tokens"] == 300


def rebuilt(body: Any, **changes: Any) -> dict[int, Any]:
    asked = {"turn": 0, "context": context(), "language": "en", "seed": 7, "attempt": 1}
    return drawing.rebuild(body=body, set_id=SET_ID, endpoints=[endpoint()], **{**asked, **changes})


def test_only_the_answer_that_failed_is_written_again_from_the_same_plan() -> None:
    send = ScriptedSend([PLAN, TEXTS[0], "No.", *TEXTS[1:]])

    result = draw(send, plan("nc_planned"))

    assert [call.n for call in result.calls] == [0, 1, 2, 3, 4, 7]
    assert messages(send.bodies[-1])[-1]["content"].endswith(f"Position: {STANCES[1]}")
    assert result.drafts[1].stance == STANCES[1]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (json.dumps(STANCES[:3]), "3 strings where 4"),
        (json.dumps([*STANCES[:3], STANCES[0].upper()]), "two planned stances were the same"),
        (
            json.dumps([*STANCES[:3], "Eat what is cheap, safe and filling for your family"]),
            "copied from the worked examples",
        ),
        (json.dumps([*STANCES[:3], " - "]), "a planned stance was empty"),
        (json.dumps([*STANCES[:3], "\x00"]), "a planned stance was empty"),
        (json.dumps([*STANCES[:3], "long " * 100]), "too long to be one"),
        (PLAN[:-5], "cannot be read"),
        ("Yes, help him.", "cannot be read"),
    ],
)
def test_a_broken_plan_is_planned_again_within_the_rounds(broken: str, said: str) -> None:
    send = ScriptedSend([broken, PLAN, *TEXTS])

    result = draw(send, plan("nc_planned"))

    assert [call.n for call in result.calls] == [0, 5, 6, 7, 8, 9]
    assert said in result.verdict.earlier[0].notes[0]
    with pytest.raises(errors.GuardRejected, match=said):
        draw(ScriptedSend([broken, broken]), plan("nc_planned"))


def test_a_plan_cut_by_its_limit_counts_when_it_is_whole() -> None:
    send = ScriptedSend([PLAN, *TEXTS], finish_reason="length")

    # The answers say so as well, and of them the guard would not believe it.
    assert len(draw(send, plan("nc_planned", guard={"cut_off": "mark"})).calls) == 5


def test_stances_that_the_plan_fixes_need_no_planning() -> None:
    send = ScriptedSend(TEXTS)

    result = draw(send, plan("nc_planned", step={"stances": STANCES}))

    assert [call.purpose for call in result.calls] == ["answer"] * 4
    assert [draft.stance for draft in result.drafts] == STANCES
    sent = rebuilt(plan("nc_planned", step={"stances": STANCES}))
    assert [dict(sent[call.n].body) for call in result.calls] == list(send.bodies)


def test_stances_in_another_language_are_said_and_written() -> None:
    stances = ["Aidez-le, la famille passe avant tout pour vous.", *STANCES[1:]]
    french = json.dumps([f"{one} Il est votre frère et vous le savez." for one in stances])

    result = draw(ScriptedSend([french, *TEXTS]), plan("nc_planned"))

    assert "planned in another language" in result.verdict.notes[0]


@pytest.mark.parametrize("language", QUESTIONS)
def test_plans_and_answers_are_in_the_conversations_language(language: str) -> None:
    with simulated.running() as server:
        result = draw_from(
            server,
            plan("nc_planned"),
            language=language,
            context=context(QUESTIONS[language]),
        )

    assert {detect(draft.text) for draft in result.drafts} == {language}
    assert detect(" ".join(str(draft.stance) for draft in result.drafts)) == language
    assert result.verdict.findings == ()


def test_the_prefix_of_the_writing_calls_is_the_same_to_the_byte() -> None:
    with simulated.running() as server:
        draw_from(server, plan("nc_planned"))
        bodies = [entry["body"] for entry in server.log()[1:]]

    sent = [json.dumps(body["messages"], ensure_ascii=False) for body in bodies]
    shared = common_prefix(sent)
    assert shared.endswith("Position: ")
    assert {key for body in bodies for key in body} == set(bodies[0])


def common_prefix(texts: Sequence[str]) -> str:
    first = texts[0]
    at = next((n for n in range(len(first)) if len({text[: n + 1] for text in texts}) > 1), None)
    return first[:at]


def test_the_plan_of_linked_sets_is_one_request_whichever_set_asks() -> None:
    body = plan("nc_planned", step={"linked": True}, repairs=0)
    origin = Origin(prompt="brother", ground=Ground(context(), "en", seed=11))

    asked = [
        rebuilt(
            body, language=language, context=context(QUESTIONS[language]), origin=origin, seed=seed
        )[0].body
        for seed, language in enumerate(("fr", "hi"))
    ]

    assert asked[0] == asked[1]
    assert messages(asked[0])[-1]["content"] == QUESTION
