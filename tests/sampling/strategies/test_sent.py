"""What the endpoint was really sent: each strategy something of its own, seen in its log."""

import json
from typing import Any

import pytest

from sampling import simulated
from sampling.strategies import REGISTRY
from sampling.wordings import PUBLISHED
from tests.sampling.drawings import QUESTION, TEXTS, draw_from, endpoint, plan

PARAMETERS: dict[str, dict[str, Any]] = {
    "given": {"texts": [{"text": text} for text in TEXTS[:4]]},
    "mix": {
        "made_of": [
            {"step": {"strategy": "persona"}, "keep": 2, "ask": 4},
            {"step": {"strategy": "nc_structured"}, "keep": 2, "ask": 2},
        ]
    },
}
# Calls of a set of four.
CALLS = {
    "independent": 4,
    "multi_model": 4,
    "persona": 4,
    "nc_single": 1,
    "nc_structured": 1,
    "nc_sequential": 4,
    "nc_planned": 5,
    "verbalized": 1,
    "pool": 8,
    "given": 0,
    "community_alignment": 2,
    "mix": 5,
}
OURS = sorted(CALLS)


def ask(server: simulated.Endpoint, strategy: str) -> list[dict[str, Any]]:
    """The bodies that the endpoint logged for a set, in the order of their numbers."""
    seen = len(server.log())
    endpoints = [endpoint(server, name=name) for name in ("one", "two", "three", "four")]
    body = plan(strategy, step=PARAMETERS.get(strategy, {}), repairs=0)
    draw_from(server, body, endpoints=endpoints)
    entries = sorted(server.log()[seen:], key=lambda one: int(one["request_id"].split(".")[-1]))
    return [entry["body"] for entry in entries]


@pytest.fixture(scope="module")
def logged() -> dict[str, list[dict[str, Any]]]:
    with simulated.running() as server:
        return {name: ask(server, name) for name in OURS}


def systems(bodies: list[dict[str, Any]]) -> list[str]:
    return [body["messages"][0]["content"] for body in bodies]


def test_every_strategy_of_ours_is_here() -> None:
    assert {
        name for name, found in REGISTRY.items() if found.__module__.startswith("sampling.")
    } == {*OURS}


@pytest.mark.parametrize("name", OURS)
def test_it_made_the_calls_that_it_is_made_of(
    logged: dict[str, list[dict[str, Any]]], name: str
) -> None:
    assert len(logged[name]) == CALLS[name]


def test_no_two_strategies_sent_the_same(logged: dict[str, list[dict[str, Any]]]) -> None:
    """By the system texts, the last message, the schema and the number of calls. A draw from many
    models is one from one model in its words; there the number of endpoints makes the difference.
    """
    sent = {name: fingerprint(bodies) for name, bodies in logged.items() if name != "multi_model"}

    assert len(set(sent.values())) == len(sent)


def fingerprint(bodies: list[dict[str, Any]]) -> str:
    said = [[body["messages"], body.get("response_format")] for body in bodies]
    return json.dumps(said, sort_keys=True)


def test_the_published_sentences_stood_alone(logged: dict[str, list[dict[str, Any]]]) -> None:
    for name in ("nc_single", "nc_structured", "community_alignment"):
        assert systems(logged[name])[0] == PUBLISHED.text
        assert [m["role"] for m in logged[name][0]["messages"]] == ["system", "user"]
    for name in ("independent", "multi_model", "persona", "nc_sequential", "verbalized"):
        assert PUBLISHED.text not in json.dumps(logged[name])


def test_each_persona_had_a_text_of_its_own(logged: dict[str, list[dict[str, Any]]]) -> None:
    assert len(set(systems(logged["persona"]))) == 4
    assert len(set(systems(logged["independent"]))) == 1
    assert len(set(systems(logged["nc_planned"]))) == 2


def test_schemas_asked_for_exactly_k(logged: dict[str, list[dict[str, Any]]]) -> None:
    for name, items in (
        ("nc_structured", "string"),
        ("nc_planned", "string"),
        ("verbalized", "object"),
    ):
        schema = logged[name][0]["response_format"]["json_schema"]["schema"]
        assert (schema["minItems"], schema["maxItems"], schema["items"]["type"]) == (4, 4, items)
        assert not {"maxLength", "pattern"} & set(json.dumps(schema).replace('"', " ").split())
    for name in ("independent", "persona", "nc_single", "nc_sequential", "community_alignment"):
        assert not any("response_format" in body for body in logged[name])


def test_the_writing_calls_of_a_plan_shared_their_prefix_to_the_byte(
    logged: dict[str, list[dict[str, Any]]],
) -> None:
    written = [json.dumps(body["messages"]) for body in logged["nc_planned"][1:]]
    prefix = json.dumps(logged["nc_planned"][1]["messages"]).partition("Position: ")[0]

    assert QUESTION in prefix
    assert all(one.startswith(f"{prefix}Position: ") for one in written)
    assert len(set(written)) == 4


def test_each_call_in_sequence_saw_more(logged: dict[str, list[dict[str, Any]]]) -> None:
    seen = [body["messages"][-1]["content"].count("“") for body in logged["nc_sequential"]]

    assert seen == [0, 1, 2, 3]


def test_every_call_had_a_seed_of_its_own(logged: dict[str, list[dict[str, Any]]]) -> None:
    for bodies in logged.values():
        assert len({body["seed"] for body in bodies}) == len(bodies)
