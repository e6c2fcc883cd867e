"""Strategies of few words: in sequence, over several models, with probabilities, brought along."""

import json
from typing import Any

import pytest

from sampling import errors, simulated
from sampling.strategies import Origin
from tests.sampling.drawings import (
    MARKED,
    QUESTION,
    TEXTS,
    ScriptedSend,
    draw,
    draw_from,
    endpoint,
    plan,
)

TWO = [endpoint(name="one", model="m1"), endpoint(name="two", model="m2")]


def last_message(body: Any) -> str:
    return str(body["messages"][-1]["content"])


# --- In sequence ----------------------------------------------------------------------------------


def test_each_response_is_asked_for_in_view_of_those_before_it() -> None:
    send = ScriptedSend(TEXTS)

    result = draw(send, plan("nc_sequential"))

    assert [draft.text for draft in result.drafts] == TEXTS[:4]
    assert send.most_open == 1
    assert last_message(send.bodies[0]) == QUESTION
    for lane in (1, 2, 3):
        seen = [text for text in TEXTS[:4] if text in last_message(send.bodies[lane])]
        assert seen == TEXTS[:lane]


def test_a_response_made_again_sees_those_before_it_as_they_are_now() -> None:
    send = ScriptedSend([TEXTS[0], "No.", TEXTS[1], "So.", TEXTS[2], TEXTS[3]])

    result = draw(send, plan("nc_sequential"))

    assert [call.n for call in result.calls] == [0, 1, 2, 3, 5, 7]
    asked = last_message(send.bodies[-1])
    assert [text for text in TEXTS if text in asked] == [TEXTS[0], TEXTS[1], TEXTS[2]]
    assert "“No.”" not in asked


# --- Over several models --------------------------------------------------------------------------


def test_each_draw_is_made_at_an_endpoint_of_its_own() -> None:
    four = [endpoint(name=name, model=name) for name in ("a", "b", "c", "d")]

    result = draw(ScriptedSend(TEXTS), plan("multi_model"), endpoints=four)

    assert [call.endpoint for call in result.calls] == ["a", "b", "c", "d"]
    assert [call.body["model"] for call in result.calls] == ["a", "b", "c", "d"]
    assert result.verdict.notes == ()


def test_with_fewer_endpoints_it_goes_round_them_and_says_so() -> None:
    result = draw(ScriptedSend(TEXTS), plan("multi_model"), endpoints=TWO)

    assert [call.endpoint for call in result.calls] == ["one", "two", "one", "two"]
    assert len({call.seed for call in result.calls}) == 4
    assert result.verdict.notes == ("2 endpoints for 4 draws: gone round with other seeds",)
    assert plan("multi_model").first_turn.streams_on(4, 2) == (2, 2)


def test_seats_at_the_first_endpoint_do_not_close_the_others() -> None:
    result = draw(ScriptedSend(TEXTS), plan("multi_model"), endpoints=TWO, streams=[1])

    assert len(result.drafts) == 4


def test_many_models_are_a_baseline_like_one() -> None:
    alike = [TEXTS[0], TEXTS[0].replace("money", "savings"), *TEXTS[1:3]]

    result = draw(ScriptedSend(alike), plan("multi_model"), endpoints=TWO)

    assert {finding.action for finding in result.verdict.findings} == {"mark"}


# --- With probabilities ---------------------------------------------------------------------------


def objects(*shares: object) -> str:
    said = [
        {"text": text, "probability": share} for text, share in zip(TEXTS, shares, strict=False)
    ]
    return json.dumps(said)


def test_probabilities_stand_in_the_provenance() -> None:
    result = draw(ScriptedSend([objects(0.4, 0.3, 0.2, 1)]), plan("verbalized"))

    assert [draft.text for draft in result.drafts] == TEXTS[:4]
    assert [draft.provenance["probability"] for draft in result.drafts] == [0.4, 0.3, 0.2, 1.0]


@pytest.mark.parametrize(
    "broken",
    [
        objects(0.4, 0.3, 0.2),
        objects(0.4, 0.3, 0.2, 40),
        objects(0.4, 0.3, 0.2, "likely"),
        objects(0.4, 0.3, 0.2, True),
        objects(0.4, 0.3, 0.2, float("nan")),
        json.dumps(TEXTS[:4]),
        json.dumps([{"answer": text, "probability": 0.1} for text in TEXTS[:4]]),
        MARKED,
    ],
)
def test_an_answer_without_them_is_made_again_whole(broken: str) -> None:
    send = ScriptedSend([broken, objects(0.4, 0.3, 0.2, 0.1)])

    assert [call.n for call in draw(send, plan("verbalized")).calls] == [0, 1]


def test_probabilities_are_asked_for_as_numbers() -> None:
    with simulated.running() as server:
        result = draw_from(server, plan("verbalized"))

    assert all(isinstance(draft.provenance["probability"], float) for draft in result.drafts)


# --- Brought along --------------------------------------------------------------------------------


def given(*texts: str, **fields: str) -> list[dict[str, str]]:
    return [{"text": text, **fields} for text in texts]


def drawn_texts(texts: list[dict[str, str]], prompt: str = "", language: str = "en") -> list[str]:
    body = plan("given", k=2, step={"texts": texts})
    result = draw(ScriptedSend([]), body, origin=Origin(prompt=prompt), language=language)
    return [draft.text for draft in result.drafts]


def test_given_texts_need_no_call_and_keep_their_role_and_origin() -> None:
    texts = [
        {"text": text, "role": f"pole-{n}", "origin": "a panel"} for n, text in enumerate(TEXTS)
    ]

    result = draw(ScriptedSend([]), plan("given", step={"texts": texts[:4]}))

    assert result.calls == ()
    assert [draft.role for draft in result.drafts] == ["pole-0", "pole-1", "pole-2", "pole-3"]
    assert {draft.call for draft in result.drafts} == {None}
    assert result.drafts[0].provenance == {"origin": "a panel"}


def test_the_most_particular_texts_are_taken() -> None:
    texts = [
        *given(TEXTS[0], TEXTS[1], prompt="brother", language="en"),
        *given(TEXTS[2], TEXTS[3], prompt="brother"),
        *given(TEXTS[4], TEXTS[5]),
    ]

    assert drawn_texts(texts, "brother", "en") == TEXTS[0:2]
    assert drawn_texts(texts, "brother", "fr") == TEXTS[2:4]
    assert drawn_texts(texts, "other", "en") == TEXTS[4:6]
    assert drawn_texts(texts) == TEXTS[4:6]


def test_a_prompt_without_texts_is_refused_by_name() -> None:
    with pytest.raises(errors.BadRequest, match="no texts for prompt other in en"):
        drawn_texts(given(*TEXTS[:2], prompt="brother"), "other")


# --- In mixes -------------------------------------------------------------------------------------


def test_a_mix_takes_any_of_them() -> None:
    parts = [
        {"step": {"strategy": "nc_planned"}, "keep": 2},
        {"step": {"strategy": "nc_sequential"}, "keep": 1},
        {"step": {"strategy": "verbalized"}, "keep": 1, "ask": 2},
        {"step": {"strategy": "nc_structured"}, "keep": 1, "ask": 3},
        {"step": {"strategy": "given", "texts": given(TEXTS[0])}, "keep": 1},
        {"step": {"strategy": "pool"}, "keep": 1},
        {"step": {"strategy": "multi_model"}, "keep": 1},
    ]
    with simulated.running() as server:
        result = draw_from(
            server, plan("mix", k=8, step={"made_of": parts}, guard={"near_duplicate": "mark"})
        )

    assert [draft.role for draft in result.drafts] == [
        *["nc_planned"] * 2,
        "nc_sequential",
        "verbalized",
        "nc_structured",
        "given",
        "independent",
        "multi_model",
    ]
    assert [call.n for call in result.calls] == sorted({call.n for call in result.calls})
