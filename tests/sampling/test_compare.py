"""`manage.py sample --compare`: every strategy on every endpoint, side by side."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from sampling import setting_out, simulated, ways
from tests import factories
from tests.sampling.conftest import Engine
from tests.sampling.drawings import QUESTION
from tests.sampling.strategies.test_sent import CALLS


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[simulated.Endpoint, simulated.Endpoint]]:
    with simulated.running() as one, simulated.running() as other:
        yield one, other


@pytest.fixture
def demo(
    servers: tuple[simulated.Endpoint, simulated.Endpoint], settings: Settings
) -> tuple[simulated.Endpoint, simulated.Endpoint]:
    """Two servers in the places of a running demo's local model and simulated endpoint."""
    local, made_up = servers
    for server in servers:
        server.forget_orders()
    settings.MODEL_BASE_URL = ""
    settings.LOCAL_MODEL_URL, settings.LOCAL_MODEL_NAME = local.base_url, local.model
    settings.SIMULATED_URL = made_up.base_url
    return servers


def compare(*options: str, as_json: bool = True) -> tuple[int, str]:
    """The exit code of a run and what it printed."""
    out, code = io.StringIO(), 0
    flags = ["--json"] if as_json else []
    try:
        call_command("sample", "--compare", *options, *flags, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        code = error.returncode
    return code, out.getvalue()


def compared(*options: str) -> tuple[int, Any]:
    code, said = compare(*options)
    return code, json.loads(said)


def test_every_strategy_is_made_on_the_local_model_and_on_the_simulated_endpoint(
    demo: tuple[simulated.Endpoint, simulated.Endpoint],
) -> None:
    code, told = compared("--language", "fr", "--prompt", QUESTION)

    there = [(row["endpoint"], row["strategy"]) for row in told["summary"]]
    names = ways.usable()
    assert code == 0
    assert there == [(one, name) for one in ("local-model", "simulated") for name in names]
    assert {one["language"] for one in told["sets"]} == {"fr"}
    assert told["need_a_plan"] == ways.need_a_plan()


Sent = dict[str, list[dict[str, Any]]]


@pytest.fixture
def sent(demo: tuple[simulated.Endpoint, simulated.Endpoint]) -> Sent:
    """The bodies that the simulated endpoint logged, by strategy, in the order of their numbers."""
    before = len(demo[1].log())
    _, told = compared("--prompt", QUESTION, "--seed", "7")
    made = [one for one in told["sets"] if one["endpoint"] == "simulated"]
    logged = {
        entry["request_id"]: entry["body"]
        for entry in demo[1].wait_for(before + sum(len(one["calls"]) for one in made))
    }
    return {
        one["strategy"]: [
            logged[call["request_id"]] for call in sorted(one["calls"], key=lambda call: call["n"])
        ]
        for one in made
    }


def test_each_strategy_sends_something_else(sent: Sent) -> None:
    """On one endpoint a draw from many models is the same as one from a single model."""
    bare = {name: [_without_seed(body) for body in bodies] for name, bodies in sent.items()}
    shapes = {json.dumps(bodies) for name, bodies in bare.items() if name != "multi_model"}

    assert sent.keys() == ways.usable().keys()
    assert len(shapes) == len(sent) - 1
    assert bare["multi_model"] == bare["independent"]


def test_each_strategy_makes_the_calls_that_it_is_made_of(sent: Sent) -> None:
    assert {name: len(bodies) for name, bodies in sent.items()} == {
        name: CALLS[name] for name in ways.usable()
    }


def test_schemas_are_sent_by_the_strategies_that_are_read_as_json(sent: Sent) -> None:
    schemas = {
        name: body["response_format"]["json_schema"]["schema"]
        for name, bodies in sent.items()
        for body in bodies
        if "response_format" in body
    }

    sizes = {name: (one["minItems"], one["maxItems"]) for name, one in schemas.items()}
    assert sizes == dict.fromkeys(("nc_structured", "nc_planned", "verbalized"), (4, 4))


def test_the_writing_calls_of_a_plan_have_one_prefix_to_the_byte(sent: Sent) -> None:
    planning, *writing = [json.dumps(body["messages"]) for body in sent["nc_planned"]]
    prefix = writing[0].partition("Position: ")[0]

    assert QUESTION in prefix
    assert not planning.startswith(prefix)
    assert all(one.startswith(f"{prefix}Position: ") for one in writing)
    assert len(set(writing)) == len(writing) == 4


def test_the_calls_of_a_set_share_their_beginning_where_only_seeds_differ(
    demo: tuple[simulated.Endpoint, simulated.Endpoint],
) -> None:
    _, told = compared("--prompt", QUESTION, "--strategies", "independent")

    bodies = [call["body"] for call in told["sets"][0]["calls"]]
    assert len(bodies) == 4
    assert len({json.dumps(_without_seed(body)) for body in bodies}) == 1
    assert len({body["seed"] for body in bodies}) == 4


def test_all_sets_of_a_comparison_have_one_seed(
    demo: tuple[simulated.Endpoint, simulated.Endpoint],
) -> None:
    _, told = compared("--prompt", QUESTION, "--strategies", "independent, persona")

    assert len({one["seed"] for one in told["sets"]}) == 1
    assert [one["strategy"] for one in told["sets"]] == ["independent", "persona"] * 2


def test_a_set_that_was_refused_has_its_time_and_its_reasons_apart_from_marks(
    demo: tuple[simulated.Endpoint, simulated.Endpoint],
) -> None:
    demo[0].order("count", times=None, count=2)

    _, told = compared("--prompt", QUESTION, "--strategies", "community_alignment")
    _, said = compare("--prompt", QUESTION, "--strategies", "community_alignment", as_json=False)

    refused, ready = told["summary"]
    assert refused["seconds"] > 0
    assert refused["findings"] == [
        "the answer held 2 responses where 4 were asked for",
        "1 of 4 answers could be had",
    ]
    assert (refused["marks"], ready["findings"]) == ([], [])
    assert "refused: the answer held 2 responses where 4 were asked for; 1 of 4" in said


def test_an_endpoint_that_fails_is_rows_and_the_others_are_there(
    demo: tuple[simulated.Endpoint, simulated.Endpoint],
) -> None:
    demo[0].order("status_500", times=None)

    code, told = compared("--prompt", QUESTION, "--strategies", "independent,nc_single")

    rows = [(row["endpoint"], row["state"], row["reason"]) for row in told["summary"]]
    assert code == 0
    assert (
        rows
        == [("local-model", "failed", "endpoint_unavailable")] * 2
        + [("simulated", "ready", None)] * 2
    )
    assert told["sets"][0]["candidates"] == []


@pytest.mark.parametrize(("behaviour", "code"), [("status_500", 3), ("count", 4)])
def test_when_nothing_is_ready_the_code_says_why(
    demo: tuple[simulated.Endpoint, simulated.Endpoint], behaviour: str, code: int
) -> None:
    for server in demo:
        server.order(behaviour, times=None, **({"count": 5} if behaviour == "count" else {}))

    assert compare("--prompt", QUESTION, "--strategies", "nc_single")[0] == code


def test_figures_are_those_of_the_set(demo: tuple[simulated.Endpoint, simulated.Endpoint]) -> None:
    _, told = compared("--prompt", QUESTION, "--strategies", "nc_single")

    made, row = told["sets"][1], told["summary"][1]
    usage = made["calls"][0]["usage"]
    assert row["tokens"] == usage["completion_tokens"] > 40
    assert (row["seconds"], row["calls"], row["passed"]) == (made["seconds"], 1, True)
    assert row["wording"] == made["diversity"]["distance"]


def test_people_see_a_table_and_the_texts_beside_each_other(
    demo: tuple[simulated.Endpoint, simulated.Endpoint],
) -> None:
    code, said = compare("--prompt", QUESTION, "--strategies", "persona", as_json=False)

    lines = said.splitlines()
    assert code == 0
    assert lines[0].split() == list(setting_out.HEAD)
    assert lines[1].startswith("persona   local-model  ready")
    assert "== persona ==" in lines
    assert any("[local-model]" in line and "[simulated]" in line for line in lines)
    assert "it says nothing about values" in said


def test_given_addresses_stand_in_for_the_demo(
    demo: tuple[simulated.Endpoint, simulated.Endpoint],
) -> None:
    addresses = [word for server in demo for word in ("--base-url", server.base_url)]

    code, told = compared(
        "--prompt", QUESTION, "--strategies", "nc_single", "--model", "simulated", *addresses
    )

    assert code == 0
    assert [row["endpoint"] for row in told["summary"]] == ["given-1", "given-2"]


def test_a_stored_endpoint_is_chosen_by_its_name(engine: Engine) -> None:
    name = engine.endpoint.name

    code, told = compared("--prompt", QUESTION, "--strategies", "nc_single", "--endpoint", name)

    assert code == 0
    assert [row["endpoint"] for row in told["summary"]] == [name]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--strategies", "zork"], "unknown strategy"),
        (["--strategies", "mix"], "made_of"),
        (["--store"], "stores nothing"),
        (["--language", "klingon"], "not a language"),
        (["--base-url", "http://a/v1", "--model", "m", "--model", "n"], "one for each"),
    ],
)
def test_bad_input_is_two(
    demo: tuple[simulated.Endpoint, simulated.Endpoint], options: list[str], said: str
) -> None:
    code, told = compared("--prompt", QUESTION, *options)

    assert code == 2
    assert said in told["error"]["message"]


@pytest.mark.django_db
def test_an_endpoint_that_is_not_stored_is_two_and_names_those_that_are() -> None:
    factories.endpoint(name="known")

    code, told = compared("--prompt", QUESTION, "--endpoint", "nowhere")

    assert code == 2
    assert "there are known" in told["error"]["message"]


@pytest.mark.django_db
def test_an_endpoint_that_may_not_be_called_is_three() -> None:
    factories.endpoint(name="elsewhere", base_url="http://192.0.2.1/v1")

    code, told = compared("--prompt", QUESTION, "--endpoint", "elsewhere")

    assert code == 3
    assert "not on the list" in told["error"]["message"]


def test_without_any_endpoint_it_says_what_to_give(settings: Settings) -> None:
    settings.MODEL_BASE_URL = settings.LOCAL_MODEL_URL = settings.SIMULATED_URL = ""

    code, told = compared("--prompt", QUESTION)

    assert code == 2
    assert "no endpoint" in told["error"]["message"]


@pytest.mark.parametrize(
    ("text", "wide", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("unbreakable", 4, ["unbreakable"]),
        ("first\n\nsecond", 20, ["first", "", "second"]),
        ("परिवार से", 7, ["परिवार", "से"]),
        ("", 5, [""]),
    ],
)
def test_lines_break_between_words(text: str, wide: int, lines: list[str]) -> None:
    assert list(setting_out.wrap(text, wide)) == lines


def test_marks_on_a_letter_take_no_column() -> None:
    assert setting_out.columns_of("से") == 1
    assert setting_out.columns_of("e\u0301") == 1
    assert setting_out.columns_of("日") == 2


def _without_seed(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "seed"}
