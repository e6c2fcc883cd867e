"""Log-probabilities of prompts, as vLLM gives them."""

from typing import Any

import pytest

from sampling import simulated
from tests.sampling.simulated.asking import chat

ASKED = {"role": "user", "content": "Should I lend it?"}
ANSWERED = [ASKED, {"role": "assistant", "content": "Lend half of it."}]
OPEN = {"add_generation_prompt": False, "continue_final_message": True}


def entries(endpoint: simulated.Endpoint, **body: Any) -> list[Any]:
    found: list[Any] = chat(endpoint, prompt_logprobs=0, max_tokens=1, **body).json[
        "prompt_logprobs"
    ]
    return found


def test_an_open_answer_goes_on_from_the_prompt_of_its_question(
    endpoint: simulated.Endpoint,
) -> None:
    prompt = entries(endpoint, messages=[ASKED])
    whole = entries(endpoint, messages=ANSWERED, **OPEN)

    tail = [next(iter(one.values())) for one in whole[len(prompt) :]]
    assert prompt[0] is None
    assert whole[: len(prompt)] == prompt
    assert "".join(one["decoded_token"] for one in tail) == "Lend half of it."
    assert all(one["logprob"] <= 0 for one in tail)


def test_nobody_who_does_not_ask_gets_them(endpoint: simulated.Endpoint) -> None:
    assert "prompt_logprobs" not in chat(endpoint, messages=[ASKED]).json


@pytest.mark.parametrize(
    "body",
    [
        {"prompt_logprobs": 0, "stream": True},
        {"prompt_logprobs": 2},
        {"continue_final_message": True},
    ],
)
def test_what_cannot_be_had_is_refused(endpoint: simulated.Endpoint, body: dict[str, Any]) -> None:
    assert chat(endpoint, messages=ANSWERED, **body).status == 400
