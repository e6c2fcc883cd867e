"""What was sent and what came back, from rows alone."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sampling import generating
from sampling.claiming import claim_next
from sampling.explaining import Unknown, explain
from sampling.models import CandidateSet
from tests import factories
from tests.sampling.conftest import Engine

STRATEGIES: list[dict[str, Any]] = [
    {"strategy": "independent", "bare": True},
    {"strategy": "nc_single"},
    {"strategy": "nc_structured"},
    {"strategy": "nc_sequential"},
    {"strategy": "nc_planned"},
    {"strategy": "verbalized"},
    {"strategy": "multi_model"},
    {"strategy": "given", "texts": [{"text": f"Do thing number {n}, now."} for n in range(4)]},
    {"strategy": "community_alignment"},
    {
        "strategy": "persona",
        "stances": [{"name": str(n), "text": f"You value thing {n}."} for n in range(4)],
    },
]


def logged(engine: Engine) -> dict[str, Any]:
    return {entry["request_id"]: entry["body"] for entry in engine.server.log()}


@pytest.mark.parametrize("first_turn", STRATEGIES, ids=lambda step: step["strategy"])
def test_every_request_that_was_sent_is_told(engine: Engine, first_turn: dict[str, Any]) -> None:
    engine.server.order("empty")  # so that there is a second attempt
    asked = engine.ask(engine.another_plan(first_turn=first_turn))
    for _ in range(2):
        CandidateSet.objects.filter(state="pending").update(not_before=factories.in_hours(-1))
        generating.work()

    told = explain(str(asked.pk))

    assert {call.request_id: call.request for call in told.calls} == logged(engine)
    assert all(call.recorded and call.rebuilt_equal for call in told.calls)
    assert len(told.candidates) == 4


def test_calls_of_an_attempt_that_left_no_rows_are_built_again(engine: Engine) -> None:
    asked = engine.ask()
    claim_next()  # and its worker vanishes

    calls = explain(str(asked.pk)).calls

    assert [call.request_id for call in calls] == [f"{asked.pk}.1.{n}" for n in range(4)]
    assert not any(call.recorded for call in calls)


def test_what_is_built_again_is_what_a_vanished_worker_had_sent(engine: Engine) -> None:
    asked = engine.ask()
    generating.work()
    recorded = {call.request_id: call.request for call in explain(str(asked.pk)).calls}
    forgotten = factories.candidate_set(
        engine.plan,
        context=asked.context,
        seed=asked.seed,
        attempt=1,
        attempt_log=asked.attempt_log,
    )

    rebuilt = explain(str(forgotten.pk)).calls

    assert [call.request for call in rebuilt] == list(recorded.values())


def test_the_endpoint_of_each_attempt_is_told(engine: Engine) -> None:
    dead = engine.row(base_url="http://127.0.0.1:9/v1", model="other")
    engine.settings.MODEL_ALLOWLIST.append("http://127.0.0.1:9")
    asked = engine.ask(engine.another_plan(dead, engine.endpoint))
    for _ in range(2):
        CandidateSet.objects.update(not_before=factories.in_hours(-1))
        generating.work()

    calls = explain(str(asked.pk)).calls

    models = {(call.attempt, call.endpoint, call.request["model"]) for call in calls}
    assert models == {(1, dead.name, "other"), (2, engine.endpoint.name, engine.server.model)}
    assert all(call.rebuilt_equal for call in calls)


def test_one_call_is_told_by_its_request_id(engine: Engine) -> None:
    asked = engine.ask()
    generating.work()

    told = explain(f"{asked.pk}.1.2")

    assert [(call.attempt, call.n) for call in told.calls] == [(1, 2)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wanted", ["", "x", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "a.1.2", "a.b.c.d"]
)
def test_what_does_not_exist_is_said(wanted: str) -> None:
    with pytest.raises(Unknown):
        explain(wanted)


def test_a_call_that_the_set_cannot_have_sent_is_said(engine: Engine) -> None:
    asked = engine.ask()

    with pytest.raises(Unknown):
        explain(f"{asked.pk}.9.9")


def test_the_command_speaks_to_people_and_to_programs(engine: Engine) -> None:
    asked = engine.ask(text="Why do we keep promises?")
    generating.work()
    said, told = StringIO(), StringIO()

    call_command("explain_set", str(asked.pk), stdout=said)
    call_command("explain_set", str(asked.pk), "--json", stdout=told)

    assert "Why do we keep promises?" in said.getvalue()
    assert f"call {asked.pk}.1.0 (answer, recorded)" in said.getvalue()
    assert json.loads(told.getvalue())["set"]["state"] == "ready"


@pytest.mark.django_db
def test_the_command_refuses_what_it_does_not_know() -> None:
    with pytest.raises(CommandError, match="neither a set's id nor a request id"):
        call_command("explain_set", "nonsense")
