"""A request that cannot fit into its endpoint's context is not sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling import generating
from sampling.calls import Endpoint
from sampling.errors import ContextTooLong
from sampling.fitting import fewest_tokens, require_room
from sampling.simulated import tokens
from tests.sampling.conftest import Engine
from tests.sampling.test_generating import due_now, state

LONG = " ".join(["word"] * 900)


def endpoint(context_length: int | None) -> Endpoint:
    return Endpoint(name="e", base_url="http://e", model="m", context_length=context_length)


def body(*texts: str, max_tokens: int = 100) -> dict[str, object]:
    messages = [{"role": "user", "content": text} for text in texts]
    return {"messages": messages, "max_tokens": max_tokens}


def test_what_cannot_fit_is_refused_with_the_numbers() -> None:
    with pytest.raises(ContextTooLong, match=r"902 tokens of conversation and 100 .* 1001 of e"):
        require_room(endpoint(1001), body(LONG))


@pytest.mark.parametrize("context_length", [1002, None])
def test_what_may_fit_is_the_servers_to_refuse(context_length: int | None) -> None:
    require_room(endpoint(context_length), body(LONG))


@given(texts=st.lists(st.text(max_size=200), min_size=1, max_size=4))
def test_no_count_is_above_what_a_tokenizer_of_words_and_marks_finds(texts: list[str]) -> None:
    counted = sum(tokens.count([text]) + 4 for text in texts)

    assert fewest_tokens(body(*texts)) <= counted


def test_a_set_that_cannot_fit_fails_with_its_reason_and_without_a_call(engine: Engine) -> None:
    small = engine.row(context_length=1000, failures=2)
    asked = engine.ask(engine.another_plan(small), text=LONG)

    generating.work()

    assert (state(asked), asked.reason, asked.attempt) == ("failed", "context_too_long", 1)
    assert not engine.server.log()
    assert not asked.calls.exists()
    small.refresh_from_db()
    assert small.failures == 2  # nobody has seen it answer


def test_the_plans_next_endpoint_may_have_the_room(engine: Engine) -> None:
    small, large = engine.row(context_length=1000), engine.row(context_length=100_000)
    asked = engine.ask(engine.another_plan(small, large), text=LONG)

    generating.work(rounds=1)
    due_now()
    generating.work(rounds=1)

    assert (state(asked), asked.endpoint_rank) == ("ready", 1)
