"""Log-probabilities: asked for where the plan says so, summed, and stored with the call."""

import math

import pytest

from sampling import generating, plans
from sampling.event_stream import EventStream
from sampling.models import ModelCall
from tests.sampling.conftest import Engine, plan_body
from tests.sampling.raw_server import DONE, event
from tests.sampling.test_generating import state


def test_a_plan_that_asks_gets_the_sum_of_each_call(engine: Engine) -> None:
    step = {"strategy": "independent", "logprobs": True}
    asked = engine.ask(engine.another_plan(first_turn=step))

    generating.work()

    assert state(asked) == "ready"
    scores = list(ModelCall.objects.values_list("logprob", flat=True))
    assert len(scores) == 4
    assert all(score is not None and score < 0 for score in scores)


def test_nobody_asks_unless_the_plan_does(engine: Engine) -> None:
    engine.ask()

    generating.work()

    assert set(ModelCall.objects.values_list("logprob", flat=True)) == {None}
    assert all("logprobs" not in entry["body"] for entry in engine.server.log())


def test_plans_from_before_keep_their_fingerprint() -> None:
    body = plans.as_json(plans.read(plan_body()))
    asking = plan_body(first_turn={"strategy": "independent", "logprobs": True})

    assert "logprobs" not in body["first_turn"]
    mixed = plans.read(plan_body(first_turn={"strategy": "community_alignment"}))
    assert not {"logprobs", "role"} & set(plans.as_json(mixed)["first_turn"])
    assert plans.as_json(plans.read(asking))["first_turn"]["logprobs"] is True


def chunk(*scores: object) -> bytes:
    tokens = [{"token": "x", "logprob": score} for score in scores]
    choice = {"index": 0, "delta": {"content": "x"}, "finish_reason": None}
    return event(choices=[{**choice, "logprobs": {"content": tokens}}])


def test_the_tokens_of_all_chunks_are_summed() -> None:
    stream = EventStream()
    stream.feed(
        chunk(-0.5, -0.25)
        + chunk(-1)
        + chunk(math.nan, -math.inf)
        + event("", finish="stop")
        + DONE
    )
    stream.finish()

    assert stream.logprob == pytest.approx(-1.75)


@pytest.mark.parametrize("told", [None, [], {"content": None}, {"content": ["x"]}, "many"])
def test_scores_of_another_shape_harm_no_answer(told: object) -> None:
    choice = {"index": 0, "delta": {"content": "Yes."}, "logprobs": told, "finish_reason": "stop"}
    stream = EventStream()
    stream.feed(event(choices=[choice]) + DONE)
    stream.finish()

    assert stream.text == "Yes."
