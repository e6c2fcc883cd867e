"""`manage.py sample`: exit codes, the JSON of its contract, and stored sets."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from sampling import generating, simulated
from sampling.models import Candidate, CandidateSet, Plan, Seat
from tests import factories, forking
from tests.sampling.conftest import Engine
from tests.sampling.drawings import QUESTION

KEYS = [
    "state",
    "reason",
    "strategy",
    "language",
    "context",
    "seed",
    "candidates",
    "calls",
    "guard",
    "diversity",
    "seconds",
]


@pytest.fixture(scope="module")
def shared_server() -> Iterator[simulated.Endpoint]:
    with simulated.running() as server:
        yield server


@pytest.fixture
def server(shared_server: simulated.Endpoint, settings: Settings) -> simulated.Endpoint:
    """A simulated endpoint, which is the environment's own."""
    shared_server.forget_orders()
    settings.MODEL_BASE_URL, settings.MODEL_NAME = shared_server.base_url, shared_server.model
    return shared_server


def sample(*options: str) -> tuple[int, Any]:
    """The exit code and the JSON of a run."""
    out, code = io.StringIO(), 0
    try:
        call_command("sample", *options, "--json", stdout=out, stderr=io.StringIO())
    except CommandError as error:
        code = error.returncode
    return code, json.loads(out.getvalue())


@pytest.mark.parametrize("plan", ["independent", "persona", "nc_single", "community_alignment"])
@pytest.mark.parametrize("language", ["en", "fr", "it", "pt", "hi"])
def test_every_strategy_makes_a_set_in_every_language(
    server: simulated.Endpoint, plan: str, language: str
) -> None:
    code, told = sample("--plan", plan, "--language", language, "--prompt", QUESTION)

    assert code == 0
    assert [key for key in KEYS if key not in told] == []
    assert (told["state"], told["strategy"], told["language"]) == ("ready", plan, language)
    assert [one["slot"] for one in told["candidates"]] == [0, 1, 2, 3]
    assert {"slot", "text", "finish_reason", "n_tokens", "provenance"} == {*told["candidates"][0]}


def test_the_calls_are_those_of_the_endpoints_log(server: simulated.Endpoint) -> None:
    before = len(server.log())

    _, told = sample("--plan", "community_alignment", "--prompt", QUESTION)

    logged = {entry["request_id"]: entry["body"] for entry in server.wait_for(before + 2)[before:]}
    assert {call["request_id"]: call["body"] for call in told["calls"]} == logged


def test_a_seed_makes_the_same_requests_again(server: simulated.Endpoint) -> None:
    one, other = (sample("--prompt", QUESTION, "--seed", "5")[1] for _ in range(2))

    assert [call["body"] for call in one["calls"]] == [call["body"] for call in other["calls"]]
    assert [item["text"] for item in one["candidates"]] == [
        item["text"] for item in other["candidates"]
    ]


@pytest.mark.parametrize("shape", ["list", "object"])
def test_a_conversation_comes_from_a_file(
    server: simulated.Endpoint, tmp_path: Path, shape: str
) -> None:
    messages = [
        factories.user("Hello?"),
        {"role": "assistant", "content": "Hi."},
        factories.user(QUESTION),
    ]
    file = tmp_path / "talk.json"
    file.write_text(json.dumps(messages if shape == "list" else {"messages": messages}))

    code, told = sample("--plan", "nc_single", "--conversation", str(file))

    assert code == 0
    assert told["context"] == messages


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--plan", "zork", "--prompt", "x"], "unknown strategy"),
        (["--plan", "mix", "--prompt", "x"], "made_of"),
        ([], "--prompt TEXT or --conversation FILE"),
        (["--prompt", "x", "--conversation", "y"], "--prompt TEXT or --conversation FILE"),
        (["--prompt", " "], "the text is empty"),
        (["--prompt", "a\ud800"], "surrogate"),
        (["--prompt", "x", "--language", "klingon"], "not a language"),
        (["--conversation", "/no/such/file"], "No such file"),
        (["--conversation", "."], "directory"),
        (["--prompt", "x", "--store"], "study/version"),
        (["--prompt", "x", "--base-url", "http://127.0.0.1:9/v1"], "--model"),
        (["--prompt", "x", "--base-url", "http://x", "--model", "m", "--key-env", "NO"], "NO"),
    ],
)
def test_bad_input_is_two(server: simulated.Endpoint, options: list[str], said: str) -> None:
    code, told = sample(*options)

    assert code == 2
    assert told["error"]["class"] == "BadRequest"
    assert told["error"]["retryable"] is False
    assert said in told["error"]["message"]


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"role":"user"}]', "null", "[" * 5000])
def test_a_file_that_is_no_conversation_is_two(
    server: simulated.Endpoint, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "talk.json"
    file.write_text(text)

    assert sample("--conversation", str(file))[0] == 2


def test_an_endpoint_that_fails_is_three(server: simulated.Endpoint) -> None:
    server.order("status_500", times=None)

    code, told = sample("--plan", "nc_single", "--prompt", QUESTION)

    assert code == 3
    assert told["error"] == {
        "class": "EndpointUnavailable",
        "message": "the endpoint failed (status 500)",
        "retryable": True,
    }
    assert (told["state"], told["candidates"]) == ("failed", [])


def test_a_set_that_the_guard_lets_not_pass_is_four(server: simulated.Endpoint) -> None:
    server.order("count", count=5, times=None)

    code, told = sample("--plan", "nc_single", "--prompt", QUESTION)

    assert code == 4
    assert told["error"]["class"] == "GuardRejected"
    assert told["guard"]["passed"] is False
    assert len(told["calls"]) == 2


def test_without_json_people_can_read_it(server: simulated.Endpoint) -> None:
    out = io.StringIO()

    call_command(
        "sample", "--prompt", QUESTION, "--plan", "persona", stdout=out, stderr=io.StringIO()
    )

    assert out.getvalue().startswith("ready: persona, en, seed ")
    assert "\n[3] persona, expression\n" in out.getvalue()


def test_it_needs_no_database_and_says_where_it_asks(
    server: simulated.Endpoint, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": "postgresql://127.0.0.1:9/none",
        "OURS_KEY": "k3y",
        "DATA_DIR": str(tmp_path),
    }
    options = ["--base-url", server.base_url, "--model", server.model, "--key-env", "OURS_KEY"]

    run = forking.run(
        ["manage.py", "sample", "--prompt", QUESTION, "--json", *options], env=environment
    )

    assert run.returncode == 0
    assert json.loads(run.stdout)["state"] == "ready"
    assert f"endpoint: given, model simulated, at {server.base_url}" in run.stderr


def stored(plan: Plan) -> str:
    return f"{plan.study.slug}/{plan.version}"


def test_a_stored_plan_makes_a_set_without_a_row(engine: Engine) -> None:
    code, told = sample("--plan", stored(engine.plan), "--prompt", QUESTION)

    assert code == 0
    assert told["endpoint"] == engine.endpoint.name
    assert not CandidateSet.objects.exists()


def test_a_stored_set_is_ready_with_its_rows_and_no_worker_made_it(engine: Engine) -> None:
    code, told = sample("--plan", stored(engine.plan), "--prompt", QUESTION, "--store")

    row = CandidateSet.objects.get()
    assert (code, str(row.pk), row.state) == (0, told["set"], "ready")
    assert row.seed == told["seed"]
    texts = list(Candidate.objects.order_by("slot").values_list("text", flat=True))
    assert texts == [one["text"] for one in told["candidates"]]
    assert row.calls.count() == len(told["calls"]) == 4
    assert not Seat.objects.exists()


def test_a_stored_set_that_failed_is_tried_by_nobody_again(engine: Engine) -> None:
    engine.server.order("status_500", times=None)

    code, told = sample("--plan", stored(engine.plan), "--prompt", QUESTION, "--store")

    row = CandidateSet.objects.get()
    assert code == 3
    assert row.state == "failed"
    assert row.calls.count() == len(told["calls"]) == 4
    assert generating.work() == 0


def test_an_endpoint_that_is_set_up_wrongly_is_three(engine: Engine) -> None:
    plan = engine.another_plan(engine.row(base_url="$NOT_SET"), engine.endpoint)

    code, told = sample("--plan", stored(plan), "--prompt", "x")

    assert code == 3
    assert told["error"]["class"] == "EndpointMisconfigured"


def test_a_fallback_that_is_set_up_wrongly_does_no_harm(engine: Engine) -> None:
    plan = engine.another_plan(engine.endpoint, engine.row(base_url="$NOT_SET"))

    code, _ = sample("--plan", stored(plan), "--prompt", "x")

    assert code == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere/plain.1", "no study nowhere"), ("{}/else.9", "no plan 'else.9'; it has")],
)
def test_a_plan_that_is_not_there_is_two(engine: Engine, name: str, said: str) -> None:
    code, told = sample("--plan", name.format(engine.plan.study.slug), "--prompt", "x")

    assert code == 2
    assert said in told["error"]["message"]


def test_a_database_that_is_away_is_said(server: simulated.Endpoint, tmp_path: Path) -> None:
    run = forking.run(
        ["manage.py", "sample", "--plan", "a/b.1", "--prompt", "x", "--json"],
        env={
            **os.environ,
            "DATABASE_URL": "postgresql://127.0.0.1:9/none",
            "DATA_DIR": str(tmp_path),
        },
    )

    assert run.returncode == 2
    assert "the database, and it is away" in json.loads(run.stdout)["error"]["message"]
