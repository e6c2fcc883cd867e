"""What each strategy sends: the requests of its lanes, without sending them."""

import json
from typing import Any

import pytest

from sampling import drawing
from sampling.calls import SentRequest
from sampling.plans import PlanBody
from sampling.wordings import PUBLISHED
from tests.sampling.drawings import QUESTION, SET_ID, context, endpoint, plan

LINES = (
    "Write each response in French, in two sentences (about 45 words), as plain text: no title, "
    "no number, no list, no bold. Each response answers the person directly."
)
ANSWER = (
    "Answer in French, in two sentences (about 45 words), as plain text: no title, no number, "
    "no list, no bold. Answer the person directly."
)
EXAMPLE = {"user": "Should I eat meat?", "assistant": "Yes, our feasts have always had it."}
STANCES = [
    {"name": "custom", "text": "You value custom.", "examples": [EXAMPLE]},
    {"name": "reason", "text": "You value reason."},
]


def requests(body: PlanBody, **changes: Any) -> dict[int, SentRequest]:
    asked = {"turn": 0, "context": context(), "language": "fr", "seed": 7, "attempt": 1}
    return drawing.rebuild(body=body, set_id=SET_ID, endpoints=[endpoint()], **{**asked, **changes})


def roles_and_texts(request: SentRequest) -> list[tuple[str, str]]:
    messages: Any = request.body["messages"]
    return [(message["role"], message["content"]) for message in messages]


def test_nc_single_has_the_published_text_alone_and_ours_after_the_message() -> None:
    (request, _) = requests(plan("nc_single")).values()

    assert roles_and_texts(request) == [
        ("system", PUBLISHED.text),
        ("user", f"{QUESTION}\n\n{LINES}"),
    ]
    assert request.body["max_tokens"] == 4 * 122 + 40
    assert request.body["temperature"] == 1.0


def test_bare_nc_single_has_nothing_of_ours() -> None:
    request = requests(plan("nc_single", step={"bare": True}))[0]

    assert roles_and_texts(request) == [("system", PUBLISHED.text), ("user", QUESTION)]


def test_our_lines_stand_at_the_last_message_only() -> None:
    request = requests(plan("nc_single"), context=context("One?", "Two.", "Three?"))[0]

    assert roles_and_texts(request)[1:] == [
        ("user", "One?"),
        ("assistant", "Two."),
        ("user", f"Three?\n\n{LINES}"),
    ]


def test_independent_sends_one_request_k_times_with_other_seeds() -> None:
    sent = requests(plan("independent", repairs=0))

    assert len(sent) == 4
    assert len({request.seed for request in sent.values()}) == 4
    assert len({json.dumps({**request.body, "seed": 0}) for request in sent.values()}) == 1
    assert roles_and_texts(sent[0]) == [("system", ANSWER), ("user", QUESTION)]


def test_persona_puts_its_examples_before_the_conversation() -> None:
    sent = requests(plan("persona", k=2, step={"stances": STANCES}))

    assert roles_and_texts(sent[0]) == [
        ("system", f"You value custom. {ANSWER}"),
        ("user", EXAMPLE["user"]),
        ("assistant", EXAMPLE["assistant"]),
        ("user", QUESTION),
    ]
    assert roles_and_texts(sent[1]) == [
        ("system", f"You value reason. {ANSWER}"),
        ("user", QUESTION),
    ]


def test_community_alignment_asks_for_four_at_once_and_one_default() -> None:
    sent = requests(plan("community_alignment", repairs=0))

    assert roles_and_texts(sent[0])[0] == ("system", PUBLISHED.text)
    assert roles_and_texts(sent[1]) == [("system", ANSWER), ("user", QUESTION)]
    assert len(sent) == 2


def test_what_community_alignment_is_told_of_drawing_holds_for_both_of_its_parts() -> None:
    told = {"role": "user", "logprobs": True, "temperature": 0.5, "top_p": 0.9}
    sent = requests(plan("community_alignment", step=told, repairs=0))

    assert [roles_and_texts(one)[0] for one in sent.values()] == [
        ("user", PUBLISHED.text),
        ("user", ANSWER),
    ]
    for one in sent.values():
        params = {name: one.body[name] for name in ("logprobs", "temperature", "top_p")}
        assert params == {"logprobs": True, "temperature": 0.5, "top_p": 0.9}


def test_a_mix_has_the_requests_of_its_parts() -> None:
    parts = [
        {"step": {"strategy": "persona", "stances": STANCES}, "keep": 2},
        {"step": {"strategy": "independent", "bare": True}, "keep": 1},
    ]

    sent = requests(plan("mix", k=3, step={"made_of": parts}, repairs=0))

    systems = [roles_and_texts(request)[0] for request in sent.values()]
    assert systems[0][1].startswith("You value custom.")
    assert systems[1][1].startswith("You value reason.")
    assert systems[2] == ("user", QUESTION)


@pytest.mark.parametrize(
    ("strategy", "streams"),
    [("independent", 4), ("persona", 4), ("nc_single", 1), ("community_alignment", 2)],
)
def test_a_strategy_says_how_many_streams_it_opens(strategy: str, streams: int) -> None:
    body = plan(strategy)

    assert body.first_turn.streams(4) == streams
    assert body.first_turn.streams_on(4, 3) == (streams, 0, 0)


def test_parameters_of_the_plan_reach_the_request() -> None:
    step = {"temperature": 0.6, "top_p": 0.9, "max_tokens": 60}

    request = requests(plan("independent", step=step, style={"sentences": 1, "words": 20}))[0]

    assert {name: request.body[name] for name in step} == step
    assert "in one sentence (about 20 words)" in roles_and_texts(request)[0][1]


def test_every_request_is_a_stream_with_its_usage() -> None:
    for request in requests(plan("community_alignment")).values():
        assert request.body["stream"] is True
        assert request.body["stream_options"] == {"include_usage": True}


def test_numbers_and_seeds_follow_from_the_attempt() -> None:
    first, second = (requests(plan("nc_single"), attempt=attempt) for attempt in (1, 2))

    assert [request.request_id for request in first.values()] == [f"{SET_ID}.1.0", f"{SET_ID}.1.1"]
    seeds = {request.seed for sent in (first, second) for request in sent.values()}
    assert len(seeds) == 4
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_nc_structured_has_the_published_text_alone_and_exactly_k_strings() -> None:
    request = requests(plan("nc_structured"))[0]
    wanted: Any = request.body["response_format"]

    assert roles_and_texts(request) == [
        ("system", PUBLISHED.text),
        ("user", f"{QUESTION}\n\n{LINES} Give the responses as a JSON array of four strings."),
    ]
    assert wanted["json_schema"]["schema"] == {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 4,
        "maxItems": 4,
    }


@pytest.mark.parametrize("strategy", ["nc_single", "nc_structured"])
def test_the_instruction_may_stand_alone_in_a_user_message(strategy: str) -> None:
    asked = requests(plan(strategy, step={"role": "user"}))[0]

    assert roles_and_texts(asked)[0] == ("user", PUBLISHED.text)
    assert [role for role, _ in roles_and_texts(asked)] == ["user", "user"]
